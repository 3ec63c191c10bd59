package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.ControlPlane.Subscription;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.ErrorCode;
import dev.tuna.core.Tuna;
import dev.tuna.core.remote.ControlServer;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.examples.terminal.Terminal;
import dev.tuna.testkit.cloud.LocalCloud;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedReader;
import java.io.PipedWriter;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever changes their mind in the middle, and processes that end while somebody speaks to them. */
class InterruptedTest {

    private static final String DEPLOY =
            "deploy --model Qwen/Qwen3-0.6B --gpu L4 --serverless-provider local --spots-cloud local-spot --service-name chat";
    private static final String HERE = " --listen 127.0.0.1:0";

    @TempDir
    private Path state;

    private final List<AutoCloseable> open = new ArrayList<>();

    @SuppressWarnings("NullAway.Init")
    private LocalCloud cloud;

    @BeforeEach
    void start() {
        cloud = LocalCloud.builder().startInProcess();
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable thing : open) {
            thing.close();
        }
        cloud.close();
    }

    /** A command at a terminal, and the person in front of it. */
    private final class Person {

        private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
        private final CompletableFuture<Void> told = new CompletableFuture<>();
        private volatile Runnable pressed = () -> told.complete(null);
        private final PipedWriter keys = new PipedWriter();
        private final CompletableFuture<Integer> exitCode;

        Person(String line) throws IOException {
            var stream = new PrintStream(screen, true, StandardCharsets.UTF_8);
            var session = new Session(
                    stream,
                    stream,
                    new Terminal(true, false),
                    new BufferedReader(new PipedReader(keys)),
                    Map.of(
                            "TUNA_STATE_DIR",
                            state.toString(),
                            "TUNA_LOCAL_CLOUD",
                            cloud.uri().toString(),
                            "HF_TOKEN",
                            "hf-planted"),
                    told,
                    action -> {
                        pressed = action;
                        return () -> pressed = () -> told.complete(null);
                    });
            exitCode = CompletableFuture.supplyAsync(() -> TunaCli.run(session, line.split(" ")));
        }

        String screen() {
            return screen.toString(StandardCharsets.UTF_8);
        }

        Person sees(String text) {
            Commands.await("'" + text + "' in: " + screen(), () -> screen().contains(text) || exitCode.isDone());
            assertThat(screen()).contains(text);
            return this;
        }

        Person types(String line) throws IOException {
            keys.write(line + "\n");
            keys.flush();
            return this;
        }

        Person pressesCtrlC() {
            pressed.run();
            return this;
        }

        void endsWith(int expected) throws Exception {
            assertThat(exitCode.get(60, TimeUnit.SECONDS)).as(this::screen).isEqualTo(expected);
        }
    }

    @Test
    @DisplayName("O-20 Ctrl-C at the question before a deploy is a no: nothing is made")
    void atTheFirstQuestion() throws Exception {
        Person person = new Person(DEPLOY + HERE).sees("[y/N]").pressesCtrlC();
        person.endsWith(ExitCode.BROKEN_OFF);
        assertThat(person.screen()).contains("Nothing was deployed.");
        assertThat(cloud.snapshot().empty()).isTrue();
        assertThat(state.resolve("state.db")).doesNotExist();
    }

    @Test
    @DisplayName("O-20 Ctrl-C at the question what to do stops the hosting and leaves what runs as it is")
    void atTheQuestionWhatToDo() throws Exception {
        Person person =
                new Person(DEPLOY + HERE + " --yes").sees("chat: serves").pressesCtrlC();
        person.sees("[detach/destroy/stop/CANCEL]").pressesCtrlC().endsWith(ExitCode.BROKEN_OFF);
        assertThat(new FileSecretStore(state).names("environment/chat/"))
                .as("it lives")
                .hasSize(1);
        assertThat(person.screen()).contains("chat is left as it is", "'tuna destroy chat' takes it down");
        assertThat(cloud.snapshot().empty()).isFalse();

        new Person("destroy chat --yes").endsWith(ExitCode.DONE);
        assertThat(cloud.snapshot().empty()).isTrue();
    }

    @Test
    @DisplayName(
            "O-20 Ctrl-C while one is being destroyed: it is told how that goes on, and what becomes of the others")
    void whileDestroying() throws Exception {
        Person person = new Person(DEPLOY + HERE + " --yes").sees("chat: serves");
        try (ControlPlane plane = Tuna.running(state).orElseThrow()) {
            plane.deploy(DeployRequest.builder("Qwen/Qwen3-1.7B", "L4")
                    .serviceName("other")
                    .serverlessProviders("local")
                    .serverlessOnly(true)
                    .build());
        }
        person.pressesCtrlC().sees("destroy chat, stop hosting");
        cloud.close(); // so that it takes its time
        person.types("destroy").sees("chat: tearing down").pressesCtrlC().endsWith(ExitCode.BROKEN_OFF);
        assertThat(person.screen())
                .contains(
                        "goes on destroying chat, 'tuna destroy chat' waits for the end",
                        "other is left as it is",
                        "'tuna destroy other' takes it down");

        Person again = new Person("destroy --all --yes").sees("chat").pressesCtrlC();
        again.endsWith(ExitCode.BROKEN_OFF);
        assertThat(again.screen())
                .contains(
                        "interrupted; whatever command comes next goes on destroying chat",
                        "'tuna destroy other' waits for the end");

        cloud = LocalCloud.builder().startInProcess(); // where nothing of it is
        new Person("destroy --all --yes").endsWith(ExitCode.DONE);
        assertThat(screenOf("list")).contains("Nothing is deployed.");
    }

    private String screenOf(String line) throws Exception {
        var person = new Person(line);
        person.endsWith(ExitCode.DONE);
        return person.screen();
    }

    @Test
    @DisplayName("a process that is about to end is waited for by one that is to host with an address of its own")
    void theHostIsAboutToEnd() throws Exception {
        var looks = new CountDownLatch(3);
        ControlServer ending = opened(ControlServer.open(endingHost(looks, new AtomicBoolean()), state, new Random(1)));
        Person person = new Person(DEPLOY + HERE + " --yes");
        assertThat(looks.await(60, TimeUnit.SECONDS)).as(person.screen()).isTrue();
        ending.close();
        person.sees("chat: serves").pressesCtrlC();
        person.sees("[detach/destroy/stop/CANCEL]").types("destroy").endsWith(ExitCode.DONE);
        assertThat(person.screen()).contains("chat is destroyed").doesNotContain("is closed", "hf-planted");
        assertThat(new FileSecretStore(state).names("environment/"))
                .as("what was kept for it")
                .isEmpty();
        assertThat(cloud.snapshot().empty()).isTrue();
    }

    @Test
    @DisplayName("a process that ends when it is asked to take a deployment on is followed by this one, which hosts it")
    void theHostEnds() throws Exception {
        var asked = new AtomicBoolean();
        opened(ControlServer.open(endingHost(new CountDownLatch(0), asked), state, new Random(1)));
        opened(occupied(8080));
        Person person = new Person(DEPLOY + " --yes");
        person.endsWith(ExitCode.FAILED);
        assertThat(asked).isTrue();
        assertThat(person.screen()).as("as far as it comes").contains("8080").doesNotContain("is closed");
    }

    private <T extends AutoCloseable> T opened(T thing) {
        open.add(thing);
        return thing;
    }

    /** By this process, unless another one has it already. */
    private static ServerSocket occupied(int port) throws IOException {
        var socket = new ServerSocket();
        try {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        } catch (BindException e) {
            return socket;
        }
        return socket;
    }

    /** One that has nothing to do any more, and takes nothing on. */
    private static ControlPlane endingHost(CountDownLatch looks, AtomicBoolean taken) {
        return (ControlPlane) Proxy.newProxyInstance(
                InterruptedTest.class.getClassLoader(), new Class<?>[] {ControlPlane.class}, (proxy, method, words) -> {
                    if (method.getReturnType() == Subscription.class) {
                        return (Subscription) () -> {};
                    }
                    if (method.getName().equals("deployments")) {
                        looks.countDown();
                        return List.of();
                    }
                    taken.set(true);
                    throw new ConfigurationException(ErrorCode.CLOSED, "this Tuna is closed; start another one");
                });
    }

    @Test
    @DisplayName("--listen and budgets for all are refused while another process hosts, which has its own")
    void listenWhereAnotherOneHosts() throws Exception {
        Person host = new Person(DEPLOY + HERE + " --yes").sees("chat: accepted");
        for (String own : List.of("--listen 127.0.0.1:0", "--total-budget-per-day 5")) {
            var second = new Person(DEPLOY.replace("chat", "other") + " --yes " + own);
            second.endsWith(ExitCode.USAGE);
            assertThat(second.screen()).contains("one hosts " + state + " already", "leave them out");
        }
        assertThat(screenOf("list")).doesNotContain("other");
        new Person("destroy chat --yes").endsWith(ExitCode.DONE);
        host.endsWith(ExitCode.DONE);
    }
}
