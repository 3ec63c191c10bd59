package dev.tuna.router.select;

import java.util.Optional;

/**
 * How busy a model server says it is. Immutable.
 *
 * @param waiting requests that it has not begun
 * @param cacheUsage share of its KV cache in use, 0 to 1
 */
public record EngineLoad(double waiting, double cacheUsage) {

    /** Thresholds of the Kubernetes Gateway API's inference extension for the same two gauges. */
    private static final double MOST_WAITING = 5;

    private static final double MOST_CACHE_USAGE = 0.8;

    private static final String WAITING = "vllm:num_requests_waiting";
    private static final String CACHE_USAGE = "vllm:kv_cache_usage_perc";

    /** The name before version 0.12. */
    private static final String OLD_CACHE_USAGE = "vllm:gpu_cache_usage_perc";

    /**
     * Reads vLLM's metrics. The values of several engines behind one server: what waits is added up, the fullest cache counts.
     *
     * @param prometheus text in Prometheus' format
     * @return empty if what waits is not in it
     */
    public static Optional<EngineLoad> parse(String prometheus) {
        boolean seen = false;
        double waiting = 0;
        double cacheUsage = 0;
        for (int from = 0; from < prometheus.length(); ) {
            int line = prometheus.indexOf('\n', from);
            int to = line < 0 ? prometheus.length() : line;
            if (isSample(prometheus, from, WAITING)) {
                seen = true;
                waiting += value(prometheus, from, to);
            } else if (isSample(prometheus, from, CACHE_USAGE) || isSample(prometheus, from, OLD_CACHE_USAGE)) {
                cacheUsage = Math.max(cacheUsage, value(prometheus, from, to));
            }
            from = to + 1;
        }
        return seen ? Optional.of(new EngineLoad(waiting, cacheUsage)) : Optional.empty();
    }

    /**
     * Whether further requests had better go elsewhere.
     *
     * @return true if it has a queue or its cache is almost full
     */
    public boolean isSaturated() {
        return waiting >= MOST_WAITING || cacheUsage >= MOST_CACHE_USAGE;
    }

    /** Not by prefix: other metrics begin with the same words. */
    private static boolean isSample(String text, int from, String name) {
        int end = from + name.length();
        return text.startsWith(name, from)
                && end < text.length()
                && (text.charAt(end) == '{' || text.charAt(end) == ' ');
    }

    private static double value(String text, int from, int to) {
        String line = text.substring(from, to).stripTrailing();
        try {
            double value = Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
            return Double.isFinite(value) ? value : 0;
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
