package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Budget;
import dev.tuna.api.Budget.Action;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent.Kind;
import dev.tuna.api.RollReport;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SpotState;
import dev.tuna.api.Tier;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.cloud.plugin.LocalSpotProvider;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A limit of money that is hit while clients are answered, over real sockets: the local cloud, its model servers, the router. */
class BudgetUnderLoadIT {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int CLIENTS = 8;
    private static final int REFUSED = 429;
    private static final ControlTimings TIMINGS = ControlTimings.DEFAULT.toBuilder()
            .observeInterval(Duration.ofMillis(500))
            .busyInterval(Duration.ofMillis(50))
            .probeInterval(Duration.ofMillis(50))
            .build();

    @TempDir
    private Path directory;

    private final HttpClient client = HttpClient.newHttpClient();
    private final Queue<Instant> looks = new ConcurrentLinkedQueue<>();

    /** Notes when the cloud is looked at. */
    private final class Counting implements SpotProvider {
        private final SpotProvider local = new LocalSpotProvider();

        @Override
        public String name() {
            return local.name();
        }

        @Override
        public SpotCloud open(ProviderContext context) {
            SpotCloud cloud = local.open(context);
            return (SpotCloud) Proxy.newProxyInstance(
                    SpotCloud.class.getClassLoader(), new Class<?>[] {SpotCloud.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("observe")) {
                            looks.add(Instant.now());
                        }
                        try {
                            return method.invoke(cloud, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }
    }

    private static DeployRequest request(Budget budget) {
        return DeployRequest.builder(MODEL, "L4")
                .serviceName("chat")
                .serverlessProviders("local")
                .spotCloud("local-spot")
                .scaling(ScalingPolicy.DEFAULT.withSpot(
                        ScalingPolicy.Spot.builder().maxReplicas(1).build()))
                .budget(budget)
                .build();
    }

    private static void until(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    /** Clients that ask without a pause, every second one for a stream, each answer a second long or so. */
    private final class Clients implements AutoCloseable {

        private final ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
        private final AtomicLong answered = new AtomicLong();
        private final AtomicInteger underWay = new AtomicInteger();
        private final Queue<String> refused = new ConcurrentLinkedQueue<>();
        private final Queue<String> failed = new ConcurrentLinkedQueue<>();
        private volatile boolean over;

        Clients(Deployment chat) {
            for (int i = 0; i < CLIENTS; i++) {
                boolean stream = i % 2 == 0;
                threads.execute(() -> {
                    while (!over) {
                        ask(chat, stream);
                    }
                });
            }
        }

        private void ask(Deployment chat, boolean stream) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(chat.endpoint() + "/chat/completions"))
                    .timeout(PATIENCE)
                    .header("Content-Type", "application/json")
                    .header(
                            "Authorization",
                            "Bearer " + chat.apiKey().orElseThrow().reveal())
                    .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"" + MODEL + "\",\"stream\":" + stream
                            + ",\"max_tokens\":50,\"ignore_eos\":true,"
                            + "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                    .build();
            underWay.incrementAndGet();
            try {
                HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() == REFUSED) {
                    refused.add(answer.body());
                    over = true;
                } else if (answer.statusCode() != 200
                        || !answer.body().contains(stream ? "data: [DONE]" : "\"finish_reason\":\"length\"")) {
                    failed.add(answer.statusCode() + " " + answer.body());
                } else {
                    answered.incrementAndGet();
                }
            } catch (IOException e) {
                failed.add(e.toString());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                over = true;
            } finally {
                underWay.decrementAndGet();
            }
        }

        void finish() throws InterruptedException {
            over = true;
            threads.shutdown();
            assertThat(threads.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
        }

        @Override
        public void close() {
            over = true;
            threads.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Action.class,
            names = {"SERVERLESS_ONLY", "REFUSE"})
    void aBudgetThatIsHitActsWithinOneControlCycleAndNoRunningRequestFails(Action action) throws Exception {
        try (LocalCloud cloud = LocalCloud.builder()
                        .coldStart(Duration.ofMillis(300))
                        .bootDelay(Duration.ofMillis(300))
                        .standInArguments("--standin-tokens-per-second", "50")
                        .startInProcess();
                Tuna tuna = Tuna.builder()
                        .stateDirectory(directory)
                        .listen("127.0.0.1", 0)
                        .timings(TIMINGS)
                        .provider(new Counting())
                        .providerSettings("local", cloud.settings())
                        .providerSettings("local-spot", cloud.settings())
                        .start()) {
            for (String zone : List.of("local-1a", "local-1b")) {
                cloud.setPrice(zone + "/l4-1/SPOT", new BigDecimal("36")); // a cent a second
            }
            var hit = new CompletableFuture<Instant>();
            tuna.events(event -> {
                if (event.kind() == Kind.BUDGET) {
                    hit.complete(event.at());
                }
            });
            Deployment chat = tuna.deploy(request(Budget.NONE));
            until("spot serves", () -> chat.status().spotState() == SpotState.READY);
            try (Clients clients = new Clients(chat)) {
                until("spot answers", () -> clients.answered.get() >= CLIENTS);
                BigDecimal limit = chat.cost().total().add(new BigDecimal("0.03"));
                tuna.redeploy(request(
                        Budget.builder().usdPerMonth(limit).action(action).build()));
                assertThat(chat.rolled()
                                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                                .outcome())
                        .isEqualTo(RollReport.Outcome.ADJUSTED);

                until("the money is spent", () -> chat.cost().total().compareTo(limit) >= 0);
                Instant spent = Instant.now();
                assertThat(clients.underWay).as("requests in flight").hasPositiveValue();
                Instant acted = hit.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                // One look may have begun before, the next one sees it.
                assertThat(looks)
                        .filteredOn(look -> look.isAfter(spent) && look.isBefore(acted))
                        .hasSizeLessThanOrEqualTo(1);

                until(
                        "the replica ends",
                        () -> cloud.snapshot().replicas().stream()
                                .allMatch(replica -> replica.endedAt().isPresent()));
                if (action == Action.SERVERLESS_ONLY) {
                    long before = clients.answered.get();
                    until("serverless answers", () -> clients.answered.get() >= before + CLIENTS);
                }
                clients.finish();
                assertThat(clients.failed).isEmpty();
                assertThat(clients.refused).allMatch(body -> body.contains("insufficient_quota"));
                assertThat(clients.refused.isEmpty()).isEqualTo(action == Action.SERVERLESS_ONLY);
                assertThat(chat.status().traffic().failed()).isZero();
                until("all are counted", () -> chat.status().traffic().succeeded() == clients.answered.get());
                assertThat(chat.status().traffic().byTier()).containsKey(Tier.SPOT);
            }
            chat.destroy().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(cloud.snapshot().empty()).isTrue();
        }
    }
}
