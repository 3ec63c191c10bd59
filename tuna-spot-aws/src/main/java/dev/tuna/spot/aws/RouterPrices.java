package dev.tuna.spot.aws;

import dev.tuna.provider.support.Newest;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/**
 * List prices of the small types on which routers run, read daily. What is built in are those of Linux that AWS published
 * until the end of 2025 for us-east-1, us-east-2 and us-west-2, where they are equal; those of other regions are not guessed.
 * Thread-safe.
 */
final class RouterPrices {

    private static final Duration DAY = Duration.ofHours(24);
    private static final Duration REST = Duration.ofMinutes(1);

    private static final Set<String> REGIONS = Set.of("us-east-1", "us-east-2", "us-west-2");

    private static final Map<String, BigDecimal> USD_PER_HOUR = Map.ofEntries(
            price("t3.micro", "0.0104"),
            price("t3.small", "0.0208"),
            price("t3.medium", "0.0416"),
            price("t3.large", "0.0832"),
            price("t3a.micro", "0.0094"),
            price("t3a.small", "0.0188"),
            price("t3a.medium", "0.0376"),
            price("t3a.large", "0.0752"),
            price("t4g.micro", "0.0084"),
            price("t4g.small", "0.0168"),
            price("t4g.medium", "0.0336"),
            price("t4g.large", "0.0672"),
            price("m7i.large", "0.1008"));

    private final AwsClients clients;
    private final InstantSource clock;
    private final Executor background;
    private final Map<String, Newest<Optional<BigDecimal>>> known = new ConcurrentHashMap<>();

    RouterPrices(AwsClients clients, InstantSource clock, Executor background) {
        this.clients = clients;
        this.clock = clock;
        this.background = background;
    }

    private static Map.Entry<String, BigDecimal> price(String type, String usd) {
        return Map.entry(type, new BigDecimal(usd));
    }

    /** What is known without asking; empty if nothing is. Pure. */
    static Optional<BigDecimal> builtIn(String region, String type) {
        return REGIONS.contains(region) ? Optional.ofNullable(USD_PER_HOUR.get(type)) : Optional.empty();
    }

    /** What a machine costs an hour, without disk and address. */
    Optional<BigDecimal> of(String region, String type) {
        return known.computeIfAbsent(
                        region + " " + type,
                        key -> new Newest<>(
                                "list price of " + type + " in " + region,
                                builtIn(region, type),
                                now -> new Market(clients, region)
                                        .listPrice(type)
                                        .or(() -> builtIn(region, type)),
                                DAY,
                                REST,
                                clock))
                .soonFresh(background);
    }
}
