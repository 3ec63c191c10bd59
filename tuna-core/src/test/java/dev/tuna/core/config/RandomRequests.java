package dev.tuna.core.config;

import dev.tuna.api.Budget;
import dev.tuna.api.ColdStartMode;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.RouterPlacement;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Valid requests of every shape, with texts that are hard on encodings. */
final class RandomRequests {

    private static final String LETTERS = "ab /\"\\'{}:,\n\t\u0000\u007f\u00e9\u2028\ud83d\ude00\ud800x";

    private RandomRequests() {}

    static DeployRequest request(Random random) {
        boolean serverlessOnly = random.nextBoolean();
        int gpuCount = 1 + random.nextInt(8);
        return new DeployRequest(
                text(random),
                text(random),
                gpuCount,
                Stream.generate(() -> text(random))
                        .limit(random.nextInt(4))
                        .distinct()
                        .toList(),
                map(random, () -> map(random, () -> anyText(random))),
                maybe(random, () -> text(random)),
                serverlessOnly ? Optional.empty() : maybe(random, () -> text(random)),
                serverlessOnly ? List.of() : texts(random),
                random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(1 + random.nextInt(gpuCount)),
                1 + random.nextInt(Integer.MAX_VALUE),
                maybe(random, () -> text(random)),
                one(random, List.of(ColdStartMode.values())),
                maybe(random, () -> text(random)),
                Stream.generate(() -> anyText(random)).limit(random.nextInt(4)).toList(),
                maybe(random, () -> text(random)),
                scaling(random),
                maybe(random, () -> "n" + Integer.toHexString(random.nextInt())),
                random.nextBoolean(),
                serverlessOnly,
                random.nextBoolean(),
                one(random, List.of(RouterPlacement.values())),
                Stream.of("HF_TOKEN", "_x", "A1")
                        .filter(name -> random.nextBoolean())
                        .collect(
                                LinkedHashMap::new,
                                (map, name) -> map.put(name, new SecretRef("ref/" + random.nextInt(9))),
                                Map::putAll),
                random.nextBoolean() ? Budget.NONE : budget(random));
    }

    private static Budget budget(Random random) {
        return new Budget(
                maybe(random, () -> amount(random)),
                maybe(random, () -> amount(random)),
                maybe(random, () -> amount(random)),
                one(random, List.of(Budget.Action.values())));
    }

    private static BigDecimal amount(Random random) {
        return BigDecimal.valueOf(1 + random.nextInt(Integer.MAX_VALUE - 1), random.nextInt(9));
    }

    static ScalingPolicy scaling(Random random) {
        int minReplicas = random.nextInt(5);
        int workersMin = random.nextInt(5);
        return new ScalingPolicy(
                new ScalingPolicy.Spot(
                        minReplicas,
                        minReplicas + random.nextInt(1_000_000_000),
                        random.nextBoolean() ? 1 + random.nextInt(100) : Math.exp(random.nextGaussian() * 20),
                        random.nextBoolean()
                                ? OptionalDouble.empty()
                                : OptionalDouble.of(1 + random.nextInt(100) / 4.0),
                        duration(random),
                        duration(random),
                        random.nextBoolean()
                                ? ScalingPolicy.Spot.KeepLast.WHILE_IT_PAYS
                                : ScalingPolicy.Spot.KeepLast.WITH_TRAFFIC,
                        random.nextBoolean()
                                ? Optional.empty()
                                : Optional.of(duration(random).plusNanos(1)),
                        random.nextBoolean()
                                ? ScalingPolicy.Spot.OnDemand.NEVER
                                : ScalingPolicy.Spot.OnDemand.WHEN_CHEAPER),
                new ScalingPolicy.Serverless(
                        1 + random.nextInt(Integer.MAX_VALUE),
                        duration(random),
                        duration(random).plusNanos(1),
                        workersMin,
                        random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(1 + workersMin + random.nextInt(9)),
                        1 + random.nextInt(9)));
    }

    private static Duration duration(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> Duration.ZERO;
            case 1 -> Duration.ofSeconds(random.nextInt(100_000));
            case 2 -> Duration.ofMillis(random.nextInt(100_000));
            default ->
                Duration.ofSeconds(random.nextInt(), random.nextInt(1_000_000_000))
                        .abs();
        };
    }

    private static <T> Map<String, T> map(Random random, Supplier<T> value) {
        var map = new LinkedHashMap<String, T>();
        for (int i = random.nextInt(4); i > 0; i--) {
            map.put("key" + random.nextInt(1_000), value.get());
        }
        return map;
    }

    private static <T> T one(Random random, List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    private static <T> Optional<T> maybe(Random random, Supplier<T> value) {
        return random.nextBoolean() ? Optional.of(value.get()) : Optional.empty();
    }

    private static List<String> texts(Random random) {
        return Stream.generate(() -> text(random)).limit(random.nextInt(4)).toList();
    }

    /** Not blank. */
    private static String text(Random random) {
        return "m" + anyText(random);
    }

    private static String anyText(Random random) {
        var text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            text.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        return text.toString();
    }
}
