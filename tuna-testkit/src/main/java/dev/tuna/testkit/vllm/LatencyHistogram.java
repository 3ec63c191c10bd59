package dev.tuna.testkit.vllm;

/** A Prometheus histogram of seconds with vLLM's coarse buckets. Confined to the event loop. */
final class LatencyHistogram {

    private static final double[] BOUNDS = {0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120};

    private final long[] counts = new long[BOUNDS.length];
    private long count;
    private double sum;

    void add(long nanos) {
        double seconds = nanos / 1e9;
        for (int i = 0; i < BOUNDS.length; i++) {
            if (seconds <= BOUNDS[i]) {
                counts[i]++;
            }
        }
        count++;
        sum += seconds;
    }

    void write(StringBuilder text, String name, String labels) {
        for (int i = 0; i < BOUNDS.length; i++) {
            Metrics.line(text, name + "_bucket", labels + ",le=\"" + BOUNDS[i] + "\"", (double) counts[i]);
        }
        Metrics.line(text, name + "_bucket", labels + ",le=\"+Inf\"", (double) count);
        Metrics.line(text, name + "_count", labels, (double) count);
        Metrics.line(text, name + "_sum", labels, sum);
    }
}
