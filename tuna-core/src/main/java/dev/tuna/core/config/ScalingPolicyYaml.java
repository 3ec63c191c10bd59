package dev.tuna.core.config;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.core.text.DurationText;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.DumperOptions.ScalarStyle;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;

/**
 * A {@link ScalingPolicy} as a YAML file.
 *
 * <pre>{@code
 * spot:
 *   max_replicas: 3
 *   downscale_delay: 5m
 * serverless:
 *   scaledown_window: 90s
 * }</pre>
 *
 * <p>Both sections and every key may be left out; what a file does not say is taken from the policy below it. Explicit
 * settings go on top with {@link ScalingPolicy#withSpot} and {@link ScalingPolicy#withServerless}. Numbers are written
 * without quotes; durations as {@link DurationText} reads them. Everything wrong with a file is reported at once, each
 * thing with file, line, key, value and what is allowed. Pure but for the reading of files.
 */
public final class ScalingPolicyYaml {

    private static final String SUBJECT = "scaling policy";
    private static final Pattern INTEGER = Pattern.compile("0|-?[1-9][0-9]{0,17}");
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,30}(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?");

    /** How the records word a problem, which is kept while the value is shown as it was written. */
    private static final Pattern OUT_OF_RANGE = Pattern.compile("(\\S+) is '.*' but (must be .*)");

    private static final Map<String, Key<ScalingPolicy.Spot.Builder>> SPOT = table(
            Key.integer("min_replicas", 0, ScalingPolicy.Spot.Builder::minReplicas),
            Key.integer("max_replicas", 0, ScalingPolicy.Spot.Builder::maxReplicas),
            Key.number("target_qps", ScalingPolicy.Spot.Builder::targetQps),
            Key.number("target_tokens_per_second", ScalingPolicy.Spot.Builder::targetTokensPerSecond),
            Key.duration("upscale_delay", ScalingPolicy.Spot.Builder::upscaleDelay),
            Key.duration("downscale_delay", ScalingPolicy.Spot.Builder::downscaleDelay),
            Key.choice("keep_last", ScalingPolicy.Spot.KeepLast.class, ScalingPolicy.Spot.Builder::keepLast),
            Key.duration("first_token_limit", ScalingPolicy.Spot.Builder::firstTokenLimit),
            Key.choice("on_demand", ScalingPolicy.Spot.OnDemand.class, ScalingPolicy.Spot.Builder::onDemand));

    private static final Map<String, Key<ScalingPolicy.Serverless.Builder>> SERVERLESS = table(
            Key.integer("concurrency", 1, ScalingPolicy.Serverless.Builder::concurrency),
            Key.duration("scaledown_window", ScalingPolicy.Serverless.Builder::scaledownWindow),
            Key.duration("timeout", ScalingPolicy.Serverless.Builder::timeout),
            Key.integer("workers_min", 0, ScalingPolicy.Serverless.Builder::workersMin),
            Key.integer("workers_max", 1, ScalingPolicy.Serverless.Builder::workersMax),
            Key.integer("scaler_value", 1, ScalingPolicy.Serverless.Builder::scalerValue));

    private final FileProblems problems;
    private final Map<String, Node> written = new HashMap<>();
    private final Map<String, Integer> lines = new HashMap<>();
    private final Set<String> rejected = new HashSet<>();

    private ScalingPolicyYaml(String source) {
        this.problems = new FileProblems(source);
    }

    /**
     * Reads a file on top of {@link ScalingPolicy#DEFAULT}.
     *
     * @param file a UTF-8 file; an empty one says nothing
     * @return the policy
     * @throws ConfigurationException if the file cannot be read, or naming everything that is wrong with it
     */
    public static ScalingPolicy read(Path file) {
        return read(ScalingPolicy.DEFAULT, file);
    }

    /**
     * Reads a file on top of another policy.
     *
     * @param base what holds where the file says nothing
     * @param file a UTF-8 file; an empty one says nothing
     * @return the policy
     * @throws ConfigurationException if the file cannot be read, or naming everything that is wrong with it
     */
    public static ScalingPolicy read(ScalingPolicy base, Path file) {
        return read(base, YamlText.read(file, SUBJECT + " file"), file.toString());
    }

    /**
     * Reads a text on top of {@link ScalingPolicy#DEFAULT}.
     *
     * @param text the YAML text; an empty one says nothing
     * @param sourceName what to call it in errors
     * @return the policy
     * @throws ConfigurationException naming everything that is wrong with it
     */
    public static ScalingPolicy read(String text, String sourceName) {
        return read(ScalingPolicy.DEFAULT, text, sourceName);
    }

    /**
     * Reads a text on top of another policy.
     *
     * @param base what holds where the text says nothing
     * @param text the YAML text; an empty one says nothing
     * @param sourceName what to call it in errors
     * @return the policy
     * @throws ConfigurationException naming everything that is wrong with it
     */
    public static ScalingPolicy read(ScalingPolicy base, String text, String sourceName) {
        Objects.requireNonNull(base, "base");
        var reader = new ScalingPolicyYaml(sourceName);
        Optional<Node> root = YamlText.parse(text, reader.problems);
        ScalingPolicy policy = root.map(node -> reader.policy(base, node)).orElse(base);
        reader.problems.throwIfAny(SUBJECT);
        return policy;
    }

    /**
     * Writes a policy with every key that has a value.
     *
     * @param policy the policy
     * @return YAML that {@link #read(String, String)} reads as an equal policy
     */
    public static String write(ScalingPolicy policy) {
        ScalingPolicy.Spot spot = policy.spot();
        ScalingPolicy.Serverless serverless = policy.serverless();
        return """
                spot:
                  min_replicas: %d
                  max_replicas: %d
                  target_qps: %s
                %s  upscale_delay: %s
                  downscale_delay: %s
                  keep_last: %s
                %s  on_demand: %s
                serverless:
                  concurrency: %d
                  scaledown_window: %s
                  timeout: %s
                  workers_min: %d
                %s  scaler_value: %d
                """.formatted(
                        spot.minReplicas(),
                        spot.maxReplicas(),
                        number(spot.targetQps()),
                        spot.targetTokensPerSecond().isPresent()
                                ? "  target_tokens_per_second: "
                                        + number(spot.targetTokensPerSecond().getAsDouble()) + "\n"
                                : "",
                        DurationText.format(spot.upscaleDelay()),
                        DurationText.format(spot.downscaleDelay()),
                        spot.keepLast().name().toLowerCase(Locale.ROOT),
                        spot.firstTokenLimit()
                                .map(limit -> "  first_token_limit: " + DurationText.format(limit) + "\n")
                                .orElse(""),
                        spot.onDemand().name().toLowerCase(Locale.ROOT),
                        serverless.concurrency(),
                        DurationText.format(serverless.scaledownWindow()),
                        DurationText.format(serverless.timeout()),
                        serverless.workersMin(),
                        serverless.workersLimit().isPresent()
                                ? "  workers_max: " + serverless.workersLimit().getAsInt() + "\n"
                                : "",
                        serverless.scalerValue());
    }

    private static String number(double value) {
        return Double.toString(value).replaceFirst("\\.0$", "");
    }

    private ScalingPolicy policy(ScalingPolicy base, Node root) {
        ScalingPolicy.Spot.Builder spot = base.spot().toBuilder();
        ScalingPolicy.Serverless.Builder serverless = base.serverless().toBuilder();
        var hints = new HashMap<String, String>();
        hints.putAll(places("spot", SPOT));
        hints.putAll(places("serverless", SERVERLESS));
        for (YamlSection.Entry section :
                YamlSection.entries(root, "", List.of("spot", "serverless", BudgetYaml.SECTION), hints, problems)) {
            lines.put(section.name(), section.line());
            if (section.name().equals("spot")) {
                fill(spot, section, SPOT, places("serverless", SERVERLESS));
            } else if (section.name().equals(BudgetYaml.SECTION)) {
                // Not part of the policy, but no surprise later either.
                BudgetYaml.budget(section, problems);
            } else {
                fill(serverless, section, SERVERLESS, places("spot", SPOT));
            }
        }
        return new ScalingPolicy(checked(spot::build, base.spot()), checked(serverless::build, base.serverless()));
    }

    private <B> void fill(B builder, YamlSection.Entry section, Map<String, Key<B>> keys, Map<String, String> hints) {
        String prefix = section.name() + ".";
        for (YamlSection.Entry entry : YamlSection.entries(section.value(), prefix, keys.keySet(), hints, problems)) {
            Key<B> key = Objects.requireNonNull(keys.get(entry.name()));
            String name = prefix + entry.name();
            lines.put(name, entry.line());
            written.put(name, entry.value());
            if (!key.set().apply(builder, entry.value())) {
                rejected.add(name);
                problems.add(
                        entry.line(),
                        name + " is " + YamlSection.describe(entry.value()) + " but must be " + key.allowed());
            }
        }
    }

    /** Builds a part; what the records find wrong with it is told in terms of the file. */
    private <P> P checked(Supplier<P> build, P otherwise) {
        try {
            return build.get();
        } catch (ConfigurationException e) {
            // A limit compared with a value that was refused already says nothing new.
            e.problems().stream()
                    .filter(problem -> rejected.stream().noneMatch(problem::contains))
                    .forEach(this::addRangeProblem);
            return otherwise;
        }
    }

    private void addRangeProblem(String problem) {
        int line = lines.keySet().stream()
                .filter(name -> name.contains(".") && problem.contains(name))
                .min(Comparator.comparingInt(problem::indexOf))
                .map(lines::get)
                .orElse(1);
        Matcher parts = OUT_OF_RANGE.matcher(problem);
        Node value = parts.matches() ? written.get(parts.group(1)) : null;
        problems.add(
                line,
                value == null
                        ? problem
                        : parts.group(1) + " is " + YamlSection.describe(value) + " but " + parts.group(2));
    }

    private static Map<String, String> places(String section, Map<String, ?> keys) {
        var places = new HashMap<String, String>();
        keys.keySet().forEach(key -> places.put(key, "it belongs to the section " + section));
        return places;
    }

    @SafeVarargs
    private static <B> Map<String, Key<B>> table(Key<B>... keys) {
        var table = new LinkedHashMap<String, Key<B>>();
        for (Key<B> key : keys) {
            table.put(key.name(), key);
        }
        return Collections.unmodifiableMap(table);
    }

    /**
     * A key of a section.
     *
     * @param allowed what its values are, for messages
     * @param set hands a value to a builder; false if the node holds no such value
     */
    private record Key<B>(String name, String allowed, BiFunction<B, Node, Boolean> set) {

        static <B> Key<B> integer(String name, int least, BiFunction<B, Integer, B> setter) {
            return of(name, "a whole number from " + least + " to " + Integer.MAX_VALUE, Key::integer, setter);
        }

        static <B> Key<B> number(String name, BiFunction<B, Double, B> setter) {
            return of(name, "a number above 0", Key::number, setter);
        }

        static <B> Key<B> duration(String name, BiFunction<B, Duration, B> setter) {
            return of(name, DurationText.ALLOWED, Key::duration, setter);
        }

        static <B, E extends Enum<E>> Key<B> choice(String name, Class<E> values, BiFunction<B, E, B> setter) {
            Map<String, E> byName = Arrays.stream(values.getEnumConstants())
                    .collect(Collectors.toMap(value -> value.name().toLowerCase(Locale.ROOT), value -> value));
            String allowed = byName.keySet().stream().sorted().collect(Collectors.joining(" or "));
            return of(
                    name,
                    allowed,
                    node -> YamlText.scalar(node).flatMap(scalar -> Optional.ofNullable(byName.get(scalar.getValue()))),
                    setter);
        }

        private static <B, V> Key<B> of(
                String name, String allowed, Function<Node, Optional<V>> reader, BiFunction<B, V, B> setter) {
            return new Key<>(
                    name,
                    allowed,
                    (builder, node) -> reader.apply(node)
                            .map(value -> setter.apply(builder, value))
                            .isPresent());
        }

        private static Optional<Integer> integer(Node node) {
            return plain(node, INTEGER)
                    .map(Long::parseLong)
                    .filter(value -> value >= Integer.MIN_VALUE && value <= Integer.MAX_VALUE)
                    .map(Long::intValue);
        }

        private static Optional<Double> number(Node node) {
            return plain(node, NUMBER).map(Double::parseDouble);
        }

        private static Optional<Duration> duration(Node node) {
            return YamlText.scalar(node).flatMap(scalar -> DurationText.parse(scalar.getValue()));
        }

        /** Quotes make a text of a number, and a text is not what was asked for. */
        private static Optional<String> plain(Node node, Pattern form) {
            return YamlText.scalar(node)
                    .filter(scalar -> scalar.getScalarStyle() == ScalarStyle.PLAIN)
                    .map(ScalarNode::getValue)
                    .filter(form.asMatchPredicate());
        }
    }
}
