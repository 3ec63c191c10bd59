package dev.tuna.spot.aws.channel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the relay costs: prints figures, and judges none. */
@Tag("full")
class RelayMeasureTest {

    private static final int STREAMS = 32;
    private static final int TOKENS = 500;
    private static final int ROUNDS = 7;

    /** Of {@code /proc/PID/stat} on every Linux. */
    private static final double TICKS_PER_SECOND = 100;

    @Test
    void streamsDirectAndThroughTheChannel(@TempDir Path root) throws Exception {
        try (Rig rig = new Rig(root, Optional.empty(), "--standin-capacity", "256")) {
            rig.ready();
            HttpClient direct =
                    HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            HttpClient secure = secure(rig);
            long agent = agent(rig);
            round(direct, rig.machine.engine());
            round(secure, rig.channel.backend().url());
            List<Double> ratios = new ArrayList<>();
            double cpu = 0;
            for (int i = 0; i < ROUNDS; i++) {
                double alone = round(direct, rig.machine.engine());
                double before = cpuSeconds(agent);
                double through = round(secure, rig.channel.backend().url());
                cpu += cpuSeconds(agent) - before;
                ratios.add(through / alone);
                System.out.printf(Locale.ROOT, "events/s: direct %.0f, through the channel %.0f%n", alone, through);
            }
            Collections.sort(ratios);
            System.out.printf(
                    Locale.ROOT,
                    "relay, %d streams as fast as they go: %.2f of direct (median of %d); agent %.1f us of CPU an event%n",
                    STREAMS,
                    ratios.get(ROUNDS / 2),
                    ROUNDS,
                    cpu * 1e6 / ROUNDS / STREAMS / TOKENS);
        }
    }

    @Test
    void streamsAtThePaceOfAnEngine(@TempDir Path root) throws Exception {
        try (Rig rig =
                new Rig(root, Optional.empty(), "--standin-capacity", "256", "--standin-tokens-per-second", "50")) {
            rig.ready();
            HttpClient secure = secure(rig);
            double before = cpuSeconds(agent(rig));
            double events = round(secure, rig.channel.backend().url());
            double used = cpuSeconds(agent(rig)) - before;
            System.out.printf(
                    Locale.ROOT,
                    "relay, %d streams of 50 events/s (%.0f events/s in all): agent %.0f us of CPU an event%n",
                    STREAMS,
                    events,
                    used * 1e6 / STREAMS / TOKENS);
        }
    }

    private static HttpClient secure(Rig rig) {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(rig.trust.router(Rig.REPLICA).sslContext())
                .build();
    }

    private static long agent(Rig rig) {
        return Long.parseLong(rig.machine.text("run/tuna/agent.pid").strip());
    }

    /** Events a second over all streams. */
    private static double round(HttpClient client, URI base) throws Exception {
        String body = "{\"model\":\"" + Rig.MODEL + "\",\"stream\":true,\"max_tokens\":" + TOKENS + ",\"min_tokens\":"
                + TOKENS + ",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + "/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + Rig.ENGINE_KEY.reveal())
                .POST(BodyPublishers.ofString(body))
                .build();
        long start = System.nanoTime();
        List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
        for (int i = 0; i < STREAMS; i++) {
            all.add(client.sendAsync(request, BodyHandlers.ofString()));
        }
        for (CompletableFuture<HttpResponse<String>> each : all) {
            assertThat(each.get(120, TimeUnit.SECONDS).body()).endsWith("data: [DONE]\n\n");
        }
        return STREAMS * TOKENS * 1e9 / (System.nanoTime() - start);
    }

    private static double cpuSeconds(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
    }
}
