package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/**
 * One model from nothing to nothing: checked, deployed, asked for one stream, destroyed. It is destroyed, too, when it has been
 * there for as long as the money lasts.
 *
 * @param cloud where
 * @param most dollars that it may cost
 * @param pause between two looks
 */
record Smoke(ServerlessCloud cloud, BigDecimal most, Duration pause) {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final Duration LONGEST = Duration.ofMinutes(45);

    /** Returns what was streamed. */
    String run() throws Exception {
        Specs specs = Specs.of("tuna-smoke").model(MODEL).scaling(scaling -> scaling.workersMax(1));
        var report = cloud.preflight(specs.spec(), false);
        assertThat(report.passed()).as("%s", report.checks()).isTrue();
        Instant deadline = Instant.now().plus(affordable());
        ResourceRef resource = cloud.plan(specs.spec()).resource();
        try {
            cloud.begin(cloud.plan(specs.spec()));
            return stream(
                    await(resource, BackendPhase.READY, deadline).address().orElseThrow());
        } finally {
            cloud.destroy(resource);
            await(resource, BackendPhase.GONE, Instant.now().plus(LONGEST));
        }
    }

    private Duration affordable() {
        BigDecimal perHour = cloud.offers(GpuQuery.gpu("L4")).stream()
                .filter(offer -> offer.gpuCount() == 1)
                .findFirst()
                .flatMap(GpuOffer::usdPerHour)
                .orElseThrow(() -> new AssertionError("the price is not known, so the cap cannot be kept"));
        long minutes = most.multiply(BigDecimal.valueOf(60))
                .divide(perHour, 0, RoundingMode.DOWN)
                .longValueExact();
        assertThat(minutes)
                .as("minutes that %s $ pay for at %s $/h", most, perHour)
                .isPositive();
        return minutes < LONGEST.toMinutes() ? Duration.ofMinutes(minutes) : LONGEST;
    }

    private ServerlessObservation await(ResourceRef resource, BackendPhase phase, Instant deadline)
            throws InterruptedException {
        ServerlessObservation seen = cloud.observe(resource);
        while (seen.phase() != phase) {
            assertThat(seen.phase()).as("%s", seen.detail()).isNotEqualTo(BackendPhase.FAILED);
            assertThat(Instant.now())
                    .as("still %s: %s", seen.phase(), seen.detail())
                    .isBefore(deadline);
            TimeUnit.NANOSECONDS.sleep(pause.toNanos());
            seen = cloud.observe(resource);
        }
        return seen;
    }

    private static String stream(BackendAddress address) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address.url() + "/v1/chat/completions"))
                .timeout(Duration.ofMinutes(10))
                .header("Content-Type", "application/json")
                .header(
                        address.credential().orElseThrow().header(),
                        address.credential().orElseThrow().value().reveal())
                .POST(BodyPublishers.ofString("{\"model\":\"" + MODEL + "\",\"stream\":true,\"max_tokens\":8,"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                .build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        assertThat(answer.statusCode()).as("%s", answer.body()).isEqualTo(200);
        assertThat(answer.body()).contains("data: [DONE]");
        return answer.body();
    }
}
