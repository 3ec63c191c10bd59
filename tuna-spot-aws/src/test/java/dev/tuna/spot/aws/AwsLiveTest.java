package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.Tier;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.contract.ContractContext;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** One small machine on a real account: launched, asked once, removed with everything. Costs money; off unless asked for. */
@Tag("full")
@EnabledIfEnvironmentVariable(named = "TUNA_LIVE_AWS", matches = "yes")
class AwsLiveTest {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final Duration LONGEST = Duration.ofMinutes(40);
    private static final BigDecimal MOST_USD = BigDecimal.valueOf(2);

    private static ReplicaSpec spec() {
        var engine = new EngineSpec(
                MODEL,
                MODEL,
                "L4",
                Optional.of("8.9"),
                1,
                1,
                2048,
                Optional.empty(),
                true,
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.of(ContractContext.ENGINE_KEY),
                Map.of());
        String region =
                Optional.ofNullable(System.getenv("TUNA_LIVE_AWS_REGION")).orElse("us-east-1");
        return new ReplicaSpec("tuna-smoke", engine, List.of(region), Duration.ofMinutes(15), Map.of());
    }

    @Test
    void launchesAnswersAndLeavesNothing() throws Exception {
        ContractContext context = ContractContext.create();
        try (SpotCloud cloud = new AwsProvider().open(context)) {
            ReplicaSpec spec = spec();
            assertThat(cloud.preflight(spec, false).checks())
                    .noneMatch(check -> check.outcome() == PreflightReport.Outcome.FAILED);
            List<PoolOffer> offers = cloud.pools(spec).stream()
                    .filter(offer -> offer.pool().tier() == Tier.SPOT)
                    .toList();
            assertThat(offers)
                    .isNotEmpty()
                    .allSatisfy(offer -> assertThat(offer.usdPerHour())
                            .hasValueSatisfying(usd -> assertThat(usd.multiply(BigDecimal.valueOf(LONGEST.toMinutes())))
                                    .as("what it can cost")
                                    .isLessThanOrEqualTo(MOST_USD.multiply(BigDecimal.valueOf(60)))));
            LaunchPlan plan =
                    cloud.plan(spec, offers.stream().map(PoolOffer::pool).toList(), "tuna-smoke-" + context.ownerId());
            try {
                ResourceRef replica = cloud.launch(plan);
                try {
                    ReplicaObservation ready = await(cloud, replica, BackendPhase.READY);
                    assertThat(stream(ready.address().orElseThrow())).contains("data: [DONE]");
                } finally {
                    cloud.terminate(replica);
                    await(cloud, replica, BackendPhase.GONE);
                }
            } finally {
                Instant deadline = Instant.now().plus(Duration.ofMinutes(10));
                while (!context.journal().open(spec.deployment()).isEmpty()) {
                    cloud.cleanUp(spec.deployment());
                    assertThat(Instant.now()).isBefore(deadline);
                    TimeUnit.SECONDS.sleep(5);
                }
            }
            assertThat(cloud.find()).noneMatch(found -> found.ownerId().equals(context.ownerId()));
        }
    }

    private static ReplicaObservation await(SpotCloud cloud, ResourceRef replica, BackendPhase phase)
            throws InterruptedException {
        Instant deadline = Instant.now().plus(LONGEST);
        while (true) {
            ReplicaObservation seen = Optional.ofNullable(
                            cloud.observe(List.of(replica)).get(replica))
                    .orElseThrow();
            if (seen.phase() == phase) {
                return seen;
            }
            assertThat(seen.phase() == BackendPhase.FAILED && phase == BackendPhase.READY)
                    .as("%s", seen.detail())
                    .isFalse();
            assertThat(Instant.now())
                    .as("still %s: %s", seen.phase(), seen.detail())
                    .isBefore(deadline);
            TimeUnit.SECONDS.sleep(10);
        }
    }

    private static String stream(BackendAddress address) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address.url() + "/v1/chat/completions"))
                .timeout(Duration.ofMinutes(5))
                .header("Content-Type", "application/json")
                .header(
                        address.credential().orElseThrow().header(),
                        address.credential().orElseThrow().value().reveal())
                .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"" + MODEL
                        + "\",\"stream\":true,\"max_tokens\":8,"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                .build();
        HttpClient client = HttpClient.newBuilder()
                .sslContext(address.tls().orElseThrow().sslContext())
                .build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as("%s", answer.body()).isEqualTo(200);
        return answer.body();
    }
}
