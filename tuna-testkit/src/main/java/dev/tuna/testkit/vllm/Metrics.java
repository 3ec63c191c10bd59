package dev.tuna.testkit.vllm;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The counters and gauges of {@code /metrics}, in Prometheus text. Written by the event loop, readable anywhere. */
final class Metrics {

    private final Map<String, Long> finished = new TreeMap<>();
    private final LatencyHistogram firstToken = new LatencyHistogram();
    private final LatencyHistogram endToEnd = new LatencyHistogram();
    private volatile long promptTokens;
    private volatile long generationTokens;

    Metrics() {
        for (String reason : new String[] {"stop", "length", "abort", "error"}) {
            finished.put(reason, 0L);
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer, the event loop
    void prompted(int tokens) {
        promptTokens += tokens;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer, the event loop
    void generated(Delta delta) {
        generationTokens += delta.ids().length;
        delta.finishReason().ifPresent(reason -> finished.merge(reason, 1L, Long::sum));
    }

    void firstToken(long nanos) {
        firstToken.add(nanos);
    }

    void ended(long nanos) {
        endToEnd.add(nanos);
    }

    long promptTokens() {
        return promptTokens;
    }

    long generationTokens() {
        return generationTokens;
    }

    String text(StandInConfig config, Engine engine) {
        String labels = "engine=\"0\",model_name=\"" + config.servedName() + "\"";
        double cache = (double) engine.contextTokens() / ((double) engine.capacity() * config.maxModelLen());
        StringBuilder text = new StringBuilder(4096);
        one(text, "gauge", "vllm:num_requests_running", labels, engine.running());
        one(text, "gauge", "vllm:num_requests_waiting", labels, engine.waiting());
        head(text, "gauge", "vllm:num_requests_waiting_by_reason");
        line(text, "vllm:num_requests_waiting_by_reason", labels + ",reason=\"capacity\"", engine.waiting());
        line(text, "vllm:num_requests_waiting_by_reason", labels + ",reason=\"deferred\"", 0);
        one(text, "gauge", "vllm:kv_cache_usage_perc", labels, Math.min(1, cache));
        one(text, "counter", "vllm:num_preemptions_total", labels, 0);
        one(text, "counter", "vllm:prefix_cache_queries_total", labels, (double) promptTokens);
        one(text, "counter", "vllm:prefix_cache_hits_total", labels, 0);
        one(text, "counter", "vllm:prompt_tokens_total", labels, (double) promptTokens);
        one(text, "counter", "vllm:generation_tokens_total", labels, (double) generationTokens);
        head(text, "counter", "vllm:request_success_total");
        finished.forEach((reason, count) ->
                line(text, "vllm:request_success_total", labels + ",finished_reason=\"" + reason + "\"", count));
        head(text, "histogram", "vllm:time_to_first_token_seconds");
        firstToken.write(text, "vllm:time_to_first_token_seconds", labels);
        head(text, "histogram", "vllm:e2e_request_latency_seconds");
        endToEnd.write(text, "vllm:e2e_request_latency_seconds", labels);
        return text.toString();
    }

    private static void one(StringBuilder text, String type, String name, String labels, double value) {
        head(text, type, name);
        line(text, name, labels, value);
    }

    private static void head(StringBuilder text, String type, String name) {
        String family = type.equals("counter") ? name.replaceFirst("_total$", "") : name;
        text.append("# TYPE ").append(family).append(' ').append(type).append('\n');
    }

    static void line(StringBuilder text, String name, String labels, double value) {
        text.append(name).append('{').append(labels).append("} ");
        text.append(value == Math.rint(value) ? String.format(Locale.ROOT, "%.1f", value) : Double.toString(value));
        text.append('\n');
    }
}
