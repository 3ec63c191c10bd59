package dev.tuna.core.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.tuna.api.BackendPhase;
import dev.tuna.api.Budget;
import dev.tuna.api.BudgetReport;
import dev.tuna.api.BudgetUse;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployPlan;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DeploymentStatus.BackendStatus;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.DeploymentSummary;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.LogEntry;
import dev.tuna.api.Orphan;
import dev.tuna.api.OrphanReport;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.ProviderException;
import dev.tuna.api.ProviderNotFoundException;
import dev.tuna.api.RollReport;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.SpotState;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.api.TimedOutException;
import dev.tuna.api.TunaException;
import dev.tuna.core.config.Wire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A control plane and its likeness on the other side of a real socket. */
class RemoteControlPlaneTest {

    private static final Instant NOW = Instant.parse("2026-02-03T04:05:06.123456789Z");

    @TempDir
    Path directory;

    private final Scripted plane = new Scripted();

    @SuppressWarnings("NullAway.Init")
    private ControlServer server;

    @SuppressWarnings("NullAway.Init")
    private ControlPlane remote;

    @BeforeEach
    void open() {
        server = ControlServer.open(plane, directory, new Random(1));
        remote = RemoteControlPlane.of(directory).orElseThrow();
    }

    @AfterEach
    void close() {
        remote.close();
        server.close();
    }

    @Nested
    class WhatIsSaid {

        @Test
        void aDeploymentIsTheSameOnBothSides() {
            Deployment here = plane.deployments().get(0);
            Deployment there = remote.deployments().get(0);

            assertThat(there.name()).isEqualTo("chat");
            assertThat(there.request()).isEqualTo(here.request());
            assertThat(there.endpoint()).isEqualTo(here.endpoint());
            assertThat(there.apiKey()).isEqualTo(here.apiKey()).isPresent();
            assertThat(there.status()).isEqualTo(here.status());
            assertThat(there.cost()).isEqualTo(here.cost());
            assertThat(there).hasToString("deployment 'chat'");
            assertThat(remote.deployment("chat")).contains(there);
            assertThat(remote.deployment("other")).isEmpty();
        }

        @Test
        void aStatusKeepsEveryPart() {
            assertThat(remote.status("chat")).isEqualTo(Scripted.STATUS);
        }

        @Test
        void aBillKeepsEveryDigit() {
            CostReport told = remote.cost("chat");

            assertThat(told).isEqualTo(Scripted.COST);
            assertThat(told.lines().get(0).usd()).contains(new BigDecimal("0.000001"));
            assertThat(told.total().toString()).isEqualTo("1E+3");
            assertThat(told.usdPerHourNow().scale()).isEqualTo(7);
            assertThat(told.allServerless()).isEmpty();
        }

        @Test
        void theBudgetOfAllIsReadAndSetOnTheOtherSide() {
            assertThat(remote.overallBudget()).isEqualTo(Scripted.BUDGET);
            Budget limits = Budget.builder()
                    .usdPerHour(new BigDecimal("1.10"))
                    .action(Budget.Action.REFUSE)
                    .build();
            remote.setOverallBudget(limits);
            remote.setOverallBudget(Budget.NONE);
            assertThat(plane.calls).containsExactly("budget", limits.toString(), Budget.NONE.toString());
        }

        @Test
        void historyAndOrphansKeepEveryPart() {
            assertThat(remote.history(7)).containsExactly(Scripted.STATUS);
            assertThat(plane.calls).contains("history 7");
            assertThat(remote.orphans()).isEqualTo(Scripted.ORPHANS);
        }

        @Test
        void anOrphanIsAdoptedOrDestroyedOnTheOtherSide() {
            Orphan orphan = Scripted.ORPHANS.found().get(0);

            assertThat(remote.adopt(orphan).name()).isEqualTo("chat");
            assertThat(remote.destroy(orphan)).as("not confirmed yet").isFalse();
            assertThat(remote.destroy(orphan)).isTrue();
            assertThat(plane.calls).contains("adopt " + orphan, "remove " + orphan);
            Orphan foreign = new Orphan("p", "i", "k", "o", "d", false, Optional.empty());
            assertThat(catchThrowableOfType(ConfigurationException.class, () -> remote.destroy(foreign)))
                    .hasMessage("never touched")
                    .extracting(ConfigurationException::code)
                    .isEqualTo(ErrorCode.INVALID_REQUEST);
        }

        @Test
        void aRequestIsDeployedByTheOtherSideAndItsPlanIsTheSame() {
            assertThat(remote.deploy(Scripted.request()).name()).isEqualTo("chat");
            assertThat(plane.redeployed).containsExactly(Scripted.request());
            assertThat(remote.plan(Scripted.request())).isEqualTo(Scripted.PLAN);
        }

        @Test
        void pricesChecksAndLogsKeepEveryPart() {
            GpuQuery query =
                    GpuQuery.gpu("L4").withMemory(24).onTerms(Tier.SPOT).upTo(new BigDecimal("1.50"));
            assertThat(remote.gpus(query)).isEqualTo(Scripted.OFFERS);
            assertThat(remote.gpus(GpuQuery.ALL)).isEqualTo(Scripted.OFFERS);
            assertThat(remote.check("local", "L4", Map.of("url", "http://x"), true))
                    .isEqualTo(Scripted.CHECKED);
            assertThat(remote.logs("chat", 7)).isEqualTo(Scripted.LOGS);
            assertThat(remote.summaries(3)).containsExactly(Scripted.SUMMARY);
            assertThat(remote.clearCache("chat")).containsExactly("local");
            assertThat(plane.calls)
                    .contains(
                            query.toString(),
                            GpuQuery.ALL.toString(),
                            "check local L4 {url=http://x} true",
                            "logs chat 7",
                            "summaries 3",
                            "clear chat");
        }

        @Test
        void aNameWithAnythingInItArrivesAsItIs() {
            assertThatThrownBy(() -> remote.status("a/b c+d%2Fé?x=1#")).isInstanceOf(TunaException.class);

            assertThat(plane.calls).contains("status a/b c+d%2Fé?x=1#");
        }

        @Test
        void noSecretTravelsByAccident() {
            assertThat(Wire.write(Map.of("key", Secret.of("sesame")))).isEqualTo("{\"key\":\"***\"}");
            assertThat(plane.calls).doesNotContain("key");
        }
    }

    @Nested
    class WhatTakesLong {

        @Test
        void aDestroyIsTakenOnAtOnceAndAnsweredAtItsEnd() throws Exception {
            CompletableFuture<DestroyReport> destroyed = remote.destroy("chat");

            assertThat(plane.calls).contains("destroy chat");
            assertThat(destroyed).isNotDone();
            plane.destroyed.complete(Scripted.REPORT);
            assertThat(destroyed.get(30, TimeUnit.SECONDS)).isEqualTo(Scripted.REPORT);
        }

        @Test
        void allAreDestroyedSideBySide() throws Exception {
            CompletableFuture<List<DestroyReport>> destroyed = remote.destroyAll();

            plane.destroyed.complete(Scripted.REPORT);
            assertThat(destroyed.get(30, TimeUnit.SECONDS)).containsExactly(Scripted.REPORT);
        }

        @Test
        void aDestroyThatFailsFailsWithTheSameWords() {
            CompletableFuture<DestroyReport> destroyed = remote.destroy("chat");
            plane.destroyed.completeExceptionally(new TimedOutException("the cloud does not confirm"));

            assertThatThrownBy(destroyed::join)
                    .isInstanceOf(CompletionException.class)
                    .cause()
                    .isInstanceOf(TimedOutException.class)
                    .hasMessage("the cloud does not confirm");
        }

        @Test
        void aChangedRequestIsHandedOverAndItsRollWaitedFor() throws Exception {
            DeployRequest changed =
                    Scripted.request().toBuilder().maxModelLen(2048).build();
            Deployment there = remote.redeploy(changed);

            assertThat(plane.redeployed).containsExactly(changed);
            assertThat(there.rolled().get(30, TimeUnit.SECONDS)).isEqualTo(Scripted.ROLL);
        }

        @Test
        void readinessIsWaitedFor() throws Exception {
            Deployment there = remote.deployments().get(0);
            CompletableFuture<Deployment> ready = there.ready();
            assertThat(ready).isNotDone();
            plane.ready.complete(plane.deployments().get(0));

            assertThat(ready.get(30, TimeUnit.SECONDS)).isEqualTo(there);
        }

        @Test
        void eventsComeInOrderUntilTheSubscriptionEnds() throws Exception {
            BlockingQueue<DeploymentEvent> heard = new ArrayBlockingQueue<>(10);
            ControlPlane.Subscription subscription = remote.events(event -> {
                heard.add(event);
                throw new IllegalStateException("a listener that fails");
            });
            plane.tell(event("one"));
            plane.tell(event("two\nlines"));

            assertThat(heard.poll(30, TimeUnit.SECONDS)).isEqualTo(event("one"));
            assertThat(heard.poll(30, TimeUnit.SECONDS)).isEqualTo(event("two\nlines"));
            subscription.close();
            subscription.close();
            plane.tell(event("three"));
            assertThat(remote.deployments()).hasSize(1);
            assertThat(heard).isEmpty();
        }

        @Test
        void whoDoesNotReadHoldsUpNobody() throws Exception {
            var lines = new Lines();
            for (int i = 0; i < 100_000; i++) {
                lines.add("line " + i);
            }

            var out = new java.io.ByteArrayOutputStream();
            lines.writeTo(out);
            assertThat(out.toString(java.nio.charset.StandardCharsets.UTF_8).lines())
                    .as("what was kept before the reader fell too far behind")
                    .hasSizeLessThan(10_000)
                    .contains("line 0");
        }

        @Test
        void whoWaitsForTheEndThatMakesTheHostCloseIsToldBeforeItCloses() {
            for (int i = 0; i < 50; i++) {
                ControlServer hosting = ControlServer.open(plane, directory, new SecureRandom());
                try (ControlPlane asking = RemoteControlPlane.of(directory).orElseThrow()) {
                    plane.destroyed = new CompletableFuture<>();
                    CompletableFuture<DestroyReport> destroyed = asking.destroy("chat");
                    plane.destroyed.complete(Scripted.REPORT);
                    hosting.close();
                    assertThat(destroyed.join()).isEqualTo(Scripted.REPORT);
                } finally {
                    hosting.close();
                }
            }
        }

        @Test
        void whatIsUnderWayEndsWhenTheControllingProcessCloses() {
            CompletableFuture<DestroyReport> destroyed = remote.destroy("chat");
            ControlPlane.Subscription events = remote.events(event -> {});
            server.close();

            assertThatThrownBy(destroyed::join)
                    .cause()
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.CLOSED))
                    .hasMessageContaining("process " + ProcessHandle.current().pid())
                    .hasMessageContaining(directory.toString());
            events.close();
        }

        private DeploymentEvent event(String message) {
            return new DeploymentEvent(NOW, "chat", DeploymentEvent.Kind.WARNING, Optional.of("spot-1"), message);
        }
    }

    @Nested
    class WhatGoesWrong {

        static Stream<TunaException> kinds() {
            return Stream.of(
                    new ConfigurationException(ErrorCode.NAME_TAKEN, "name 'chat' is taken: choose another"),
                    new ConfigurationException(
                            ErrorCode.INVALID_REQUEST, "deploy request", List.of("gpu is 'x': wrong", "model is ''")),
                    new ProviderNotFoundException(ErrorCode.PROVIDER_NOT_FOUND, "no provider is named 'x'"),
                    ProviderException.of("local", "create endpoint").build(),
                    ProviderException.of("local", "create endpoint")
                            .code(ErrorCode.CREDENTIALS)
                            .httpStatus(401)
                            .retryAfter(Duration.ofMillis(1500))
                            .retryable(true)
                            .message("no: really")
                            .build(),
                    new CapacityException(ErrorCode.CAPACITY, "no L4 in zone a"),
                    new CapacityException(ErrorCode.QUOTA, "no quota for L4"),
                    new TimedOutException("nothing happened"),
                    new StoreException(ErrorCode.STORE_UNWRITABLE, "the disk is full", new IOException("ENOSPC")));
        }

        @ParameterizedTest
        @MethodSource("kinds")
        void anErrorIsOfTheSameKindOnBothSides(TunaException here) {
            plane.failure = Optional.of(here);

            TunaException there = catchThrowableOfType(TunaException.class, () -> remote.status("chat"));

            assertThat(there).hasSameClassAs(here).hasMessage(here.getMessage());
            assertThat(there.code()).isEqualTo(here.code());
            assertThat(there.retryable()).isEqualTo(here.retryable());
            if (here instanceof ConfigurationException wrong) {
                assertThat(((ConfigurationException) there).problems()).isEqualTo(wrong.problems());
            }
            if (here instanceof ProviderException refused) {
                var told = (ProviderException) there;
                assertThat(told.provider()).isEqualTo(refused.provider());
                assertThat(told.operation()).isEqualTo(refused.operation());
                assertThat(told.httpStatus()).isEqualTo(refused.httpStatus());
                assertThat(told.retryAfter()).isEqualTo(refused.retryAfter());
            }
        }

        @Test
        void aDestroyThatIsRefusedSaysSoAtOnce() {
            plane.failure = Optional.of(new ConfigurationException(ErrorCode.NO_SUCH_DEPLOYMENT, "no 'x' here"));

            assertThatThrownBy(() -> remote.destroy("x")).hasMessage("no 'x' here");
        }

        @Test
        void aBugOnTheOtherSideIsNamedAsSuch() {
            plane.failure = Optional.empty();
            plane.bug = Optional.of(new IllegalStateException("a bug"));

            assertThatThrownBy(() -> remote.status("chat"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("see its log");
        }

        @Test
        void aProcessThatControlsNoLongerIsTold() {
            server.close();

            assertThatThrownBy(remote::deployments)
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.CLOSED))
                    .hasMessageContaining("try again");
            assertThat(RemoteControlPlane.of(directory)).isEmpty();
        }

        @Test
        void aProcessThatHangsIsNamedWithTheWayOut() throws IOException {
            try (var silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
                write(address(silent.getLocalPort(), ControlAddress.PROTOCOL, pid()));

                assertThatThrownBy(() -> RemoteControlPlane.of(directory, Duration.ofMillis(200)))
                        .isInstanceOf(TimedOutException.class)
                        .hasMessageContaining("process " + pid())
                        .hasMessageContaining("kill -9 " + pid())
                        .hasMessageContaining("takes over");
            }
        }

        @Test
        void aProcessThatHangsInTheMiddleOfAStreamIsNamedToo() throws Exception {
            try (var hanging = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
                var address = ControlAddress.ofThisProcess(
                        URI.create("http://127.0.0.1:" + hanging.getLocalPort()), Secret.of("t"));
                try (var connection = new Connection(Peer.process(directory, address), Duration.ofMillis(500))) {
                    CompletableFuture<Socket> accepted = CompletableFuture.supplyAsync(() -> beginAnswer(hanging));
                    CompletableFuture<DestroyReport> destroyed =
                            connection.begin("POST", "deployments/chat/destroy", new TypeReference<>() {});

                    assertThatThrownBy(destroyed::join)
                            .cause()
                            .isInstanceOf(TimedOutException.class)
                            .hasMessageContaining("kill -9 " + pid());
                    accepted.join().close();
                }
            }
        }

        private static Socket beginAnswer(ServerSocket server) {
            try {
                Socket socket = server.accept();
                socket.getOutputStream()
                        .write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n"
                                .getBytes(StandardCharsets.US_ASCII));
                return socket;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Test
        void aDestroyThatEndsInABugIsNamedAsSuch() {
            CompletableFuture<DestroyReport> destroyed = remote.destroy("chat");
            plane.destroyed.completeExceptionally(new IllegalStateException("a bug"));

            assertThatThrownBy(destroyed::join)
                    .cause()
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("see its log");
        }

        @Test
        void anAddressThatOthersCouldHaveWrittenIsNotTrusted() throws IOException {
            Path file = directory.resolve("control.json");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-r--"));
            assertThatThrownBy(() -> RemoteControlPlane.of(directory))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("open to other users");

            write("{\"protocol\":1,\"pid\":" + pid() + ",\"uri\":\"http://192.0.2.1:80\",\"token\":\"t\"}");
            assertThat(RemoteControlPlane.of(directory)).isEmpty();
            write("{\"protocol\":1,\"pid\":" + pid() + ",\"uri\":\"http://127.0.0.1:80\",\"token\":\"\"}");
            assertThat(RemoteControlPlane.of(directory)).isEmpty();
        }

        @Test
        void whatAnotherProcessAnswersForIsNotTakenFromIt() throws Exception {
            Process other = new ProcessBuilder("sleep", "1000").start();
            try {
                write(address(1, ControlAddress.PROTOCOL, other.pid()));
                assertThatThrownBy(() -> ControlServer.open(plane, directory, new SecureRandom()))
                        .isInstanceOfSatisfying(
                                StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_LOCKED))
                        .hasMessageContaining("process " + other.pid());
            } finally {
                other.destroyForcibly();
            }
        }

        @Test
        void aProcessOfAnotherVersionIsNamed() throws IOException {
            write(address(1, ControlAddress.PROTOCOL + 1, pid()));

            assertThatThrownBy(() -> RemoteControlPlane.of(directory))
                    .isInstanceOfSatisfying(
                            StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_TOO_NEW))
                    .hasMessageContaining("process " + pid());
        }

        @Test
        void whatADeadProcessLeftIsIgnored() throws Exception {
            Process dead = new ProcessBuilder("true").start();
            dead.waitFor();
            write(address(1, ControlAddress.PROTOCOL, dead.pid()));
            assertThat(RemoteControlPlane.of(directory)).isEmpty();

            write("half a fi");
            assertThat(RemoteControlPlane.of(directory)).isEmpty();
            write("{}");
            assertThat(RemoteControlPlane.of(directory)).isEmpty();
            assertThat(RemoteControlPlane.of(directory.resolve("none"))).isEmpty();
        }

        @Test
        void aClosedConnectionSaysSo() {
            remote.close();
            remote.close();

            assertThatThrownBy(remote::deployments)
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.CLOSED));
        }

        private static long pid() {
            return ProcessHandle.current().pid();
        }

        private static String address(int port, int protocol, long pid) {
            return "{\"protocol\":" + protocol + ",\"pid\":" + pid + ",\"uri\":\"http://127.0.0.1:" + port
                    + "\",\"token\":\"t\"}";
        }

        private void write(String content) throws IOException {
            Path file = directory.resolve("control.json");
            Files.writeString(file, content);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        }
    }

    @Nested
    class WhoMayAsk {

        @Test
        void nobodyWithoutTheToken() throws Exception {
            ControlAddress address = ControlAddress.in(directory).orElseThrow();
            HttpClient client = HttpClient.newHttpClient();
            for (String said : List.of(
                    "",
                    "Bearer",
                    "Bearer ",
                    "Bearer x",
                    "Basic " + address.token().reveal())) {
                for (String path : List.of("/deployments", "/deployments/chat/key", "/nonsense", "/")) {
                    HttpRequest.Builder request =
                            HttpRequest.newBuilder(address.uri().resolve(path));
                    if (!said.isEmpty()) {
                        request.header("Authorization", said);
                    }
                    assertThat(client.send(request.build(), BodyHandlers.ofString()))
                            .as("%s %s", said, path)
                            .satisfies(answer -> assertThat(answer.statusCode()).isEqualTo(403))
                            .satisfies(answer -> assertThat(answer.body()).isEmpty());
                }
            }
        }

        @Test
        void nobodyFromAnotherMachineOrUser() throws IOException {
            ControlAddress address = ControlAddress.in(directory).orElseThrow();

            assertThat(InetAddress.getByName(address.uri().getHost()).isLoopbackAddress())
                    .isTrue();
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("control.json"))))
                    .isEqualTo("rw-------");
            assertThat(address.token().reveal()).hasSize(64);
            assertThat(address.toString()).doesNotContain(address.token().reveal());
        }

        @Test
        void nobodyAfterItIsClosed() {
            server.close();
            server.close();

            assertThat(directory.resolve("control.json")).doesNotExist();
        }

        @Test
        void everyThreadSaysWhoseItIsAndHoldsUpNoExit() {
            var heard = remote.events(event -> {});

            assertThat(Thread.getAllStackTraces().keySet())
                    .filteredOn(thread -> thread.getName().startsWith("tuna-control-endpoint"))
                    .hasSizeGreaterThanOrEqualTo(2)
                    .allMatch(Thread::isDaemon);
            assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .doesNotContain("HTTP-Dispatcher", "idle-timeout-task", "server-timer");
            heard.close();
        }
    }

    /** Says and does what the test tells it. */
    private static final class Scripted implements ControlPlane {

        static final DeploymentStatus STATUS = new DeploymentStatus(
                "chat",
                DeploymentPhase.ACTIVE,
                URI.create("http://127.0.0.1:8080/v1"),
                SpotState.WARMING,
                List.of(
                        new BackendStatus(
                                "spot-1",
                                "local-spot",
                                Tier.SPOT,
                                BackendPhase.WEIGHTS,
                                "",
                                "r z m",
                                1,
                                0,
                                NOW,
                                Optional.of(NOW)),
                        new BackendStatus(
                                "local",
                                "local",
                                Tier.SERVERLESS,
                                BackendPhase.READY,
                                "\"quoted\"",
                                "",
                                3,
                                7,
                                Instant.EPOCH,
                                Optional.empty())),
                new TrafficStats(Long.MAX_VALUE, 2, 3, 4, 5, 6, 7, 8, Map.of(Tier.SERVERLESS, 2L, Tier.SPOT, 0L)),
                Instant.MAX,
                List.of("one", "two"),
                Optional.of(new DeploymentStatus.Roll(2, request(), NOW, NOW.plusSeconds(1))));

        static final CostReport COST = new CostReport(
                "chat",
                Instant.EPOCH,
                NOW,
                List.of(
                        new CostReport.Line(
                                Tier.SPOT,
                                "local-spot",
                                "spot-1",
                                Duration.ofNanos(1),
                                Optional.of(new BigDecimal("0.000001")),
                                true,
                                false),
                        new CostReport.Line(
                                Tier.ON_DEMAND, "x", "y", Duration.ofDays(400), Optional.empty(), false, true)),
                List.of(
                        new CostReport.Day(
                                LocalDate.EPOCH,
                                Tier.SPOT,
                                Duration.ofNanos(1),
                                Optional.of(new BigDecimal("0.000001"))),
                        new CostReport.Day(LocalDate.MAX, Tier.ON_DEMAND, Duration.ofHours(1), Optional.empty())),
                new BigDecimal("1E+3"),
                false,
                new BigDecimal("12.5000000"),
                Optional.empty(),
                Optional.of(new BigDecimal("123456789012345678901234567890.123456789")),
                List.of(
                        new BudgetUse(
                                true,
                                Budget.Period.MONTH,
                                new BigDecimal("100"),
                                new BigDecimal("99.999999"),
                                false,
                                Budget.Action.REFUSE,
                                Optional.empty()),
                        new BudgetUse(
                                false,
                                Budget.Period.HOUR,
                                BigDecimal.ONE,
                                new BigDecimal("1.5"),
                                true,
                                Budget.Action.WARN,
                                Optional.of(NOW))));

        static final BudgetReport BUDGET = new BudgetReport(
                Budget.builder().usdPerMonth(new BigDecimal("100")).build(), COST.budgets());

        static final DestroyReport REPORT = new DestroyReport("chat", List.of("local endpoint-1"), COST);

        static final OrphanReport ORPHANS = new OrphanReport(
                List.of(
                        new Orphan("local", "e-1", "endpoint", "owner", "chat", true, Optional.of(NOW)),
                        new Orphan("local", "e-2", "endpoint", "other", "chat", false, Optional.empty())),
                List.of("modal cannot be searched"),
                List.of("runpod"));

        static final RollReport ROLL = new RollReport("chat", RollReport.Outcome.ABANDONED, "no room");

        final List<String> calls = new CopyOnWriteArrayList<>();
        final List<DeployRequest> redeployed = new CopyOnWriteArrayList<>();
        volatile CompletableFuture<DestroyReport> destroyed = new CompletableFuture<>();
        final CompletableFuture<Deployment> ready = new CompletableFuture<>();
        final List<Consumer<DeploymentEvent>> listeners = new CopyOnWriteArrayList<>();
        volatile Optional<TunaException> failure = Optional.empty();
        volatile Optional<RuntimeException> bug = Optional.empty();

        void tell(DeploymentEvent event) {
            listeners.forEach(listener -> listener.accept(event));
        }

        static DeployRequest request() {
            return DeployRequest.builder("Qwen/Qwen3-0.6B", "L4")
                    .serviceName("chat")
                    .tpSize(2)
                    .gpuCount(2)
                    .engineArguments(List.of("--chat-template={{ \"x\" }}"))
                    .secrets(Map.of("HF_TOKEN", new SecretRef("hf")))
                    .build();
        }

        static final DeployPlan PLAN = new DeployPlan(
                request(),
                List.of(new DeployPlan.Step("local", Tier.SERVERLESS, "endpoint", "{}", Map.of("region", "x"))),
                List.of("tpSize: 1"),
                Optional.of(new DeployPlan.RouterMachine(
                        "local",
                        "vm",
                        false,
                        "small",
                        "here",
                        Optional.of(new BigDecimal("0.02")),
                        "a machine",
                        "{}")));

        static final PreflightReport CHECKED = new PreflightReport(
                "local",
                List.of(
                        PreflightReport.Check.passed("reachable", "yes"),
                        PreflightReport.Check.failed("quota", "none", "ask for some")));

        static final List<GpuOffer> OFFERS = List.of(new GpuOffer(
                "local",
                Tier.SERVERLESS,
                "L4",
                1,
                Optional.empty(),
                Optional.of("m"),
                Optional.of(new BigDecimal("1.10")),
                NOW,
                "table"));

        static final List<LogEntry> LOGS = List.of(
                new LogEntry("local", Optional.of(NOW), "c1", "\u0000 \"text\""),
                new LogEntry("local", Optional.empty(), "", ""));

        static final DeploymentSummary SUMMARY = new DeploymentSummary(
                "chat", DeploymentPhase.FAILED, "Qwen/Qwen3-0.6B", "L4", 2, 0, Instant.EPOCH, NOW);

        @Override
        public List<DeploymentSummary> summaries(int over) {
            called("summaries " + over);
            return List.of(SUMMARY);
        }

        @Override
        public Deployment deploy(DeployRequest request) {
            called("deploy");
            redeployed.add(request);
            return new Chat();
        }

        @Override
        public DeployPlan plan(DeployRequest request) {
            called("plan " + request.model());
            return PLAN;
        }

        @Override
        public PreflightReport check(String provider, String gpu, Map<String, String> options, boolean fix) {
            called("check " + provider + " " + gpu + " " + options + " " + fix);
            return CHECKED;
        }

        @Override
        public List<GpuOffer> gpus(GpuQuery query) {
            called(query.toString());
            return OFFERS;
        }

        @Override
        public List<LogEntry> logs(String name, int lines) {
            called("logs " + name + " " + lines);
            return LOGS;
        }

        @Override
        public List<String> clearCache(String name) {
            called("clear " + name);
            return List.of("local");
        }

        @Override
        public Deployment redeploy(DeployRequest request) {
            called("redeploy");
            redeployed.add(request);
            return new Chat();
        }

        private void called(String call) {
            calls.add(call);
            failure.ifPresent(e -> {
                throw e;
            });
            bug.ifPresent(e -> {
                throw e;
            });
        }

        @Override
        public List<Deployment> deployments() {
            return List.of(new Chat());
        }

        @Override
        public Optional<Deployment> deployment(String name) {
            return deployments().stream()
                    .filter(each -> each.name().equals(name))
                    .findFirst();
        }

        @Override
        public DeploymentStatus status(String name) {
            called("status " + name);
            if (!name.equals("chat")) {
                throw new ConfigurationException(ErrorCode.NO_SUCH_DEPLOYMENT, "no '" + name + "'");
            }
            return STATUS;
        }

        @Override
        public CostReport cost(String name) {
            called("cost " + name);
            return COST;
        }

        @Override
        public BudgetReport overallBudget() {
            called("budget");
            return BUDGET;
        }

        @Override
        public void setOverallBudget(Budget limits) {
            called(limits.toString());
        }

        @Override
        public CompletableFuture<DestroyReport> destroy(String name) {
            called("destroy " + name);
            return destroyed;
        }

        @Override
        public List<DeploymentStatus> history(int limit) {
            called("history " + limit);
            return List.of(STATUS);
        }

        @Override
        public OrphanReport orphans() {
            called("orphans");
            return ORPHANS;
        }

        @Override
        public Deployment adopt(Orphan orphan) {
            called("adopt " + orphan);
            return deployments().get(0);
        }

        @Override
        public boolean destroy(Orphan orphan) {
            if (!orphan.ours()) {
                throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "never touched");
            }
            boolean again = calls.contains("remove " + orphan);
            called("remove " + orphan);
            return again;
        }

        @Override
        public Subscription events(Consumer<DeploymentEvent> listener) {
            listeners.add(listener);
            return () -> listeners.remove(listener);
        }

        @Override
        public void close() {}

        private final class Chat implements Deployment {

            @Override
            public String name() {
                return "chat";
            }

            @Override
            public DeployRequest request() {
                return Scripted.request();
            }

            @Override
            public CompletableFuture<RollReport> rolled() {
                return CompletableFuture.completedFuture(ROLL);
            }

            @Override
            public URI endpoint() {
                return STATUS.endpoint();
            }

            @Override
            public Optional<Secret> apiKey() {
                return Optional.of(Secret.of("tuna-key"));
            }

            @Override
            public DeploymentStatus status() {
                return STATUS;
            }

            @Override
            public CostReport cost() {
                return COST;
            }

            @Override
            public CompletableFuture<Deployment> ready() {
                return ready;
            }

            @Override
            public CompletableFuture<DestroyReport> destroy() {
                return destroyed;
            }
        }
    }
}
