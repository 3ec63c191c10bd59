package dev.tuna.spot.aws;

import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Newest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import java.util.function.Supplier;

/** What is known of regions: read once while somebody waits, then kept fresh in the background. Thread-safe. */
final class Atlas {

    private static final Duration DAY = Duration.ofHours(24);
    private static final Duration SPOT = Duration.ofMinutes(5);
    private static final Duration NETWORK = Duration.ofMinutes(10);
    private static final Duration REST = Duration.ofMinutes(1);

    private final AwsClients clients;
    private final InstantSource clock;
    private final Executor background;
    private final Map<String, Sheet> sheets = new ConcurrentHashMap<>();
    private final Map<String, Newest<Optional<Set<String>>>> zones = new ConcurrentHashMap<>();

    /** What is kept of one region. */
    private record Sheet(Newest<Offerings> offerings, Newest<Prices> listPrices, Newest<Prices> spotPrices) {}

    Atlas(AwsClients clients, InstantSource clock, Executor background) {
        this.clients = clients;
        this.clock = clock;
        this.background = background;
    }

    private Sheet sheet(String region) {
        return sheets.computeIfAbsent(region, name -> {
            Market market = new Market(clients, name);
            Newest<Offerings> offerings = kept("offerings of " + name, BuiltIn.offerings(name), market::offerings, DAY);
            return new Sheet(
                    offerings,
                    kept("list prices of " + name, BuiltIn.listPrices(name), market::listPrices, DAY),
                    kept(
                            "spot prices of " + name,
                            Prices.NONE,
                            now -> market.spotPrices(
                                    offerings.soonFresh(background).zones().keySet(), now),
                            SPOT));
        });
    }

    private <T> Newest<T> kept(String what, T builtIn, Function<Instant, T> read, Duration fresh) {
        return new Newest<>(what, builtIn, read, fresh, REST, clock);
    }

    /** Regions, with all of their zones. */
    List<RegionView> regions(List<String> names) {
        return atOnce(names, name -> view(name, Optional.empty()));
    }

    /** Regions, with those zones that have a subnet which a request allows. */
    List<RegionView> regions(List<String> names, AwsOptions options) {
        return atOnce(names, name -> view(name, zones(name, options)));
    }

    /** A region as it is known already, or read if it never was. */
    RegionView view(String region) {
        return view(region, Optional.empty());
    }

    private RegionView view(String region, Optional<Set<String>> usable) {
        Sheet sheet = sheet(region);
        return new RegionView(
                region,
                sheet.offerings().soonFresh(background),
                sheet.listPrices().soonFresh(background),
                sheet.spotPrices().soonFresh(background),
                usable);
    }

    private Optional<Set<String>> zones(String region, AwsOptions options) {
        return zones.computeIfAbsent(
                        region + " " + options.vpc() + options.subnets(),
                        key -> kept(
                                "subnets of " + region,
                                Optional.empty(),
                                now -> Optional.of(new Networks(clients, region)
                                        .find(options.vpc(), options.subnets())
                                        .map(Network::zones)
                                        .orElse(Set.of())),
                                NETWORK))
                .soonFresh(background);
    }

    /** Asks about several things at once. */
    <K, T> List<T> atOnce(List<K> names, Function<K, T> read) {
        List<CompletableFuture<T>> running = new ArrayList<>();
        for (K name : names) {
            running.add(started(() -> read.apply(name)));
        }
        try {
            return running.stream().map(CompletableFuture::join).toList();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TunaException known) {
                throw known;
            }
            throw e;
        }
    }

    private <T> CompletableFuture<T> started(Supplier<T> read) {
        try {
            return CompletableFuture.supplyAsync(read, background);
        } catch (RejectedExecutionException e) {
            throw AwsCalls.closed();
        }
    }
}
