package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * A real endpoint on RunPod: the smallest model, one streamed answer, gone again. It costs money, so it runs only when asked
 * for, with a key and a cap; see docs/providers/runpod.md for the command.
 */
@Tag("full")
@EnabledIfEnvironmentVariable(named = "RUNPOD_API_KEY", matches = ".+")
@EnabledIfSystemProperty(named = "tuna.live.maxUsd", matches = "\\d+(\\.\\d+)?")
class RunPodLiveTest {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final Duration PATIENCE = Duration.ofMinutes(20);
    private static final Duration POLL = Duration.ofSeconds(10);
    private static final Duration REQUEST = Duration.ofSeconds(150);

    private final BigDecimal maxUsd = new BigDecimal(System.getProperty("tuna.live.maxUsd", "0"));
    private final ContractContext context = ContractContext.create();
    private final Instant start = Instant.now();
    private BigDecimal usd = BigDecimal.ZERO;
    private Instant counted = start;

    @Test
    @DisplayName("the smallest model answers one streamed request and is gone afterwards, within the cap")
    void oneStreamedAnswer() throws Exception {
        try (RunPodCloud cloud = new RunPodCloud(context, System::getenv)) {
            PreflightReport report = cloud.preflight(spec(), false);
            assertThat(report.passed()).as("%s", report).isTrue();
            ServerlessPlan plan = cloud.plan(spec());
            ResourceRef resource = plan.resource();
            try {
                cloud.begin(plan);
                String answer = answer(cloud, resource);
                assertThat(answer).contains("data: ", "[DONE]");
                assertThat(cloud.logs(resource, 5)).as("lines of its log").isNotEmpty();
            } finally {
                destroy(cloud, resource);
            }
            assertThat(cloud.find())
                    .as("what is left")
                    .noneMatch(found -> found.ownerId().equals(context.ownerId()));
        }
    }

    private static ServerlessSpec spec() {
        EngineSpec engine = new EngineSpec(
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
                Optional.empty(),
                Map.of());
        ScalingPolicy.Serverless one = ScalingPolicy.Serverless.builder()
                .workersMin(0)
                .workersMax(1)
                .scaledownWindow(Duration.ofSeconds(30))
                .build();
        return new ServerlessSpec(
                "tuna-live", engine, one, Optional.empty(), false, Map.of("gpu_pools", "AMPERE_24,ADA_24"));
    }

    /** The first request wakes it, and RunPod refuses requests until it is awake. */
    private String answer(RunPodCloud cloud, ResourceRef resource) throws Exception {
        String last = "";
        while (Duration.between(start, Instant.now()).compareTo(PATIENCE) < 0) {
            ServerlessObservation now = cloud.observe(resource);
            checkCap(now);
            assertThat(now.phase()).as(now.detail()).isNotEqualTo(BackendPhase.FAILED);
            Optional<BackendAddress> address = now.address();
            if (address.isPresent()) {
                HttpResponse<String> response = chat(address.get());
                if (response.statusCode() == 200) {
                    return response.body();
                }
                last = response.statusCode() + " " + response.body();
            }
            TimeUnit.SECONDS.sleep(POLL.toSeconds());
        }
        throw new AssertionError("no answer within " + PATIENCE + "; the last one was " + last);
    }

    private HttpResponse<String> chat(BackendAddress address) throws IOException, InterruptedException {
        Credential credential = address.credential().orElseThrow();
        HttpRequest request = HttpRequest.newBuilder(URI.create(address.url() + "/v1/chat/completions"))
                .timeout(REQUEST)
                .header(credential.header(), credential.value().reveal())
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"model\":\"" + MODEL + "\",\"stream\":true,\"max_tokens\":8,"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"Say hello.\"}]}"))
                .build();
        return context.http().send(request, BodyHandlers.ofString());
    }

    /** What has been spent, reckoned up to now; the endpoint goes as soon as it is too much. */
    private void checkCap(ServerlessObservation now) {
        Instant at = Instant.now();
        BigDecimal seconds = BigDecimal.valueOf(Duration.between(counted, at).toSeconds());
        BigDecimal workers = BigDecimal.valueOf(now.containers().orElse(1));
        BigDecimal perSecond = now.usdPerHour().orElse(BigDecimal.TEN).movePointLeft(3);
        usd = usd.add(perSecond.multiply(workers).multiply(seconds)); // a thousandth instead of 1/3600: too much
        counted = at;
        assertThat(usd).as("dollars spent, reckoned upwards").isLessThan(maxUsd);
    }

    private static void destroy(RunPodCloud cloud, ResourceRef resource) throws InterruptedException {
        for (int look = 0; look < 30; look++) {
            cloud.destroy(resource);
            if (cloud.observe(resource).phase() == BackendPhase.GONE) {
                return;
            }
            TimeUnit.SECONDS.sleep(2);
        }
        throw new AssertionError(resource + " is still there: delete it at https://console.runpod.io/serverless");
    }
}
