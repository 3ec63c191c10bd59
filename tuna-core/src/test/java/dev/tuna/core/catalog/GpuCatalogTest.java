package dev.tuna.core.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.ProviderException;
import dev.tuna.api.ProviderNotFoundException;
import dev.tuna.api.Tier;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.provider.FakeServerless;
import dev.tuna.core.provider.FakeSpot;
import dev.tuna.core.provider.ProviderCatalog;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.PoolOffer;
import dev.tuna.testkit.time.VirtualTime;
import java.math.BigDecimal;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GpuCatalogTest {

    private static final Duration LIMIT = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private final VirtualTime time = VirtualTime.create();
    private Prices prices = Prices.AS_TOLD;

    @Test
    @DisplayName("C-12, C-13 every provider's offers, by memory, name and price")
    void listsEveryProvidersOffersInOrder() {
        GpuCatalog catalog = catalog(
                Runnable::run,
                List.of(
                        serverless(
                                "beta",
                                () -> List.of(
                                        offer("beta", "H100", "6.50"),
                                        offer("beta", "l4", "0.85"),
                                        offer("beta", "T4", "0.63"))),
                        serverless(
                                "alpha",
                                () -> List.of(
                                        offer("alpha", "NVIDIA L4", "0.80"),
                                        offer("alpha", "MI300X", "2.00"),
                                        offer("alpha", "H100", "")))),
                List.of(spot("spare", () -> List.of(pool("us", "us-a", "g6", "L4", "0.20")))));

        GpuListing listing = catalog.offers(GpuQuery.ALL);

        assertThat(listing.problems()).isEmpty();
        assertThat(listing.offers())
                .extracting(offer -> offer.gpu() + " " + offer.provider())
                .containsExactly(
                        "T4 beta", "L4 spare", "L4 alpha", "L4 beta", "H100 beta", "H100 alpha", "MI300X alpha");
    }

    @Test
    void aPoolBecomesAnOfferOfItsRegion() {
        GpuCatalog catalog = catalog(
                Runnable::run,
                List.of(),
                List.of(spot("spare", () -> List.of(pool("us", "us-a", "g6", "L4", "0.20")))));

        assertThat(catalog.offers(GpuQuery.ALL).offers())
                .containsExactly(new GpuOffer(
                        "spare",
                        Tier.SPOT,
                        "L4",
                        1,
                        Optional.of("us"),
                        Optional.of("g6"),
                        Optional.of(new BigDecimal("0.20")),
                        Instant.EPOCH,
                        "live"));
    }

    @Test
    void ofTheZonesOfARegionTheCheapestIsListed() {
        GpuCatalog catalog = catalog(
                Runnable::run,
                List.of(),
                List.of(spot(
                        "spare",
                        () -> List.of(
                                pool("us", "us-a", "g6", "L4", ""),
                                pool("us", "us-b", "g6", "L4", "0.20"),
                                pool("us", "us-c", "g6", "L4", "0.30"),
                                pool("eu", "eu-a", "g6", "L4", "0.25")))));

        assertThat(catalog.offers(GpuQuery.ALL).offers())
                .extracting(offer ->
                        offer.region().orElseThrow() + " " + offer.usdPerHour().orElseThrow())
                .containsExactly("us 0.20", "eu 0.25");
    }

    @Test
    @DisplayName("C-14 a GPU in any case and spelling")
    void filtersByAlias() {
        GpuCatalog catalog = catalog(
                Runnable::run,
                List.of(serverless(
                        "alpha",
                        () -> List.of(
                                offer("alpha", "A100_80GB", "2.50"),
                                offer("alpha", "A100_40GB", "2.10"),
                                offer("alpha", "MI300X", "2.00")))),
                List.of());

        assertThat(catalog.offers(GpuQuery.gpu("a100")).offers())
                .extracting(GpuOffer::gpu)
                .containsExactly("A100_80GB");
        assertThat(catalog.offers(GpuQuery.gpu("mi300x")).offers())
                .extracting(GpuOffer::gpu)
                .containsExactly("MI300X");
        assertThat(catalog.offers(GpuQuery.gpu("T4")).offers()).isEmpty();
    }

    @Test
    void aGpuThatNobodyKnowsIsAnError() {
        GpuCatalog catalog = catalog(Runnable::run, List.of(), List.of());

        assertThatThrownBy(() -> catalog.offers(GpuQuery.gpu("H10")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("'H10'")
                .hasMessageContaining("H100");
    }

    @Test
    @DisplayName("K-03 by provider, tier and highest price")
    void asksOnlyWhoTheQueryIsAbout() {
        var asked = new AtomicInteger();
        Supplier<List<GpuOffer>> counted = () -> {
            asked.incrementAndGet();
            return List.of(offer("beta", "L4", "0.80"));
        };
        GpuCatalog catalog = catalog(
                Runnable::run,
                List.of(
                        serverless("alpha", () -> List.of(offer("alpha", "L4", "0.80"), offer("alpha", "H100", "4"))),
                        serverless("beta", counted)),
                List.of(spot("spare", () -> List.of(pool("us", "us-a", "g6", "L4", "0.20")))));

        assertThat(catalog.offers(query("alpha", Set.of(), "1")).offers())
                .extracting(GpuOffer::gpu)
                .containsExactly("L4");
        assertThat(catalog.offers(query("", Set.of(Tier.SPOT), "")).offers())
                .extracting(GpuOffer::provider)
                .containsExactly("spare");
        assertThat(asked).hasValue(0);
    }

    @Test
    @DisplayName("K-03 by memory; a GPU of unknown memory does not count as large")
    void filtersByMemory() {
        GpuCatalog catalog = catalog(
                Runnable::run,
                List.of(serverless(
                        "alpha",
                        () -> List.of(
                                offer("alpha", "L4", "0.80"),
                                offer("alpha", "A100", "2"),
                                offer("alpha", "H100", "4"),
                                offer("alpha", "X900", "1")))),
                List.of());

        assertThat(catalog.offers(GpuQuery.ALL.withMemory(80)).offers())
                .extracting(GpuOffer::gpu)
                .containsExactly("A100_80GB", "H100");
        assertThat(catalog.offers(GpuQuery.ALL.withMemory(80).upTo(new BigDecimal("3")))
                        .offers())
                .extracting(GpuOffer::gpu)
                .containsExactly("A100_80GB");
    }

    @Test
    @DisplayName("K-05, K-06 the user's own prices go before what providers tell; the others stay")
    void pricesOfTheUsersOwnGoFirst() {
        prices = new Prices(List.of(
                Price.ofContainer("alpha", "nvidia l4", 1, new BigDecimal("0.50")),
                Price.ofMachine("spare", Tier.SPOT, "g6", new BigDecimal("0.10")),
                Price.ofMachine("spare", Tier.SPOT, "g6", new BigDecimal("0.05"))
                        .in("eu")));
        GpuCatalog catalog = catalog(
                Runnable::run,
                List.of(serverless("alpha", () -> List.of(offer("alpha", "L4", "0.80"), offer("alpha", "T4", "0.60")))),
                List.of(spot(
                        "spare",
                        () -> List.of(pool("us", "us-a", "g6", "L4", ""), pool("eu", "eu-a", "g6", "L4", "0.25")))));

        assertThat(catalog.offers(GpuQuery.ALL).offers())
                .extracting(offer -> offer.gpu() + " " + offer.region().orElse("anywhere") + " "
                        + offer.usdPerHour().orElseThrow() + " " + offer.source())
                .containsExactly(
                        "T4 anywhere 0.60 test",
                        "L4 eu 0.05 set by the user",
                        "L4 us 0.10 set by the user",
                        "L4 anywhere 0.50 set by the user");
    }

    @Test
    @DisplayName("K-07, K-08 a provider that stops answering costs its last offers nothing but their age")
    void whatAProviderAnsweredBeforeStandsInForAnAnswerThatDoesNotCome() {
        var fails = new AtomicBoolean();
        GpuCatalog catalog = catalog(
                Runnable::run,
                List.of(serverless("alpha", () -> {
                    if (fails.get()) {
                        throw ProviderException.of("alpha", "list offers")
                                .httpStatus(503)
                                .build();
                    }
                    return List.of(offer("alpha", "L4", "1"));
                })),
                List.of());
        catalog.offers(GpuQuery.ALL);
        fails.set(true);
        time.advance(Duration.ofHours(3));

        GpuListing old = catalog.offers(GpuQuery.ALL);
        assertThat(old.offers()).extracting(GpuOffer::provider).containsExactly("alpha");
        assertThat(old.problems())
                .singleElement()
                .satisfies(problem -> assertThat(problem).contains("503", "offers of 3h ago are used"));

        fails.set(false);
        assertThat(catalog.offers(GpuQuery.ALL).problems()).isEmpty();
    }

    @Test
    void anOldAnswerIsUsedWhileTheProviderIsAskedAnewButNotForEver() throws Exception {
        var price = new AtomicInteger(1);
        var calls = new ArrayDeque<Runnable>();
        GpuCatalog catalog = catalog(
                calls::add, List.of(serverless("alpha", () -> List.of(offer("alpha", "L4", price + "")))), List.of());
        CompletableFuture<GpuListing> first = catalog.offersAsync(GpuQuery.ALL);
        runAll(calls);
        assertThat(first).isDone();
        price.set(2);

        time.advance(Duration.ofMinutes(59));
        assertThat(prices(catalog.offersAsync(GpuQuery.ALL))).containsExactly("1");
        runAll(calls);
        assertThat(prices(catalog.offersAsync(GpuQuery.ALL))).containsExactly("2");

        time.advance(Duration.ofMinutes(61));
        CompletableFuture<GpuListing> last = catalog.offersAsync(GpuQuery.ALL);
        assertThat(last).isNotDone();
        runAll(calls);
        assertThat(last).isDone();
    }

    private static void runAll(Queue<Runnable> calls) {
        while (!calls.isEmpty()) {
            calls.remove().run();
        }
    }

    private static List<String> prices(CompletableFuture<GpuListing> listing) {
        assertThat(listing).isDone();
        return listing.join().offers().stream()
                .map(offer -> offer.usdPerHour().orElseThrow().toPlainString())
                .toList();
    }

    @Test
    void aProviderThatDoesNotExistIsAnError() {
        GpuCatalog catalog = catalog(Runnable::run, List.of(), List.of());

        assertThatThrownBy(() -> catalog.offers(query("runpod", Set.of(), "")))
                .isInstanceOf(ProviderNotFoundException.class)
                .hasMessageContaining("dev.tuna:tuna-provider-runpod");
    }

    @Test
    void aFailingProviderCostsOnlyItsOwnOffersAndIsAskedAgain() {
        var tries = new AtomicInteger();
        GpuCatalog catalog = catalog(
                Runnable::run,
                List.of(
                        serverless("alpha", () -> {
                            if (tries.incrementAndGet() == 1) {
                                throw ProviderException.of("alpha", "list offers")
                                        .httpStatus(503)
                                        .build();
                            }
                            return List.of(offer("alpha", "T4", "1"));
                        }),
                        serverless("beta", () -> {
                            throw new IllegalStateException("odd");
                        }),
                        serverless("gamma", () -> List.of(offer("gamma", "L4", "1")))),
                List.of());

        GpuListing first = catalog.offers(GpuQuery.ALL);

        assertThat(first.offers()).extracting(GpuOffer::provider).containsExactly("gamma");
        assertThat(first.problems()).hasSize(2);
        assertThat(first.problems().get(0)).contains("alpha", "503");
        assertThat(first.problems().get(1)).contains("beta", FakeServerless.class.getName(), "odd");
        assertThat(catalog.offers(GpuQuery.ALL).offers())
                .extracting(GpuOffer::provider)
                .containsExactly("alpha", "gamma");
    }

    @Test
    void anAnswerIsUsedForFiveMinutes() {
        var asked = new AtomicInteger();
        GpuCatalog catalog = catalog(
                Runnable::run,
                List.of(serverless("alpha", () -> {
                    asked.incrementAndGet();
                    return List.of(offer("alpha", "L4", "1"));
                })),
                List.of());

        catalog.offers(GpuQuery.ALL);
        time.advance(Duration.ofMinutes(4).plusSeconds(59));
        catalog.offers(GpuQuery.gpu("L4"));
        assertThat(asked).hasValue(1);

        time.advance(Duration.ofSeconds(2));
        catalog.offers(GpuQuery.ALL);
        assertThat(asked).hasValue(2);
    }

    @Test
    void aSlowProviderCostsOnlyItsOwnOffersAndHoldsOneThread() throws Exception {
        var goOn = new CountDownLatch(1);
        var slowIsAsked = new CountDownLatch(1);
        var asked = new AtomicInteger();
        ExecutorService pool = Executors.newCachedThreadPool();
        try {
            GpuCatalog catalog = catalog(
                    pool,
                    List.of(serverless("quick", () -> List.of(offer("quick", "L4", "1"))), serverless("slow", () -> {
                        asked.incrementAndGet();
                        slowIsAsked.countDown();
                        await(goOn);
                        return List.of(offer("slow", "L4", "2"));
                    })),
                    List.of());

            // So that virtual time does not overtake the thread that asks it.
            catalog.offersAsync(GpuQuery.ALL.ofProvider("quick")).get(60, TimeUnit.SECONDS);

            for (int query = 0; query < 3; query++) {
                CompletableFuture<GpuListing> listing = catalog.offersAsync(GpuQuery.ALL);
                assertThat(slowIsAsked.await(60, TimeUnit.SECONDS)).isTrue();
                time.advance(LIMIT.minusSeconds(1));
                assertThat(listing).isNotDone();
                time.advance(Duration.ofSeconds(1));

                GpuListing inTime = listing.get(60, TimeUnit.SECONDS);
                assertThat(inTime.offers()).extracting(GpuOffer::provider).containsExactly("quick");
                assertThat(inTime.problems()).containsExactly("slow: list offers took longer than 20s");
            }
            assertThat(asked).hasValue(1);

            CompletableFuture<GpuListing> last = catalog.offersAsync(GpuQuery.ALL);
            goOn.countDown();
            assertThat(last.get(60, TimeUnit.SECONDS).offers())
                    .extracting(GpuOffer::provider)
                    .containsExactly("quick", "slow");
            assertThat(time.pending()).isZero();
        } finally {
            goOn.countDown();
            pool.shutdownNow();
        }
    }

    @Test
    void providersAreAskedSideBySide() throws Exception {
        var together = new CyclicBarrier(2);
        ExecutorService pool = Executors.newFixedThreadPool(2);
        try {
            GpuCatalog catalog = catalog(
                    pool,
                    List.of(
                            serverless("alpha", () -> meet(together, offer("alpha", "L4", "1"))),
                            serverless("beta", () -> meet(together, offer("beta", "L4", "1")))),
                    List.of());

            GpuListing listing = catalog.offersAsync(GpuQuery.ALL).get(60, TimeUnit.SECONDS);

            assertThat(listing.problems()).isEmpty();
            assertThat(listing.offers()).hasSize(2);
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void noFreeThreadIsAProblemNotACrash() {
        Executor full = task -> {
            throw new RejectedExecutionException("full");
        };
        GpuCatalog catalog =
                catalog(full, List.of(serverless("alpha", () -> List.of(offer("alpha", "L4", "1")))), List.of());

        GpuListing listing = catalog.offers(GpuQuery.ALL);

        assertThat(listing.offers()).isEmpty();
        assertThat(listing.problems())
                .singleElement()
                .satisfies(problem -> assertThat(problem).contains("alpha", "full"));
    }

    private static List<GpuOffer> meet(CyclicBarrier barrier, GpuOffer offer) {
        try {
            barrier.await(60, TimeUnit.SECONDS);
            return List.of(offer);
        } catch (Exception e) {
            throw new AssertionError("the other provider was not asked at the same time", e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private static FakeServerless serverless(String name, Supplier<List<GpuOffer>> offers) {
        return new FakeServerless(name, context -> new FakeServerless.Cloud() {
            @Override
            public List<GpuOffer> offers(GpuQuery query) {
                return offers.get();
            }
        });
    }

    private static FakeSpot spot(String name, Supplier<List<PoolOffer>> pools) {
        return new FakeSpot(name, context -> new FakeSpot.Cloud() {
            @Override
            public List<PoolOffer> pools() {
                return pools.get();
            }
        });
    }

    private static GpuOffer offer(String provider, String gpu, String price) {
        return new GpuOffer(
                provider,
                Tier.SERVERLESS,
                gpu,
                1,
                Optional.empty(),
                Optional.empty(),
                price(price),
                Instant.EPOCH,
                "test");
    }

    private static PoolOffer pool(String region, String zone, String type, String gpu, String price) {
        return new PoolOffer(
                new CapacityPool("spare", region, zone, type, Tier.SPOT), gpu, 1, price(price), Instant.EPOCH, "live");
    }

    private static Optional<BigDecimal> price(String price) {
        return price.isEmpty() ? Optional.empty() : Optional.of(new BigDecimal(price));
    }

    private static GpuQuery query(String provider, Set<Tier> tiers, String most) {
        return new GpuQuery(
                Optional.empty(),
                provider.isEmpty() ? Optional.empty() : Optional.of(provider),
                Optional.empty(),
                tiers,
                OptionalInt.empty(),
                price(most));
    }

    private GpuCatalog catalog(Executor executor, List<FakeServerless> serverless, List<FakeSpot> spot) {
        var clouds = new Clouds(
                ProviderCatalog.of(serverless, spot),
                Map.of(),
                new InMemoryStateStore("owner"),
                new FileSecretStore(directory),
                HttpClient.newHttpClient(),
                time);
        return new GpuCatalog(clouds, executor, time.scheduler(), LIMIT, time::nanoTime, prices);
    }
}
