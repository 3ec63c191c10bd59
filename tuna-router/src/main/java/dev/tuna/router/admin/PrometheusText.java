package dev.tuna.router.admin;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Statistic;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.CountAtBucket;
import io.micrometer.core.instrument.distribution.HistogramSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * A registry's meters in Prometheus' text format 0.0.4: counters as {@code _total}, timers and distribution summaries as
 * histograms if they have buckets, else as summaries, with their greatest recent value beside them as {@code _max}.
 */
final class PrometheusText {

    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    /** Samples of one name. */
    private record Family(String type, String help, List<String> samples) {}

    private final Map<String, Family> families = new TreeMap<>();

    private PrometheusText() {}

    static String of(MeterRegistry registry) {
        PrometheusText text = new PrometheusText();
        for (Meter meter : registry.getMeters()) {
            if (meter.getId().syntheticAssociation() == null) {
                text.add(meter);
            }
        }
        return text.print();
    }

    private void add(Meter meter) {
        if (meter instanceof Timer timer) {
            distribution(meter, timer.takeSnapshot(), true);
        } else if (meter instanceof DistributionSummary summary) {
            distribution(meter, summary.takeSnapshot(), false);
        } else {
            for (Measurement measurement : meter.measure()) {
                single(meter, measurement);
            }
        }
    }

    private void single(Meter meter, Measurement measurement) {
        String base = name(meter.getId());
        switch (measurement.getStatistic()) {
            case COUNT ->
                sample(
                        withSuffix(base, "_total"),
                        "counter",
                        meter,
                        withSuffix(base, "_total"),
                        "",
                        measurement.getValue());
            case TOTAL, TOTAL_TIME ->
                sample(base + "_sum", "counter", meter, base + "_sum", "", measurement.getValue());
            case VALUE -> sample(base, "gauge", meter, base, "", measurement.getValue());
            default -> {
                String name = base + "_" + lower(measurement.getStatistic());
                sample(name, "gauge", meter, name, "", measurement.getValue());
            }
        }
    }

    private void distribution(Meter meter, HistogramSnapshot snapshot, boolean time) {
        String base = time ? withSuffix(name(meter.getId()), "_seconds") : name(meter.getId());
        CountAtBucket[] buckets = snapshot.histogramCounts();
        String type = buckets.length > 0 ? "histogram" : "summary";
        for (CountAtBucket bucket : buckets) {
            if (Double.isFinite(bucket.bucket())) {
                double limit = time ? bucket.bucket(TimeUnit.SECONDS) : bucket.bucket();
                sample(base, type, meter, base + "_bucket", "le=\"" + number(limit) + "\"", bucket.count());
            }
        }
        if (buckets.length > 0) {
            sample(base, type, meter, base + "_bucket", "le=\"+Inf\"", (double) snapshot.count());
        }
        sample(base, type, meter, base + "_sum", "", time ? snapshot.total(TimeUnit.SECONDS) : snapshot.total());
        sample(base, type, meter, base + "_count", "", (double) snapshot.count());
        sample(
                base + "_max",
                "gauge",
                meter,
                base + "_max",
                "",
                time ? snapshot.max(TimeUnit.SECONDS) : snapshot.max());
    }

    private void sample(String family, String type, Meter meter, String name, String extraLabel, double value) {
        String help =
                meter.getId().getDescription() == null ? "" : meter.getId().getDescription();
        families.computeIfAbsent(family, key -> new Family(type, help, new ArrayList<>()))
                .samples()
                .add(name + labels(meter.getId(), extraLabel) + " " + number(value));
    }

    private static String labels(Meter.Id id, String extraLabel) {
        List<String> labels = new ArrayList<>();
        for (Tag tag : id.getTagsAsIterable()) {
            labels.add(safe(tag.getKey()).replace(':', '_') + "=\""
                    + escaped(tag.getValue()).replace("\"", "\\\"") + "\"");
        }
        if (!extraLabel.isEmpty()) {
            labels.add(extraLabel);
        }
        return labels.isEmpty() ? "" : "{" + String.join(",", labels) + "}";
    }

    private String print() {
        StringBuilder text = new StringBuilder();
        families.forEach((name, family) -> {
            if (!family.help.isEmpty()) {
                text.append("# HELP ")
                        .append(name)
                        .append(' ')
                        .append(escaped(family.help))
                        .append('\n');
            }
            text.append("# TYPE ").append(name).append(' ').append(family.type).append('\n');
            family.samples.forEach(sample -> text.append(sample).append('\n'));
        });
        return text.toString();
    }

    private static String name(Meter.Id id) {
        String name = safe(id.getName());
        String unit = id.getBaseUnit();
        return unit == null || unit.isEmpty() ? name : withSuffix(name, "_" + safe(unit));
    }

    private static String withSuffix(String name, String suffix) {
        return name.endsWith(suffix) ? name : name + suffix;
    }

    private static String safe(String name) {
        String safe = name.replaceAll("[^a-zA-Z0-9_:]", "_");
        return safe.isEmpty() || Character.isDigit(safe.charAt(0)) ? "_" + safe : safe;
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\n", "\\n");
    }

    private static String number(double value) {
        if (Double.isInfinite(value)) {
            return value > 0 ? "+Inf" : "-Inf";
        }
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    private static String lower(Statistic statistic) {
        return statistic.name().toLowerCase(Locale.ROOT);
    }
}
