package dev.tuna.core.provider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.ProviderException;
import dev.tuna.api.ProviderNotFoundException;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.StateChange;
import dev.tuna.testkit.time.VirtualTime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CloudsTest {

    private static final ResourceRef REPLICA = new ResourceRef("spare", "instance", "i-1");

    private final VirtualTime time = VirtualTime.create();
    private final InMemoryStateStore state = new InMemoryStateStore("owner1");
    private final HttpClient http = HttpClient.newHttpClient();

    @Test
    void opensEachCloudOnceAndOnlyWhenAskedFor() {
        var opened = new AtomicInteger();
        var provider = new FakeServerless("alpha", context -> {
            opened.incrementAndGet();
            return new FakeServerless.Cloud();
        });
        try (Clouds clouds = clouds(provider)) {
            assertThat(opened).hasValue(0);

            ServerlessCloud first = clouds.serverless("alpha");

            assertThat(clouds.serverless("alpha")).isSameAs(first);
            assertThat(opened).hasValue(1);
        }
    }

    @Test
    void opensOnceWhenManyThreadsAskAtTheSameTime() throws Exception {
        var opened = new AtomicInteger();
        var provider = new FakeServerless("alpha", context -> {
            opened.incrementAndGet();
            return new FakeServerless.Cloud();
        });
        ExecutorService pool = Executors.newFixedThreadPool(8);
        try {
            for (int round = 0; round < 50; round++) {
                opened.set(0);
                var gate = new CountDownLatch(1);
                try (Clouds clouds = clouds(provider)) {
                    var asked = new ArrayList<Future<ServerlessCloud>>();
                    for (int i = 0; i < 8; i++) {
                        asked.add(pool.submit(() -> {
                            gate.await();
                            return clouds.serverless("alpha");
                        }));
                    }
                    gate.countDown();
                    for (Future<ServerlessCloud> cloud : asked) {
                        assertThat(cloud.get(60, TimeUnit.SECONDS)).isSameAs(clouds.serverless("alpha"));
                    }
                    assertThat(opened).hasValue(1);
                }
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void givesAPluginWhatItNeeds() {
        var seen = new ArrayList<ProviderContext>();
        var provider = new FakeServerless("alpha", context -> {
            seen.add(context);
            return new FakeServerless.Cloud();
        });
        SecretStore secrets = new OneSecret();
        state.save(StateChange.of(new DeploymentRecord(
                "d1", "chat", DeploymentPhase.ACTIVE, "{}", "{}", time.instant(), time.instant())));
        try (Clouds clouds = new Clouds(
                ProviderCatalog.of(List.of(provider), List.of(new FakeSpot("spare"))),
                Map.of("alpha", Map.of("region", "eu"), "spare", Map.of("region", "us")),
                state,
                secrets,
                http,
                time)) {
            clouds.serverless("alpha");

            ProviderContext context = seen.get(0);
            assertThat(context.ownerId()).isEqualTo("owner1");
            assertThat(context.settings()).isEqualTo(Map.of("region", "eu"));
            assertThat(context.secrets()).isSameAs(secrets);
            assertThat(context.http()).isSameAs(http);
            assertThat(context.clock()).isSameAs(time);
            ResourceRef template = new ResourceRef("alpha", "template", "t");
            context.journal().intend("chat", template, "{}");
            assertThat(context.journal().open("chat")).containsExactly(template);
        }
    }

    @Test
    void everythingThatAPluginCanDoIsGuarded() {
        assertThat(methods(GuardedServerlessCloud.class)).containsAll(methods(ServerlessCloud.class));
        assertThat(methods(GuardedSpotCloud.class)).containsAll(methods(SpotCloud.class));
        assertThat(methods(GuardedRouterCloud.class)).containsAll(methods(RouterCloud.class));
    }

    /** A default method that is not overridden would never reach the plugin. */
    private static List<String> methods(Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers()))
                .map(method -> method.getName() + Arrays.toString(method.getParameterTypes()))
                .toList();
    }

    @Test
    void settingsForAProviderThatDoesNotExistAreRefused() {
        assertThatThrownBy(() -> new Clouds(
                        ProviderCatalog.of(List.of(), List.of()),
                        Map.of("runpod", Map.of()),
                        state,
                        new OneSecret(),
                        http,
                        time))
                .isInstanceOf(ProviderNotFoundException.class)
                .hasMessageContaining("dev.tuna:tuna-provider-runpod");
    }

    @Test
    void aPluginThatFailsToOpenIsNamedAndTriedAgain() {
        var tries = new AtomicInteger();
        var provider = new FakeServerless("alpha", context -> {
            if (tries.incrementAndGet() == 1) {
                throw new IllegalStateException("no region");
            }
            return new FakeServerless.Cloud();
        });
        try (Clouds clouds = clouds(provider)) {
            assertThatThrownBy(() -> clouds.serverless("alpha"))
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("alpha: open failed")
                    .hasMessageContaining(FakeServerless.class.getName())
                    .hasMessageContaining("no region");

            assertThat(clouds.serverless("alpha")).isNotNull();
        }
    }

    @Test
    @SuppressWarnings("NullAway")
    void aPluginThatOpensNothingIsNamed() {
        try (Clouds clouds = clouds(new FakeServerless("alpha", context -> null))) {
            assertThatThrownBy(() -> clouds.serverless("alpha"))
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("returned null");
        }
    }

    @Test
    void whatAPluginThrowsOnPurposeComesThroughAsItIs() {
        var refusal =
                ProviderException.of("alpha", "list offers").httpStatus(500).build();
        try (Clouds clouds = clouds(new FakeServerless("alpha", context -> new FakeServerless.Cloud() {
            @Override
            public List<GpuOffer> offers(GpuQuery query) {
                throw refusal;
            }
        }))) {
            assertThatThrownBy(() -> clouds.serverless("alpha").offers(GpuQuery.ALL))
                    .isSameAs(refusal);
        }
    }

    @Test
    void whatAPluginThrowsByMistakeNamesItsClass() {
        var mistake = new IllegalArgumentException("oops");
        try (Clouds clouds = clouds(new FakeServerless("alpha", context -> new FakeServerless.Cloud() {
            @Override
            public List<GpuOffer> offers(GpuQuery query) {
                throw mistake;
            }

            @Override
            public void destroy(ResourceRef resource) {
                throw new NoClassDefFoundError("com/vendor/Client");
            }

            @Override
            public List<FoundResource> find() {
                throw new UncheckedIOException(new IOException("reset"));
            }
        }))) {
            ServerlessCloud cloud = clouds.serverless("alpha");

            assertThatThrownBy(() -> cloud.offers(GpuQuery.ALL))
                    .isInstanceOfSatisfying(ProviderException.class, e -> {
                        assertThat(e.provider()).isEqualTo("alpha");
                        assertThat(e.operation()).isEqualTo("list offers");
                        assertThat(e.retryable())
                                .as("how far it got is unknown")
                                .isTrue();
                    })
                    .hasCause(mistake)
                    .hasMessageContaining(FakeServerless.class.getName())
                    .hasMessageContaining("oops");
            assertThatThrownBy(() -> cloud.destroy(new ResourceRef("alpha", "endpoint", "e")))
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("com/vendor/Client");
            assertThatThrownBy(cloud::find).isInstanceOfSatisfying(ProviderException.class, e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.UNREACHABLE);
                assertThat(e.retryable()).isTrue();
            });
        }
    }

    @Test
    @SuppressWarnings("NullAway")
    void missingResultsAreTheFaultOfThePlugin() {
        try (Clouds clouds = clouds(new FakeSpot("spare", context -> new FakeSpot.Cloud() {
            @Override
            public ResourceRef launch(LaunchPlan plan) {
                return null;
            }

            @Override
            public List<FoundResource> find() {
                return Arrays.asList((FoundResource) null);
            }

            @Override
            public Map<ResourceRef, ReplicaObservation> observe(Collection<ResourceRef> replicas) {
                return Map.of();
            }
        }))) {
            SpotCloud cloud = clouds.spot("spare");

            assertThatThrownBy(() -> cloud.launch(new LaunchPlan("chat", "t", List.of(), "", "")))
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("launch replica failed")
                    .hasMessageContaining(FakeSpot.class.getName() + " returned null");
            assertThatThrownBy(cloud::find).isInstanceOf(ProviderException.class);
            assertThatThrownBy(() -> cloud.observe(List.of(REPLICA)))
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("no observation of [spare/instance/i-1]");
            assertThat(cloud.observe(List.of())).isEmpty();
        }
    }

    @Test
    void closesWhatItOpenedOnceEvenIfOneFails() {
        var closed = new AtomicInteger();
        var bad = new FakeServerless("bad", context -> new FakeServerless.Cloud() {
            @Override
            public void close() {
                throw new IllegalStateException("stuck");
            }
        });
        var good = new FakeServerless("good", context -> new FakeServerless.Cloud() {
            @Override
            public void close() {
                closed.incrementAndGet();
            }
        });
        var unused = new FakeServerless("unused", context -> {
            throw new AssertionError("was not asked for");
        });
        var spare = new FakeSpot("spare", context -> new FakeSpot.Cloud() {
            @Override
            public void close() {
                closed.incrementAndGet();
            }
        });
        Clouds clouds = new Clouds(
                ProviderCatalog.of(List.of(bad, good, unused), List.of(spare)),
                Map.of(),
                state,
                new OneSecret(),
                http,
                time);
        clouds.serverless("bad");
        clouds.serverless("good");
        clouds.spot("spare");

        clouds.close();
        clouds.close();

        assertThat(closed).hasValue(2);
        assertThat(state.load().deployments()).isEmpty();
        assertThatThrownBy(() -> clouds.serverless("good"))
                .isInstanceOfSatisfying(
                        ConfigurationException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CLOSED));
    }

    @Test
    void aCloudThatIsBeingOpenedDuringCloseIsClosedAsSoonAsItIsOpen() throws Exception {
        var opening = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var closed = new CountDownLatch(1);
        Clouds clouds = clouds(new FakeServerless("alpha", context -> {
            opening.countDown();
            await(goOn);
            return new FakeServerless.Cloud() {
                @Override
                public void close() {
                    closed.countDown();
                }
            };
        }));
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            Future<ServerlessCloud> asked = pool.submit(() -> clouds.serverless("alpha"));
            await(opening);

            clouds.close();
            assertThat(closed.getCount()).isEqualTo(1);
            goOn.countDown();

            asked.get(60, TimeUnit.SECONDS);
            await(closed);
        } finally {
            goOn.countDown();
            pool.shutdownNow();
        }
    }

    @Test
    void openingOneCloudKeepsNobodyFromAnotherOne() throws Exception {
        var opening = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var slow = new FakeServerless("slow", context -> {
            opening.countDown();
            await(goOn);
            return new FakeServerless.Cloud();
        });
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (Clouds clouds = clouds(slow, new FakeServerless("quick"))) {
            Future<ServerlessCloud> asked = pool.submit(() -> clouds.serverless("slow"));
            await(opening);

            assertThat(clouds.serverless("quick")).isNotNull();
            assertThat(asked.isDone()).isFalse();
            goOn.countDown();
            assertThat(asked.get(60, TimeUnit.SECONDS)).isNotNull();
        } finally {
            goOn.countDown();
            pool.shutdownNow();
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

    private Clouds clouds(FakeServerless... providers) {
        return clouds(ProviderCatalog.of(List.of(providers), List.of()));
    }

    private Clouds clouds(FakeSpot provider) {
        return clouds(ProviderCatalog.of(List.of(), List.of(provider)));
    }

    private Clouds clouds(ProviderCatalog catalog) {
        return new Clouds(catalog, Map.of(), state, new OneSecret(), http, time);
    }

    private static final class OneSecret implements SecretStore {
        @Override
        public Optional<Secret> get(SecretRef ref) {
            return Optional.of(Secret.of("s3cret"));
        }

        @Override
        public void put(SecretRef ref, Secret secret) {}

        @Override
        public void remove(SecretRef ref) {}
    }
}
