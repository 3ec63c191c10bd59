package dev.tuna.core.control;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.core.budget.ShortPurse;
import dev.tuna.core.catalog.Prices;
import dev.tuna.core.control.Prepared.Launch;
import dev.tuna.core.ledger.Money;
import dev.tuna.core.placement.Placement;
import dev.tuna.core.provider.Alarms;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.provider.Helpers;
import dev.tuna.core.provider.Preflights;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.SpotCloud;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Does what the control loop wants done, and hands back what came of it as a message. Thread-safe. */
final class Runner {

    private static final Logger LOG = LoggerFactory.getLogger(Runner.class);

    /** How long replicas take until they serve, as far as placing them depends on it. */
    static final Duration USUAL_BOOT = Duration.ofMinutes(5);

    private static final int CALLS_PER_CLOUD = 4;

    /** One lane for all: each sweep asks every cloud, so that one cloud that hangs could hold the threads of all. */
    private static final String SWEEPS = "all clouds, swept";

    private final Clouds clouds;
    private final Supplier<Prices> prices;
    private final Preflights preflights;
    private final Chooser chooser;
    private final Helpers helpers;
    private final Keyring keyring;
    private final Prober prober;
    private final Lanes searches;
    private final Lanes calls;
    private final Lanes endings;
    private final Duration orphanTimeout;
    private final Alarms alarms;
    private final Duration callLimit;

    Runner(
            Clouds clouds,
            Supplier<Prices> prices,
            Chooser chooser,
            Helpers helpers,
            Keyring keyring,
            Prober prober,
            Executor calls,
            Executor endings,
            Duration orphanTimeout,
            Alarms alarms,
            Duration callLimit) {
        this.clouds = clouds;
        this.prices = prices;
        this.preflights = new Preflights(clouds);
        this.chooser = chooser;
        this.helpers = helpers;
        this.keyring = keyring;
        this.prober = prober;
        this.searches = new Lanes(calls, 1);
        this.calls = new Lanes(calls, CALLS_PER_CLOUD);
        this.endings = new Lanes(endings, CALLS_PER_CLOUD);
        this.orphanTimeout = orphanTimeout;
        this.alarms = alarms;
        this.callLimit = callLimit;
    }

    /**
     * Does one thing.
     *
     * @param managed the deployment as it was decided
     * @param keys its secrets
     * @param permit whether the call may still be made when its turn comes
     * @param answer where messages go
     */
    void run(Effect effect, Managed managed, Keys keys, Permit permit, Consumer<Message> answer) {
        if (effect instanceof Effect.Choose choose) {
            choose(choose, managed, permit, answer);
        } else if (effect instanceof Effect.CheckSpot check) {
            call(
                    calls.of(check.cloud()),
                    permit,
                    () -> preflights.spot(check.cloud(), replicaSpec(managed, check.cloud()), true),
                    result -> answer.accept(new Message.SpotChecked(check.generation(), result)));
        } else if (effect instanceof Effect.Prepare prepare) {
            call(
                    calls.of(prepare.cloud()),
                    permit,
                    () -> prepare(managed, prepare),
                    result -> answer.accept(
                            new Message.LaunchesPrepared(prepare.generation(), prepare.purpose(), result)));
        } else if (effect instanceof Effect.Begin begin) {
            call(
                    calls.of(begin.provider()),
                    permit,
                    () -> clouds.serverless(begin.provider()).begin(begin.plan()),
                    result -> answer.accept(new Message.Made(begin.backend(), begin.generation(), result)));
        } else if (effect instanceof Effect.Launch launch) {
            call(
                    calls.of(launch.provider()),
                    permit,
                    () -> clouds.spot(launch.provider()).launch(launch.plan()),
                    result -> answer.accept(new Message.Made(launch.backend(), launch.generation(), result)));
        } else if (effect instanceof Effect.LookAtEndpoint look) {
            call(
                    calls.of(look.provider()),
                    permit,
                    () -> observe(look, managed.request()),
                    result -> answer.accept(new Message.EndpointSeen(look.backend(), look.generation(), result)));
        } else if (effect instanceof Effect.LookAtFleet look) {
            call(
                    calls.of(look.provider()),
                    permit,
                    () -> look(look),
                    result -> answer.accept(new Message.FleetSeen(look.generation(), result)));
        } else if (effect instanceof Effect.Probe probe) {
            probe(probe, keys, answer);
        } else {
            end(effect, managed, permit, answer);
        }
    }

    private void choose(Effect.Choose choose, Managed managed, Permit permit, Consumer<Message> answer) {
        Executor lane = searches.of(managed.id());
        Consumer<Result<Selection>> chosen = result -> answer.accept(new Message.Chosen(choose.generation(), result));
        call(lane, permit, () -> chooser.listing(managed.outsideRequest()), listing -> {
            listing.failure().ifPresent(failure -> chosen.accept(Result.failed(failure)));
            listing.value().ifPresent(coming -> {
                var unused = coming.whenComplete((offers, failure) -> call(
                        lane,
                        callLimit.multipliedBy(2), // several providers are asked
                        permit,
                        () -> chooser.choose(managed.id(), managed.outsideRequest(), choose.excluded(), coming.join()),
                        chosen));
            });
        });
    }

    private void end(Effect effect, Managed managed, Permit permit, Consumer<Message> answer) {
        if (effect instanceof Effect.End end) {
            call(
                    endings.of(end.provider()),
                    permit,
                    () -> end(end),
                    result -> answer.accept(new Message.EndAccepted(end.backend(), end.generation(), result)));
        } else if (effect instanceof Effect.CleanUp cleanUp) {
            call(
                    endings.of(cleanUp.provider()),
                    permit,
                    () -> {
                        clouds.spot(cleanUp.provider())
                                .cleanUp(managed.revision().outside());
                        return managed.name();
                    },
                    result -> answer.accept(new Message.CleanedUp(cleanUp.generation(), result)));
        } else if (effect instanceof Effect.Conclude conclude) {
            call(
                    endings.of(SWEEPS),
                    permit,
                    () -> {
                        helpers.sweep(managed.id(), managed.revision().outside());
                        keyring.forget(managed.id(), managed.revision());
                        return managed.name();
                    },
                    result -> answer.accept(new Message.Concluded(conclude.generation(), result)));
        }
    }

    private ResourceRef end(Effect.End end) {
        if (end.serverless()) {
            clouds.serverless(end.provider()).destroy(end.ref());
        } else {
            clouds.spot(end.provider()).terminate(end.ref());
        }
        return end.ref();
    }

    private ServerlessObservation observe(Effect.LookAtEndpoint look, DeployRequest request) {
        return prices.get()
                .of(
                        clouds.serverless(look.provider()).observe(look.ref()),
                        look.provider(),
                        request.gpu(),
                        request.gpuCount(),
                        request.serverlessRegion());
    }

    private Map<String, ReplicaObservation> look(Effect.LookAtFleet look) {
        Map<ResourceRef, ReplicaObservation> seen =
                clouds.spot(look.provider()).observe(look.refs().values());
        var byBackend = new LinkedHashMap<String, ReplicaObservation>();
        look.refs().forEach((id, ref) -> {
            ReplicaObservation observation = seen.get(ref);
            if (observation != null) {
                byBackend.put(id, prices.get().of(observation));
            }
        });
        return byBackend;
    }

    private Prepared prepare(Managed managed, Effect.Prepare prepare) {
        SpotCloud cloud = clouds.spot(prepare.cloud());
        ReplicaSpec spec = replicaSpec(managed, prepare.cloud());
        List<PoolOffer> offers =
                cloud.pools(spec).stream().map(prices.get()::of).toList();
        var places = new ArrayList<>(prepare.fleet());
        var launches = new ArrayList<Launch>();
        var purse = new ShortPurse(prepare.usdLeft());
        for (String token : prepare.tokens()) {
            List<PoolOffer> affordable = purse.affordable(offers);
            if (affordable.isEmpty() && !offers.isEmpty()) {
                return prepared(offers, launches, Optional.empty());
            }
            List<CapacityPool> order = Placement.order(
                    affordable, places, prepare.history(), USUAL_BOOT, prepare.onDemandAllowed(), prepare.now());
            if (prepare.purpose() == Purpose.RELOCATION) {
                order = Placement.worthLeavingFor(order, prepare.history(), prepare.now());
                if (order.isEmpty()) {
                    break;
                }
            }
            Optional<Instant> rested = prepare.history()
                    .firstRested(affordable.stream().map(PoolOffer::pool).toList(), prepare.now());
            if (order.isEmpty() && rested.isPresent()) {
                return prepared(offers, launches, rested);
            }
            if (order.isEmpty() && prepare.purpose() == Purpose.LIST_PRICE) {
                break;
            }
            if (order.isEmpty()) {
                throw ProviderException.of(prepare.cloud(), "find capacity pools")
                        .code(ErrorCode.CAPACITY)
                        .retryable(true)
                        .message("no pool offers " + managed.request().gpuCount() + " x "
                                + managed.request().gpu()
                                + (spec.regions().isEmpty() ? "" : " in " + spec.regions())
                                + "; choose another GPU or other regions")
                        .build();
            }
            List<CapacityPool> named = Placement.leastTroubled(order, prepare.history(), prepare.now());
            launches.add(new Launch(cloud.plan(spec, named, token), purse.spendOnDearest(affordable, named)));
            places.add(order.get(0));
        }
        return prepared(offers, launches, Optional.empty());
    }

    private static Prepared prepared(List<PoolOffer> offers, List<Launch> launches, Optional<Instant> rested) {
        return new Prepared(
                launches, rested, price(offers, launches), onDemandPrice(offers), spotPrice(offers, launches));
    }

    private static OptionalLong spotPrice(List<PoolOffer> offers, List<Launch> launches) {
        return Money.microUsdPerHour(launches.stream()
                .map(Launch::best)
                .filter(pool -> pool.tier() == Tier.SPOT)
                .flatMap(best -> offers.stream().filter(offer -> offer.pool().equals(best)))
                .findFirst()
                .flatMap(PoolOffer::usdPerHour));
    }

    private static Optional<BigDecimal> price(List<PoolOffer> offers, List<Launch> launches) {
        Stream<BigDecimal> prices = offers.stream()
                .filter(offer -> launches.isEmpty()
                        || launches.stream().map(Launch::best).anyMatch(offer.pool()::equals))
                .flatMap(offer -> offer.usdPerHour().stream());
        return launches.isEmpty() ? prices.min(BigDecimal::compareTo) : prices.max(BigDecimal::compareTo);
    }

    private static OptionalLong onDemandPrice(List<PoolOffer> offers) {
        Optional<BigDecimal> cheapest = offers.stream()
                .filter(offer -> offer.pool().tier() == Tier.ON_DEMAND)
                .flatMap(offer -> offer.usdPerHour().stream())
                .min(BigDecimal::compareTo);
        return Money.microUsdPerHour(cheapest);
    }

    private ReplicaSpec replicaSpec(Managed managed, String cloud) {
        return Specs.replica(managed.id(), managed.outsideRequest(), cloud, orphanTimeout);
    }

    private void probe(Effect.Probe probe, Keys keys, Consumer<Message> answer) {
        var unused = prober.probe(keys.complete(probe.address()), probe.model(), probe.limit())
                .exceptionally(failure -> Optional.of(failure.getClass().getSimpleName()))
                .thenAccept(fault -> answer.accept(new Message.Probed(probe.backend(), probe.generation(), fault)));
    }

    private <T> void call(Executor executor, Permit permit, Supplier<T> work, Consumer<Result<T>> answer) {
        call(executor, callLimit, permit, work, answer);
    }

    private <T> void call(
            Executor executor, Duration limit, Permit permit, Supplier<T> work, Consumer<Result<T>> answer) {
        try {
            executor.execute(() -> {
                if (permit.begin()) {
                    try {
                        answer.accept(attempt(() -> alarms.call(limit, work)));
                    } finally {
                        permit.end();
                    }
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("Call dropped, Tuna is closing");
        }
    }

    private static <T> Result<T> attempt(Supplier<T> work) {
        try {
            return Result.of(work.get());
        } catch (TunaException e) {
            return Result.failed(e);
        } catch (CompletionException e) {
            return e.getCause() instanceof TunaException cause ? Result.failed(cause) : unexpected(e);
        } catch (Throwable e) { // also what Java would have had declared: not every plugin is written in it
            return unexpected(e);
        }
    }

    private static <T> Result<T> unexpected(Throwable failure) {
        LOG.warn("A call failed in an unexpected way", failure);
        return Result.failed(ProviderException.of("tuna", "call a provider")
                .message("failed in an unexpected way: " + failure)
                .cause(failure)
                .retryable(true)
                .build());
    }
}
