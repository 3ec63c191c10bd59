package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** The smallest model on a real account: deployed, asked once, destroyed. Costs money; off unless a project is named. */
@Tag("full")
@EnabledIfEnvironmentVariable(named = "TUNA_LIVE_CLOUDRUN_PROJECT", matches = ".+")
class LiveSmokeTest {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final Duration LONGEST = Duration.ofMinutes(40);
    private static final BigDecimal MOST_USD = BigDecimal.ONE;

    private static Optional<String> variable(String name) {
        return Optional.ofNullable(System.getenv(name)).filter(value -> !value.isBlank());
    }

    private static ServerlessSpec spec() {
        Map<String, String> options = new HashMap<>();
        variable("TUNA_LIVE_CLOUDRUN_INVOKER").ifPresent(email -> options.put("invoker_service_account", email));
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
        return new ServerlessSpec(
                "tuna-smoke",
                engine,
                ScalingPolicy.Serverless.builder().workersMax(1).build(),
                variable("TUNA_LIVE_CLOUDRUN_REGION"),
                false,
                options);
    }

    @Test
    void deploysAnswersAndLeavesNothing() throws Exception {
        ContractContext context = ContractContext.create()
                .withSetting("project", variable("TUNA_LIVE_CLOUDRUN_PROJECT").orElseThrow());
        try (ServerlessCloud cloud = new CloudRunProvider().open(context)) {
            ServerlessSpec spec = spec();
            assertThat(cloud.preflight(spec, false).checks())
                    .noneMatch(check -> check.outcome() == PreflightReport.Outcome.FAILED);
            var plan = cloud.plan(spec);
            BigDecimal price = Prices.BUILT_IN
                    .usdPerHour(GpuType.of("L4").orElseThrow(), "us-central1")
                    .orElseThrow();
            assertThat(price.multiply(BigDecimal.valueOf(LONGEST.toMinutes())))
                    .as("what it can cost")
                    .isLessThanOrEqualTo(MOST_USD.multiply(BigDecimal.valueOf(60)));
            ResourceRef resource = plan.resource();
            try {
                cloud.begin(plan);
                ServerlessObservation ready = await(cloud, resource, BackendPhase.READY);
                assertThat(stream(ready.address().orElseThrow())).contains("data: [DONE]");
            } finally {
                cloud.destroy(resource);
                await(cloud, resource, BackendPhase.GONE);
            }
        }
    }

    private static ServerlessObservation await(ServerlessCloud cloud, ResourceRef resource, BackendPhase phase)
            throws InterruptedException {
        Instant deadline = Instant.now().plus(LONGEST);
        ServerlessObservation seen = cloud.observe(resource);
        while (seen.phase() != phase) {
            assertThat(seen.phase()).as("%s", seen.detail()).isNotEqualTo(BackendPhase.FAILED);
            assertThat(Instant.now()).as("still %s", seen.phase()).isBefore(deadline);
            TimeUnit.SECONDS.sleep(10);
            seen = cloud.observe(resource);
        }
        return seen;
    }

    /** A new invoker is let in after a minute or so. */
    private static String stream(BackendAddress address) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address.url() + "/v1/chat/completions"))
                .timeout(Duration.ofMinutes(10))
                .header("Content-Type", "application/json")
                .header(
                        address.credential().orElseThrow().header(),
                        address.credential().orElseThrow().value().reveal())
                .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"" + MODEL
                        + "\",\"stream\":true,\"max_tokens\":8,"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                .build();
        HttpClient client = HttpClient.newHttpClient();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        for (int attempt = 0; attempt < 30 && answer.statusCode() == 403; attempt++) {
            TimeUnit.SECONDS.sleep(10);
            answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        }
        assertThat(answer.statusCode()).as("%s", answer.body()).isEqualTo(200);
        return answer.body();
    }
}
