package dev.tuna.core.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tuna.api.Budget;
import dev.tuna.api.Budget.Action;
import dev.tuna.api.BudgetUse;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.core.Tuna;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.catalog.Price;
import dev.tuna.core.control.Allowance;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.StateStore;
import dev.tuna.testkit.cloud.LocalCloud;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the program on a router's machine makes of what its host tells it about money, also after it was started again. */
class SharedMoneyTest {

    /** Not near midnight, so that a day lasts as long as a test. */
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2026-03-15T12:00:00Z"));

    private static final Secret TOKEN = Secret.of("sesame");

    @TempDir
    private Path directory;

    private LocalCloud cloud;
    private int port;
    private StateStore store;
    private Tuna tuna;
    private RemoteControlPlane plane;

    @BeforeEach
    void begin() throws IOException {
        cloud = LocalCloud.builder().startInProcess();
        port = freePort();
        start();
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void start() {
        store = SqliteStateStore.open(directory, CLOCK);
        tuna = Tuna.builder()
                .store(store)
                .stateDirectory(directory)
                .clock(CLOCK)
                .listen("127.0.0.1", 0)
                .providerSettings("local", cloud.settings())
                .providerSettings("local-spot", cloud.settings())
                .lodging(port, TOKEN, lodging -> lodging)
                .start();
        plane = RemoteControlPlane.of(
                "vm",
                new BackendAddress(
                        URI.create("http://127.0.0.1:" + port),
                        Optional.of(Credential.bearer(TOKEN)),
                        "/health",
                        Optional.empty(),
                        0));
    }

    @AfterEach
    void end() {
        stop();
        cloud.close();
    }

    private void stop() {
        plane.close();
        tuna.close();
        store.close();
    }

    private void restart() {
        stop();
        start();
    }

    private static Budget aMonth(String usd) {
        return Budget.builder()
                .usdPerMonth(new BigDecimal(usd))
                .action(Action.REFUSE)
                .build();
    }

    private static Outlay spent(String deployment, String usd) {
        var day = new CostReport.Day(
                CLOCK.instant().atOffset(ZoneOffset.UTC).toLocalDate(),
                Tier.SPOT,
                Duration.ofHours(1),
                Optional.of(new BigDecimal(usd)));
        return new Outlay(deployment, List.of(day), new BigDecimal("0.25"), true);
    }

    private List<Outlay> told(Optional<Budget> budget, Outlay... elsewhere) {
        return plane.allow(new Allowance(budget, Optional.empty(), List.of(elsewhere), Optional.empty()));
    }

    private BudgetUse use() {
        return plane.overallBudget().uses().get(0);
    }

    /** With what little is spent here. */
    private void isUsed(String usd) {
        assertThat(use().usedUsd()).isCloseTo(new BigDecimal(usd), within(new BigDecimal("0.1")));
    }

    private Deployment deploy() {
        return tuna.deploy(DeployRequest.builder("Qwen/Qwen3-0.6B", "L4")
                .serviceName("chat")
                .serverlessProviders("local")
                .serverlessOnly(true)
                .build());
    }

    private static int ask(Deployment deployment) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(deployment.endpoint() + "/chat/completions"))
                                .header("Content-Type", "application/json")
                                .header(
                                        "Authorization",
                                        "Bearer "
                                                + deployment
                                                        .apiKey()
                                                        .orElseThrow()
                                                        .reveal())
                                .POST(
                                        HttpRequest.BodyPublishers.ofString(
                                                "{\"model\":\"Qwen/Qwen3-0.6B\",\"max_tokens\":3,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                                .build(),
                        BodyHandlers.discarding())
                .statusCode();
    }

    @Test
    void theBudgetOfAllHoldsThereWithWhatWasSpentElsewhere() throws Exception {
        assertThat(told(Optional.of(aMonth("100")), spent("a", "60"), spent("b", "39")))
                .as("nothing was ever here")
                .isEmpty();
        isUsed("99");
        Deployment chat = deploy();
        assertThat(ask(chat)).isEqualTo(200);

        told(Optional.of(aMonth("98")), spent("a", "60"), spent("b", "39"));
        assertThat(ask(chat)).isEqualTo(429);
        restart();
        chat = tuna.deployment("chat").orElseThrow();
        isUsed("99");
        assertThat(ask(chat)).isEqualTo(429);

        told(Optional.empty(), spent("a", "60"));
        assertThat(use().limitUsd())
                .as("who never heard of a budget changes none")
                .isEqualByComparingTo("98");
        isUsed("60");
        told(Optional.of(Budget.NONE));
        assertThat(plane.overallBudget().uses()).isEmpty();
        assertThat(ask(chat)).isEqualTo(200);
    }

    @Test
    void whatIsHereCountsOnceAlthoughTheHostTellsOfItToo() {
        Deployment chat = deploy();
        chat.ready().join();
        Outlay here = told(Optional.of(aMonth("100"))).get(0);
        assertThat(here.deployment()).isNotEmpty();

        told(Optional.empty(), spent(here.deployment(), "60"), spent("other", "1"));
        assertThat(use().usedUsd()).isLessThan(new BigDecimal("2"));
        chat.destroy().join();
        assertThat(told(Optional.empty(), spent(here.deployment(), "60"))).hasSize(1);
        assertThat(use().usedUsd()).isLessThan(BigDecimal.ONE);
    }

    @Test
    void whatRunsElsewhereCountsForAsLongAsSomebodyTells() {
        told(Optional.of(Budget.builder().usdPerHour(BigDecimal.ONE).build()), spent("a", "60"), spent("b", "1"));
        isUsed("0.50");
        told(Optional.empty(), spent("a", "60"));
        isUsed("0.25");
    }

    private GpuOffer offer() {
        return tuna.gpus(GpuQuery.gpu("L4").ofProvider("local").onTerms(Tier.SERVERLESS)).stream()
                .filter(offer -> offer.gpuCount() == 1)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void thePricesOfTheUserHoldThereUntilTheHostTellsOthers() {
        GpuOffer before = offer();
        Price price = Price.ofContainer("local", "L4", 1, new BigDecimal("9.99"));
        plane.allow(new Allowance(Optional.empty(), Optional.of(List.of(price)), List.of(), Optional.empty()));
        assertThat(offer().usdPerHour()).contains(new BigDecimal("9.99"));
        restart();
        assertThat(offer().usdPerHour()).contains(new BigDecimal("9.99"));
        told(Optional.empty());
        assertThat(offer().usdPerHour()).as("who was given none changes none").contains(new BigDecimal("9.99"));
        plane.allow(new Allowance(Optional.empty(), Optional.of(List.of()), List.of(), Optional.empty()));
        assertThat(offer().usdPerHour()).isEqualTo(before.usdPerHour());
    }
}
