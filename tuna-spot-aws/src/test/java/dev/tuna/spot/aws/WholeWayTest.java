package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Tier;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.aws.SandboxInstances;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.machine.MachineSandbox;
import dev.tuna.testkit.secret.SecretSearch;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The provider as users have it, with the real boot script and agent on machines of the stand-in: boots, is enrolled, gets its
 * keys, serves, gives notice, is gone, and nothing is left (parity T-03, T-07, E-16).
 */
class WholeWayTest {

    private static final CapacityPool POOL = new CapacityPool("aws", "us-east-1", "us-east-1a", "g6.xlarge", Tier.SPOT);
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private ReplicaObservation await(
            SpotCloud cloud, ResourceRef replica, Set<BackendPhase> seen, Predicate<ReplicaObservation> fits) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            ReplicaObservation now = Optional.ofNullable(
                            cloud.observe(List.of(replica)).get(replica))
                    .orElseThrow();
            seen.add(now.phase());
            if (fits.test(now)) {
                return now;
            }
            assertThat(System.nanoTime()).as("still %s", now).isLessThan(end);
            LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
        }
    }

    @Test
    void fromLaunchToNothingLeft(@TempDir Path directory) throws Exception {
        MachineSandbox.missing().ifPresent(missing -> System.err.println("skipped: " + missing));
        assumeTrue(
                MachineSandbox.missing().isEmpty(),
                () -> MachineSandbox.missing().orElse(""));
        try (Aws aws = Aws.start(config -> config.runner(new SandboxInstances(directory, 8443)))) {
            ContractContext context = aws.context();
            ResourceRef replica;
            BackendAddress address;
            try (SpotCloud cloud = new AwsProvider().open(context)) {
                LaunchPlan plan = cloud.plan(Specs.of("chat"), List.of(POOL), "chat-r1");
                replica = cloud.launch(plan);
                Set<BackendPhase> phases = EnumSet.noneOf(BackendPhase.class);
                ReplicaObservation ready = await(cloud, replica, phases, seen -> seen.phase() == BackendPhase.READY);
                assertThat(phases).doesNotContain(BackendPhase.FAILED, BackendPhase.GONE);
                address = ready.address().orElseThrow();
                assertThat(address.url().getScheme()).isEqualTo("https");
                assertThat(chat(address, true)).isEqualTo(200);
                assertThat(chat(address, false)).isEqualTo(401);
                assertThat(leaks(context, aws, plan, ready)).isEmpty();
            }
            // A restart finds it as it was, and needs no second enrolment.
            try (SpotCloud cloud = new AwsProvider().open(context)) {
                Set<BackendPhase> phases = EnumSet.noneOf(BackendPhase.class);
                ReplicaObservation again = await(cloud, replica, phases, seen -> seen.phase() == BackendPhase.READY);
                assertThat(again.address().orElseThrow().url()).isEqualTo(address.url());
                ReplicaObservation told =
                        await(cloud, replica, phases, seen -> seen.gpu().isPresent());
                assertThat(told.rebalanceAt()).isEmpty();
                aws.cloud().rebalance(Names.id(replica));
                ReplicaObservation advised =
                        await(cloud, replica, phases, seen -> seen.rebalanceAt().isPresent());
                assertThat(advised.phase()).isEqualTo(BackendPhase.READY);
                assertThat(advised.interruptionAt()).isEmpty();
                aws.cloud().interrupt(Names.id(replica), Duration.ofSeconds(30));
                await(cloud, replica, phases, seen -> seen.interruptionAt().isPresent());
                assertThat(phases).doesNotContain(BackendPhase.GONE);
                aws.cloud().reclaim(Names.id(replica));
                ReplicaObservation gone = await(cloud, replica, phases, seen -> seen.phase() == BackendPhase.GONE);
                assertThat(gone.detail()).contains("Server.SpotInstanceTermination");
                assertThat(gone.endedAt()).isPresent();
                cloud.cleanUp("chat");
                cloud.cleanUp("chat");
                assertThat(aws.cloud().things()).isEmpty();
                assertThat(context.journal().open("chat")).isEmpty();
                assertThat(context.secrets().refs())
                        .as("secrets of the deployment are gone with it")
                        .allMatch(ref ->
                                ref.name().startsWith("contract/") || ref.name().startsWith("aws/"));
            }
        }
    }

    private static int chat(BackendAddress address, boolean withKey) throws Exception {
        HttpClient client = HttpClient.newBuilder()
                .sslContext(address.tls().orElseThrow().sslContext())
                .build();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address.url() + "/v1/chat/completions"))
                .timeout(Duration.ofSeconds(60))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"model\":\"tiny\",\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"));
        if (withKey) {
            address.credential()
                    .ifPresent(key -> request.header(key.header(), key.value().reveal()));
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString())
                .statusCode();
    }

    /** Lasting secrets are nowhere but in the store: not in plans, requests to AWS, tags, user data or the journal. */
    private static List<String> leaks(ContractContext context, Aws aws, LaunchPlan plan, ReplicaObservation seen) {
        SecretSearch search = new SecretSearch();
        context.secrets().get(ContractContext.ENGINE_KEY).ifPresent(key -> search.add("engine key", key.reveal()));
        context.secrets().get(ContractContext.MODEL_TOKEN).ifPresent(key -> search.add("model token", key.reveal()));
        search.add("AWS key", aws.cloud().secretKey().reveal());
        search.text("plan", plan.toString());
        search.text("observation", seen.toString());
        context.journal().intents().forEach(intent -> search.text("journal", intent.toString()));
        aws.cloud()
                .exchanges()
                .forEach(exchange -> search.text("call", exchange.request().body()));
        aws.cloud().instances().forEach(machine -> search.text("machine", machine.tags() + machine.userData()));
        return search.hits();
    }
}
