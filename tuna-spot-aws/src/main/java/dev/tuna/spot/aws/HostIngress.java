package dev.tuna.spot.aws;

import dev.tuna.api.TunaException;
import dev.tuna.spi.ProviderContext;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;

/**
 * Keeps machines open to this host when the address it is seen from changes. Machines that do not answer give occasion to look;
 * what is open to somebody else than the host is left alone. Thread-safe.
 */
final class HostIngress {

    /** Machines that boot do not answer either. */
    static final Duration PAUSE = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(HostIngress.class);

    private final ProviderContext context;
    private final AwsClients clients;
    private final Supplier<String> host;
    /** Region and deployment to when they were looked at last. */
    private final Map<String, Instant> lookedAt = new ConcurrentHashMap<>();

    HostIngress(ProviderContext context, AwsClients clients, Supplier<String> host) {
        this.context = context;
        this.clients = clients;
        this.host = host;
    }

    /** To be called when a machine does not answer: opens its deployment's group to the host's address, and closes it to the old one. */
    void check(String region, String deployment) {
        if (isDue(region + " " + deployment)) {
            try {
                follow(region, deployment);
            } catch (TunaException e) {
                LOG.warn(
                        "{}: whether its machines in {} are open to this host is not known: {}",
                        deployment,
                        region,
                        e.getMessage());
            }
        }
    }

    private boolean isDue(String what) {
        Instant now = context.clock().instant();
        return now.equals(
                lookedAt.compute(what, (same, last) -> last == null || !now.isBefore(last.plus(PAUSE)) ? now : last));
    }

    private void follow(String region, String deployment) {
        IngressRules rules = new IngressRules(clients, region);
        String name = Names.shared(context.ownerId(), deployment);
        for (SecurityGroup group : rules.find(
                Networks.filter("group-name", name), Networks.filter("tag:" + Names.OWNER, context.ownerId()))) {
            // Who is asked for the address is asked only where it matters.
            if (IngressRules.isOfAnotherHost(group, "")) {
                String now = host.get();
                if (IngressRules.isOfAnotherHost(group, now)) {
                    rules.open(group, now);
                    rules.closeOthers(group, now);
                    LOG.info(
                            "{}: this host is seen from {} now; its machines in {} are open to that instead of its old address",
                            deployment,
                            now,
                            region);
                }
            }
        }
    }
}
