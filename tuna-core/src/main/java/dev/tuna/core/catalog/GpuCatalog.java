package dev.tuna.core.catalog;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.core.provider.Alarms;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.text.DurationText;
import dev.tuna.spi.PoolOffer;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * What GPUs cost at every provider. Providers are asked side by side, and a slow or failing one costs only its own
 * offers.
 *
 * <p>An answer is used for {@link #FRESH} as it is, up to {@link #KEPT} while the provider is asked anew, and beyond only
 * in place of an answer that does not come; every offer says when its price was read. Failures are not kept. Thread-safe.
 */
public final class GpuCatalog {

    /** How long a provider's offers are used before it is asked again. */
    public static final Duration FRESH = Duration.ofMinutes(5);

    /** How long they are used without waiting for newer ones. */
    public static final Duration KEPT = Duration.ofHours(1);

    /** How long a provider may take, unless there is a reason for another limit. */
    public static final Duration DEFAULT_LIMIT = Duration.ofSeconds(20);

    private final Clouds clouds;
    private final ScheduledExecutorService scheduler;
    private final Duration limit;
    private final AsyncCache<Source, Answer> cache;
    private final ConcurrentMap<Source, Known> known = new ConcurrentHashMap<>();
    private final Alarms alarms;
    private final Ticker ticker;
    private volatile Prices prices;

    /**
     * Asks these clouds.
     *
     * @param clouds opened as needed, stays open
     * @param executor runs the calls to providers, side by side if it can; stays open
     * @param scheduler ends the wait for slow providers; stays open
     * @param limit how long a query waits for a provider, for instance {@link #DEFAULT_LIMIT}
     * @param ticker the time by which answers grow old
     * @param prices go before those of providers, until others do
     */
    public GpuCatalog(
            Clouds clouds,
            Executor executor,
            ScheduledExecutorService scheduler,
            Duration limit,
            Ticker ticker,
            Prices prices) {
        this.clouds = Objects.requireNonNull(clouds, "clouds");
        this.scheduler = Objects.requireNonNull(scheduler, "scheduler");
        this.limit = Objects.requireNonNull(limit, "limit");
        this.alarms = new Alarms(scheduler);
        this.ticker = Objects.requireNonNull(ticker, "ticker");
        this.prices = Objects.requireNonNull(prices, "prices");
        this.cache = Caffeine.newBuilder()
                .expireAfter(Expiry.creating((Source source, Answer answer) -> answer.freshFor()))
                .ticker(ticker)
                .executor(executor)
                .buildAsync();
    }

    /**
     * The prices that go before those of providers.
     *
     * @return as given last
     */
    public Prices prices() {
        return prices;
    }

    /**
     * Puts other prices before those of providers, from the next question on.
     *
     * @param others in place of those before
     */
    public void use(Prices others) {
        prices = others;
    }

    /**
     * The offers that match a query. GPU names are canonical; of several zones with one machine type in one region only
     * the cheapest is listed. Blocks until every provider has answered or used up the limit, unless it is known what it
     * answered lately.
     *
     * @param query which ones; its GPU may be an alias, in any case and spelling
     * @return the offers, and the providers that did not answer, with the offers they made before if they made any
     * @throws dev.tuna.api.ConfigurationException if nobody knows the GPU
     * @throws dev.tuna.api.ProviderNotFoundException if no provider has the name asked for
     */
    public GpuListing offers(GpuQuery query) {
        try {
            return offersAsync(query).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TunaException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /**
     * The same without blocking.
     *
     * @param query as for {@link #offers}
     * @return the listing, or one of the exceptions of {@link #offers}
     */
    public CompletableFuture<GpuListing> offersAsync(GpuQuery query) {
        List<CompletableFuture<Answer>> answers;
        try {
            answers = sources(query).stream().map(this::ask).toList();
        } catch (TunaException e) {
            return CompletableFuture.failedFuture(e);
        }
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenApply(done -> listing(
                        query, answers.stream().map(CompletableFuture::join).toList()));
    }

    private List<Source> sources(GpuQuery query) {
        query.provider().ifPresent(clouds.catalog()::requireKnown);
        var sources = new ArrayList<Source>();
        if (query.tiers().isEmpty() || query.tiers().contains(Tier.SERVERLESS)) {
            clouds.catalog().serverlessNames().forEach(name -> sources.add(new Source(name, false)));
        }
        if (query.tiers().isEmpty()
                || query.tiers().contains(Tier.SPOT)
                || query.tiers().contains(Tier.ON_DEMAND)) {
            clouds.catalog().spotNames().forEach(name -> sources.add(new Source(name, true)));
        }
        return sources.stream()
                .filter(source ->
                        query.provider().map(source.provider()::equals).orElse(true))
                .toList();
    }

    private CompletableFuture<Answer> ask(Source source) {
        CompletableFuture<Answer> answer = load(source).copy();
        if (answer.isDone()) {
            return answer;
        }
        Optional<Known> before = Optional.ofNullable(known.get(source));
        if (before.isPresent() && age(before.get()).compareTo(KEPT) <= 0) {
            return CompletableFuture.completedFuture(Answer.of(before.get().offers()));
        }
        ScheduledFuture<?> alarm = scheduler.schedule(
                () -> answer.complete(instead(Answer.late(source, limit), source)),
                limit.toNanos(),
                TimeUnit.NANOSECONDS);
        return answer.whenComplete((done, failure) -> alarm.cancel(false));
    }

    /** Joins a call that is under way already, so that a provider that hangs holds one thread and no more. */
    private CompletableFuture<Answer> load(Source source) {
        try {
            return cache.get(
                    source,
                    (key, executor) -> CompletableFuture.supplyAsync(() -> fetch(key), executor)
                            .handle((offers, failure) -> failure == null
                                    ? kept(source, offers)
                                    : instead(Answer.without(source, failure), source)));
        } catch (RejectedExecutionException e) {
            return CompletableFuture.completedFuture(instead(Answer.without(source, e), source));
        }
    }

    private Answer kept(Source source, List<GpuOffer> offers) {
        known.put(source, new Known(offers, ticker.read()));
        return Answer.of(offers);
    }

    /** What the provider answered before, if it did. */
    private Answer instead(Answer failure, Source source) {
        return Optional.ofNullable(known.get(source))
                .map(before -> failure.with(before.offers(), age(before)))
                .orElse(failure);
    }

    private Duration age(Known answer) {
        return Duration.ofNanos(ticker.read() - answer.readAt());
    }

    /** A slow answer is of use to the next query; one that takes longer than it would be kept is waited for no more. */
    private List<GpuOffer> fetch(Source source) {
        return alarms.call(FRESH, () -> offers(source));
    }

    private List<GpuOffer> offers(Source source) {
        List<GpuOffer> offers = source.rents()
                ? clouds.spot(source.provider()).pools().stream()
                        .map(GpuCatalog::offer)
                        .toList()
                : clouds.serverless(source.provider()).offers(GpuQuery.ALL);
        return Offers.cheapestZones(offers.stream().map(Offers::canonical).toList());
    }

    private static GpuOffer offer(PoolOffer pool) {
        return new GpuOffer(
                pool.pool().provider(),
                pool.pool().tier(),
                pool.gpu(),
                pool.gpuCount(),
                Optional.of(pool.pool().region()),
                Optional.of(pool.pool().machineType()),
                pool.usdPerHour(),
                pool.asOf(),
                pool.source());
    }

    /** Prices of the user's are the same in all zones of a region, so the cheapest zone is the same with them. */
    private GpuListing listing(GpuQuery query, List<Answer> answers) {
        List<GpuOffer> offers = answers.stream()
                .flatMap(answer -> answer.offers().stream())
                .map(prices::of)
                .toList();
        query.gpu().ifPresent(gpu -> Offers.requireKnown(gpu, offers));
        return new GpuListing(
                Offers.matching(query, offers),
                answers.stream().flatMap(answer -> answer.problem().stream()).toList(),
                answers.stream().anyMatch(Answer::retryable));
    }

    /** Where offers come from: a serverless cloud, or one that rents machines. */
    private record Source(String provider, boolean rents) {}

    /** The last proper answer. */
    private record Known(List<GpuOffer> offers, long readAt) {}

    private record Answer(List<GpuOffer> offers, Optional<String> problem, boolean retryable) {

        Duration freshFor() {
            return problem.isPresent() ? Duration.ZERO : FRESH;
        }

        static Answer of(List<GpuOffer> offers) {
            return new Answer(offers, Optional.empty(), false);
        }

        static Answer without(Source source, Throwable thrown) {
            Throwable cause = thrown.getCause();
            Throwable failure = thrown instanceof CompletionException && cause != null ? cause : thrown;
            return new Answer(
                    List.of(),
                    Optional.of(
                            failure instanceof TunaException
                                    ? String.valueOf(failure.getMessage())
                                    : source.provider() + ": list offers failed: " + failure),
                    !(failure instanceof TunaException known) || known.retryable());
        }

        Answer with(List<GpuOffer> before, Duration age) {
            return new Answer(
                    before,
                    problem.map(text -> text + "; offers of " + DurationText.format(age.truncatedTo(ChronoUnit.SECONDS))
                            + " ago are used"),
                    retryable);
        }

        static Answer late(Source source, Duration limit) {
            return new Answer(
                    List.of(),
                    Optional.of(source.provider() + ": list offers took longer than " + DurationText.format(limit)),
                    true);
        }
    }
}
