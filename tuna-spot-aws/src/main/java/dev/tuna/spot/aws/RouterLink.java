package dev.tuna.spot.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.TunaException;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.SecretStore;
import dev.tuna.spot.aws.channel.ChannelTimes;
import dev.tuna.spot.aws.channel.DeploymentTrust;
import dev.tuna.spot.aws.channel.ReplicaChannel;
import dev.tuna.spot.aws.channel.ReplicaReport;
import dev.tuna.spot.aws.channel.UntrustedReplicaException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;

/**
 * Talks with the agents on routers' machines, those too that somebody else has launched: what it takes is in the secret store,
 * or else in a parameter. Thread-safe.
 */
final class RouterLink implements AutoCloseable {

    /** An agent that did not answer for a moment is as it was; one that is silent for longer is not known to be anything. */
    static final Duration MEMORY = Duration.ofSeconds(60);

    /** Machines that boot do not answer either. */
    private static final Duration PAUSE = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(RouterLink.class);
    private static final String CONTROL_TOKEN = "TUNA_CONTROL_TOKEN";

    private final ProviderContext context;
    private final AwsClients clients;
    private final Supplier<String> host;
    private final ChannelTimes times;
    /** By the instance's id. */
    private final Map<String, Talk> talks = new ConcurrentHashMap<>();

    RouterLink(ProviderContext context, AwsClients clients, Supplier<String> host) {
        this.context = context;
        this.clients = clients;
        this.host = host;
        this.times = ChannelTimes.DEFAULT;
    }

    /** What a machine says of itself. */
    record Report(BackendPhase phase, String detail, Optional<BackendAddress> control) {}

    /**
     * A machine of a router as EC2 and its tags tell.
     *
     * @param region where it is
     * @param instanceId {@code i-...}
     * @param owner whose installation made it
     * @param name its name
     * @param host address to connect to
     * @param port of its agent
     */
    record Vm(String region, String instanceId, String owner, String name, String host, int port) {

        /** Empty while it has no address. */
        static Optional<Vm> of(String region, Instance instance, String name) {
            return Instances.machine(region, instance)
                    .map(machine -> new Vm(
                            region,
                            machine.instanceId(),
                            Instances.tag(instance, Names.OWNER).orElse(""),
                            name,
                            machine.host(),
                            machine.port()));
        }

        String parameter() {
            return Names.routerParameter(owner, name);
        }
    }

    /** What has been said with a machine. */
    private static final class Talk {
        private final ReplicaChannel channel;
        private volatile Optional<Secret> control = Optional.empty();
        private volatile Optional<Report> last = Optional.empty();
        private volatile Instant lastAt = Instant.MIN;
        private volatile Instant letInAt = Instant.EPOCH;

        private Talk(ReplicaChannel channel) {
            this.channel = channel;
        }
    }

    /** The name of a machine's trust, where deployments have theirs. */
    private static String trustName(String owner, String name) {
        return "router-vm/" + owner + "/" + name;
    }

    private static String replica(String name) {
        return "router-vm-" + name;
    }

    private DeploymentTrust trust(String owner, String name) {
        return new DeploymentTrust(context.secrets(), trustName(owner, name), context.clock());
    }

    /** What a machine of this installation is to be told at its launch: whom it lets in, and by which token it is known. */
    record Enrolment(String authority, Secret token) {}

    Enrolment enrolment(String name) {
        DeploymentTrust trust = trust(context.ownerId(), name);
        return new Enrolment(trust.certificate(), trust.token(replica(name)));
    }

    /** Asks a running machine how it is, and brings what it still needs. */
    Report look(Instance instance, Vm vm) {
        Talk talk = talks.get(vm.instanceId());
        try {
            if (talk == null) {
                Optional<DeploymentTrust> trust = trusted(vm);
                if (trust.isEmpty()) {
                    return new Report(
                            BackendPhase.BOOTING,
                            "it cannot be talked to: its certificate authority is neither in the secret store nor in"
                                    + " parameter " + vm.parameter(),
                            Optional.empty());
                }
                talk = talks.computeIfAbsent(vm.instanceId(), id -> new Talk(channel(vm, trust.get())));
                letIn(instance, vm, talk);
            }
            return remember(talk, report(vm, talk, talk.channel.look()));
        } catch (UntrustedReplicaException e) {
            return new Report(BackendPhase.FAILED, String.valueOf(e.getMessage()), Optional.empty());
        } catch (NoEnvironmentException e) {
            return new Report(BackendPhase.BOOTING, String.valueOf(e.getMessage()), Optional.empty());
        } catch (IOException e) {
            LOG.debug("router VM {} {}: {}", vm.name(), vm.instanceId(), e.toString());
            if (talk != null && !context.clock().instant().isBefore(talk.letInAt.plus(PAUSE))) {
                letIn(instance, vm, talk); // perhaps this host is seen from another address now
            }
            return remembered(talk);
        }
    }

    private Report remember(Talk talk, Report report) {
        talk.lastAt = context.clock().instant();
        talk.last = Optional.of(report);
        return report;
    }

    private Report remembered(@Nullable Talk talk) {
        Optional<Report> last = talk == null ? Optional.empty() : talk.last;
        if (talk == null || last.isEmpty()) {
            return new Report(BackendPhase.BOOTING, "the machine boots", Optional.empty());
        }
        return context.clock().instant().isBefore(talk.lastAt.plus(MEMORY))
                ? last.get()
                : new Report(
                        BackendPhase.ENGINE,
                        "its agent has not answered since " + talk.lastAt,
                        last.get().control());
    }

    private ReplicaChannel channel(Vm vm, DeploymentTrust trust) {
        return new ReplicaChannel(
                trust,
                replica(vm.name()),
                new InetSocketAddress(vm.host(), vm.port()),
                () -> environment(vm).orElseThrow(() -> new NoEnvironmentException(vm)),
                times);
    }

    /** What is kept here, or else what is in the machine's parameter and is kept in memory alone. */
    private Optional<DeploymentTrust> trusted(Vm vm) {
        String name = trustName(vm.owner(), vm.name());
        SecretRef authority = DeploymentTrust.authority(name);
        if (context.secrets().get(authority).isPresent()) {
            return Optional.of(trust(vm.owner(), vm.name()));
        }
        return new RouterAccess.Parameters(clients, vm.region())
                .get(vm.parameter())
                .map(access -> new DeploymentTrust(new Borrowed(authority, access.authority()), name, context.clock()));
    }

    /**
     * A host that is not where the machine was launched from is let in too, if hosts are let in by their addresses. Others stay
     * let in: there may be several.
     */
    private void letIn(Instance instance, Vm vm, Talk talk) {
        talk.letInAt = context.clock().instant();
        if (!Instances.tag(instance, Names.INGRESS)
                .filter(AwsOptions.INGRESS_HOST::equals)
                .isPresent()) {
            return;
        }
        try {
            IpPermission permission = IpPermission.builder()
                    .ipProtocol("tcp")
                    .fromPort(vm.port())
                    .toPort(vm.port())
                    .ipRanges(IpRange.builder()
                            .cidrIp(host.get())
                            .description("a host of Tuna")
                            .build())
                    .build();
            for (GroupIdentifier group : instance.securityGroups()) {
                new AwsCalls(vm.region())
                        .unless(
                                AwsFault.EXISTS,
                                "open security group",
                                "ec2:AuthorizeSecurityGroupIngress",
                                () -> clients.ec2(vm.region())
                                        .authorizeSecurityGroupIngress(request ->
                                                request.groupId(group.groupId()).ipPermissions(permission)));
            }
        } catch (TunaException e) {
            LOG.debug("router VM {} is not opened for this host: {}", vm.name(), e.getMessage()); // it may be open
        }
    }

    private Report report(Vm vm, Talk talk, ReplicaReport said) {
        Secret control = control(vm, talk);
        BackendPhase phase = switch (said.phase()) {
            case BOOTED, IMAGE, WEIGHTS -> BackendPhase.BOOTING;
            case ENGINE -> BackendPhase.ENGINE;
            case READY -> BackendPhase.READY;
            case FAILED -> BackendPhase.FAILED;
        };
        boolean answers = phase == BackendPhase.ENGINE || phase == BackendPhase.READY;
        return new Report(
                phase,
                said.detail(),
                answers
                        ? Optional.of(talk.channel.backend().withCredential(Credential.bearer(control)))
                        : Optional.empty());
    }

    /** From the first answer on the machine can be talked to from elsewhere too. */
    private Secret control(Vm vm, Talk talk) {
        Optional<Secret> known = talk.control;
        if (known.isPresent()) {
            return known.get();
        }
        RouterAccess access = access(vm);
        talk.control = Optional.of(access.control());
        return access.control();
    }

    private RouterAccess access(Vm vm) {
        var parameters = new RouterAccess.Parameters(clients, vm.region());
        Optional<RouterAccess> there = parameters.get(vm.parameter());
        Optional<Secret> authority = context.secrets().get(DeploymentTrust.authority(trustName(vm.owner(), vm.name())));
        Optional<Secret> control =
                environment(vm).flatMap(variables -> Optional.ofNullable(variables.get(CONTROL_TOKEN)));
        if (authority.isEmpty() || control.isEmpty()) {
            return there.orElseThrow(() -> new NoEnvironmentException(vm));
        }
        var access = new RouterAccess(authority.get(), control.get());
        if (!there.equals(Optional.of(access))) {
            context.journal()
                    .intend(
                            RouterCloud.journal(vm.name()),
                            Names.ref(Names.PARAMETER, vm.region(), vm.parameter()),
                            "{}");
            parameters.put(vm.parameter(), access);
        }
        return access;
    }

    /** Empty if it has been handed over, or is none of this installation's. */
    private Optional<Map<String, Secret>> environment(Vm vm) {
        return vm.owner().equals(context.ownerId())
                ? context.secrets().get(RouterCloud.environment(vm.name())).map(kept -> variables(vm, kept))
                : Optional.empty();
    }

    private static Map<String, Secret> variables(Vm vm, Secret kept) {
        try {
            JsonNode read = SdkJson.JSON.readTree(kept.reveal());
            Map<String, Secret> variables = new HashMap<>();
            read.properties()
                    .forEach(variable -> variables.put(
                            variable.getKey(), Secret.of(variable.getValue().asText())));
            return variables;
        } catch (JsonProcessingException e) {
            // Without the cause, which may quote the value.
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "secret '" + RouterCloud.environment(vm.name()).name() + "' is no JSON object");
        }
    }

    /** Forgets what was kept for a machine that is gone. */
    void forget(String owner, String name) {
        DeploymentTrust trust = trust(owner, name);
        trust.forget(replica(name));
        trust.remove();
        if (owner.equals(context.ownerId())) {
            context.secrets().remove(RouterCloud.environment(name));
        }
    }

    /** Hangs up on an instance that is gone. */
    void hangUp(String instanceId) {
        Talk talk = talks.remove(instanceId);
        if (talk != null) {
            talk.channel.close();
        }
    }

    @Override
    public void close() {
        talks.keySet().forEach(this::hangUp);
    }

    /** An authority that somebody else keeps. */
    private static final class Borrowed implements SecretStore {
        private final SecretRef name;
        private final Secret authority;

        private Borrowed(SecretRef name, Secret authority) {
            this.name = name;
            this.authority = authority;
        }

        @Override
        public Optional<Secret> get(SecretRef ref) {
            return ref.equals(name) ? Optional.of(authority) : Optional.empty();
        }

        @Override
        public void put(SecretRef ref, Secret secret) {
            throw new IllegalStateException("nothing is made for a machine of somebody else's");
        }

        @Override
        public void remove(SecretRef ref) {
            // nothing is kept
        }
    }

    /** What a machine waits for is not here. */
    private static final class NoEnvironmentException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private NoEnvironmentException(Vm vm) {
            super(
                    "it waits for its environment, which is not in the secret store as '"
                            + RouterCloud.environment(vm.name()).name()
                            + "'; whoever launched it must bring it, or destroy it",
                    null,
                    false,
                    false);
        }
    }
}
