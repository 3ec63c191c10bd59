package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.ContractContext;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * One streamed request on a real account: the smallest model on the cheapest GPU, removed afterwards. Costs some cents; how
 * long it may take, and with that what it may cost, is limited by {@code TUNA_SMOKE_MAX_USD}.
 *
 * <p>Needs {@code modal} on the path with a token, and {@code TUNA_SMOKE_MODAL=1}.
 */
@Tag("full")
@EnabledIfEnvironmentVariable(named = "TUNA_SMOKE_MODAL", matches = "1")
class ModalSmokeTest {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final String GPU = "T4";

    private final HttpClient http =
            HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build();

    @Test
    void servesOneStreamOnARealAccount() throws Exception {
        ContractContext context = ContractContext.create();
        ServerlessSpec spec = spec();
        try (ServerlessCloud cloud = new ModalProvider().open(context)) {
            assertThat(cloud.preflight(spec, false).passed())
                    .as("%s", cloud.preflight(spec, false))
                    .isTrue();
            ResourceRef resource = cloud.begin(cloud.plan(spec));
            try {
                // The image is built without a GPU; only what comes after costs.
                await(Duration.ofMinutes(30), () -> {
                    ServerlessObservation now = cloud.observe(resource);
                    assertThat(now.phase()).as(now.detail()).isLessThanOrEqualTo(BackendPhase.READY);
                    return now.phase() == BackendPhase.READY;
                });
                BackendAddress address = cloud.observe(resource).address().orElseThrow();
                assertThat(stream(address, affordable())).contains("data: ").contains("[DONE]");
                assertThat(cloud.logs(resource, 50)).isNotEmpty();
            } finally {
                cloud.destroy(resource);
                await(Duration.ofMinutes(5), () -> cloud.observe(resource).phase() == BackendPhase.GONE);
            }
            assertThat(cloud.find()).noneMatch(found -> found.ownerId().equals(context.ownerId()));
        } finally {
            deleteProxyToken(context);
        }
    }

    /** Made for this test alone. */
    private static void deleteProxyToken(ContractContext context) throws Exception {
        Optional<Secret> token = context.secrets().get(new SecretRef("modal/proxy-token"));
        if (token.isPresent()) {
            new ProcessBuilder("modal", "workspace", "proxy-tokens", "delete", ProxyToken.id(token.get()), "--yes")
                    .inheritIO()
                    .start()
                    .waitFor();
        }
    }

    /** How long one container may run for the money. */
    private static Duration affordable() {
        BigDecimal cap = new BigDecimal(System.getenv().getOrDefault("TUNA_SMOKE_MAX_USD", "0.50"));
        BigDecimal hourly = GpuTable.BUILT_IN.usdPerHour(GPU, 1, Place.ANY).orElseThrow();
        long seconds = cap.multiply(BigDecimal.valueOf(3600))
                .divide(hourly, RoundingMode.DOWN)
                .longValue();
        return Duration.ofSeconds(Math.min(seconds, 1800));
    }

    private String stream(BackendAddress address, Duration limit) throws Exception {
        String question = "{\"model\":\"smoke\",\"stream\":true,\"max_tokens\":16,"
                + "\"messages\":[{\"role\":\"user\",\"content\":\"Say hello.\"}]}";
        long deadline = System.nanoTime() + limit.toNanos();
        HttpResponse<String> answer = http.send(
                request(address, URI.create(address.url() + "/v1/chat/completions"))
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(question))
                        .build(),
                BodyHandlers.ofString());
        while ((answer.statusCode() == 303 || answer.statusCode() == 408) && System.nanoTime() - deadline < 0) {
            URI asked = answer.request().uri();
            URI place =
                    answer.headers().firstValue("Location").map(asked::resolve).orElse(asked);
            answer = http.send(request(address, place).GET().build(), BodyHandlers.ofString());
        }
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return answer.body();
    }

    private static HttpRequest.Builder request(BackendAddress address, URI place) {
        HttpRequest.Builder request = HttpRequest.newBuilder(place).timeout(Duration.ofMinutes(5));
        address.credential()
                .ifPresent(credential ->
                        request.header(credential.header(), credential.value().reveal()));
        return request;
    }

    private static void await(Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - deadline).as("time over").isNegative();
            LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(5));
        }
    }

    private static ServerlessSpec spec() {
        return new ServerlessSpec(
                "smoke",
                new EngineSpec(
                        MODEL,
                        "smoke",
                        GPU,
                        Optional.of("7.5"),
                        1,
                        1,
                        2048,
                        Optional.empty(),
                        true,
                        Optional.empty(),
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        Map.of()),
                ScalingPolicy.Serverless.builder()
                        .workersMax(1)
                        .scaledownWindow(Duration.ofSeconds(2))
                        .build(),
                Optional.empty(),
                false,
                Map.of());
    }
}
