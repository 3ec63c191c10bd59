package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.core.Tuna;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.examples.terminal.Terminal;
import dev.tuna.spi.StateStore;
import dev.tuna.testkit.cloud.LocalCloud;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TunaCliTest {

    @TempDir
    private Path state;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Map<String, String> environment = new HashMap<>();
    private CompletableFuture<Void> interrupted = new CompletableFuture<>();

    @Nested
    class Usage {

        @Test
        void withoutACommandItSaysThatOneIsMissing() {
            assertThat(tuna()).isEqualTo(2);
            assertThat(err()).contains("a command is missing").contains("Try 'tuna --help'.");
        }

        @Test
        void helpNamesEveryCommandAndTheExitCodes() {
            assertThat(tuna("--help")).isZero();
            assertThat(out())
                    .contains(
                            "deploy",
                            "status",
                            "cost",
                            "list",
                            "show-gpus",
                            "check",
                            "destroy",
                            "orphans",
                            "logs",
                            "host",
                            "router",
                            "completion",
                            "Exit codes");
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "deploy",
                    "status",
                    "cost",
                    "budget",
                    "list",
                    "show-gpus",
                    "check",
                    "destroy",
                    "orphans",
                    "logs",
                    "host"
                })
        void everyCommandExplainsItself(String command) {
            assertThat(tuna(command, "--help")).isZero();
            assertThat(out()).contains("tuna " + command, "--state-dir", "--verbose");
        }

        @ParameterizedTest
        @CsvSource(
                delimiter = '|',
                quoteCharacter = '"',
                value = {
                    "deplyo|deploy",
                    "deploy --model m --gpu L4 --gpu-cuont 2|--gpu-count",
                    "show-gpus --provder local|--provider"
                })
        void aMistypedWordIsAnsweredWithTheNearest(String line, String nearest) {
            assertThat(tuna(line.split(" "))).isEqualTo(2);
            assertThat(err()).contains(nearest);
            assertThat(out()).isEmpty();
        }

        @ParameterizedTest
        @CsvSource(
                delimiter = '|',
                quoteCharacter = '"',
                value = {
                    "deploy --gpu L4|--model",
                    "deploy --model m|--gpu",
                    "deploy --model m --gpu L4 --gpu-count two|'two'",
                    "deploy --model m --gpu L4 --gpu-count 0|gpuCount is '0' but must be 1 or more",
                    "deploy --model m --gpu L4 --service-name Chat_1|serviceName is 'Chat_1'",
                    "deploy --model m --gpu L4 --cold-start-mode warm|'warm'",
                    "deploy --model m --gpu L4 --listen nowhere|'nowhere' is no listen address",
                    "deploy --model m --gpu L4 --scaling-policy no-such.yaml|no-such.yaml",
                    "deploy --model m --gpu L4 --concurrency 0|serverless.concurrency is '0'",
                    "list -P url=http://localhost|PROVIDER.KEY=VALUE",
                    "list --output xml|xml",
                    "check|--provider",
                    "check --provider lcoal|local",
                    "destroy|needs the NAME of a deployment, or --all",
                    "destroy a --service-name b --yes|one deployment can be meant",
                    "deploy --model m --gpu L4 --serverless-provider local --budget-action warn|needs a limit",
                    "deploy --model m --gpu L4 --serverless-provider local --total-budget-action warn|needs a limit",
                    "deploy --model m --gpu L4 --serverless-provider local --no-wait|--no-wait needs --detach",
                    "budget --budget-per-day 5|NAME is missing",
                    "budget chat --all|leave one of the two out",
                    "budget --all --budget-action warn|needs a limit",
                    "orphans --adopt a --destroy b|mutually exclusive",
                    "orphans --destroy a|no orphan has the id 'a'",
                    "destroy chat --all|needs the NAME of a deployment, or --all"
                })
        void aWrongFlagIsNamedAndNothingIsDone(String line, String named) throws IOException {
            assertThat(tuna(line.split(" "))).isEqualTo(2);
            assertThat(err()).startsWith("tuna: ").contains(named).doesNotContain("\tat ");
            assertThat(out()).isEmpty();
        }
    }

    @Nested
    class Alone {

        @Test
        void withoutDeploymentsEveryCommandSaysSo() {
            for (String command : List.of("list", "status", "cost", "destroy --all")) {
                out.reset();
                assertThat(tuna(command.split(" "))).isZero();
                assertThat(out()).isEqualTo("Nothing is deployed.\n");
            }
            out.reset();
            assertThat(tuna("list", "--output", "json")).isZero();
            assertThat(out().strip()).isEqualTo("[ ]");
        }

        @ParameterizedTest
        @ValueSource(strings = {"status chat", "cost chat", "destroy chat --yes", "status --service-name chat"})
        void aDeploymentThatDoesNotExistIsNamedInOneLine(String line) {
            assertThat(tuna(line.split(" "))).isEqualTo(1);
            assertThat(err()).startsWith("tuna: ").contains("'chat'").hasLineCount(1);
        }

        @Test
        void whatControlsTheStoreIsActedThrough() {
            try (Tuna other =
                    Tuna.builder().stateDirectory(state).listen("127.0.0.1", 0).start()) {
                for (String command : List.of("list", "status", "cost", "destroy --all")) {
                    out.reset();
                    assertThat(tuna(command.split(" "))).as(command).isZero();
                    assertThat(out()).isEqualTo("Nothing is deployed.\n");
                }
                assertThat(tuna("status", "chat")).isEqualTo(1);
                assertThat(err()).isEqualTo("tuna: no deployment is named 'chat'; none is live\n");
                assertThat(tuna("show-gpus")).as("needs nobody").isZero();
                assertThat(other.deployments()).isEmpty();
            }
        }

        @Test
        void whatAnotherProcessHostsIsNotHostedTwice() {
            try (Tuna other =
                    Tuna.builder().stateDirectory(state).listen("127.0.0.1", 0).start()) {
                assertThat(tuna("host", "--detach")).isEqualTo(1);
                assertThat(err()).contains("another process hosts " + state);
                assertThat(state.resolve("tuna.log")).doesNotExist();
                assertThat(other.deployments()).isEmpty();
            }
        }

        @Test
        void withoutAHostNobodyIsToldHowToReachADeployment() {
            assertThat(tuna("status", "chat", "--access")).isEqualTo(1);
            assertThat(err()).contains("no process hosts", "'tuna host'");
        }

        @Test
        void aStoreWhoseControllerLetsNobodyInIsNamedInOneLineAndOnlyVerboseShowsWhereItCameFrom() {
            try (Tuna other = Tuna.builder()
                    .stateDirectory(state)
                    .listen("127.0.0.1", 0)
                    .controlEndpoint(false)
                    .start()) {
                assertThat(tuna("list")).isEqualTo(1);
                assertThat(err())
                        .startsWith("tuna: ")
                        .contains(state.toString())
                        .hasLineCount(1);
                err.reset();
                assertThat(tuna("list", "-v")).isEqualTo(1);
                assertThat(err()).contains("\tat ");
                assertThat(other.deployments()).isEmpty();
            }
        }
    }

    @Nested
    class OnALocalCloud {

        @Test
        void aDeploymentIsHostedLookedAtAndDestroyed() throws Exception {
            try (LocalCloud cloud = LocalCloud.builder().startInProcess()) {
                String[] deploy =
                        ("deploy --model Qwen/Qwen3-0.6B --gpu L4 --service-name chat --serverless-provider local"
                                        + " --spots-cloud local-spot --listen 127.0.0.1:0 --no-scale-to-zero --local-cloud "
                                        + cloud.uri())
                                .split(" ");
                CompletableFuture<Integer> hosting = CompletableFuture.supplyAsync(() -> tuna(deploy));
                await(() -> cloud.snapshot().replicas().stream()
                        .anyMatch(replica -> replica.phase().name().equals("READY")));
                String curl = out().lines()
                        .filter(line -> line.contains("curl "))
                        .findFirst()
                        .orElseThrow()
                        .replaceFirst(".*?curl ", "curl --silent --show-error --fail ");
                Process pasted = new ProcessBuilder("sh", "-c", curl)
                        .redirectErrorStream(true)
                        .start();
                String answer = new String(pasted.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(pasted.waitFor()).as(answer).isZero();
                assertThat(new JsonMapper()
                                .readTree(answer)
                                .at("/choices/0/message/content")
                                .asText())
                        .isNotBlank();

                interrupted.complete(null);
                assertThat(hosting.get(60, TimeUnit.SECONDS)).isZero();
                assertThat(err()).contains("tuna destroy chat");
                assertThat(cloud.snapshot().empty()).isFalse();
                interrupted = new CompletableFuture<>();

                String url = cloud.uri().toString();
                assertThat(json("list", "--local-cloud", url).at("/0/name").asText())
                        .isEqualTo("chat");
                JsonNode unhosted = json("status", "chat", "--local-cloud", url);
                assertThat(unhosted.at("/backends")).isNotEmpty();
                assertThat(unhosted.has("endpoint")).isFalse();
                assertThat(json("cost", "chat", "--local-cloud", url).at("/lines"))
                        .isNotEmpty();
                assertThat(json("check", "--provider", "local", "--local-cloud", url)
                                .at("/checks"))
                        .isNotEmpty();
                assertThat(json("show-gpus", "--gpu", "l4", "--local-cloud", url))
                        .isNotEmpty();

                assertThat(tuna("destroy", "chat", "--yes", "--local-cloud", url))
                        .isZero();
                assertThat(out()).contains("chat is destroyed");
                assertThat(cloud.snapshot().empty()).isTrue();
            }
        }

        @Test
        void whatOneTerminalHostsAnotherOneLooksAtAndDestroys() throws Exception {
            try (LocalCloud cloud = LocalCloud.builder().startInProcess()) {
                String[] deploy = ("deploy --model Qwen/Qwen3-0.6B --gpu L4 --service-name chat"
                                + " --serverless-provider local --spots-cloud local-spot --listen 127.0.0.1:0"
                                + " --local-cloud " + cloud.uri())
                        .split(" ");
                var terminal = new ByteArrayOutputStream();
                Session first = session(Terminal.PLAIN, "", terminal, terminal);
                CompletableFuture<Integer> hosting = CompletableFuture.supplyAsync(() -> TunaCli.run(first, deploy));
                await(() -> terminal.toString(StandardCharsets.UTF_8).contains("try it"));

                assertThat(json("list").at("/0/model").asText()).isEqualTo("Qwen/Qwen3-0.6B");
                assertThat(json("status", "chat").at("/name").asText()).isEqualTo("chat");
                assertThat(json("cost", "chat").at("/total").isNumber()).isTrue();
                out.reset();
                assertThat(tuna("destroy", "chat", "--yes"))
                        .as(TunaCliTest.this::err)
                        .isZero();
                assertThat(out()).contains("chat is destroyed");

                assertThat(hosting.get(60, TimeUnit.SECONDS)).isZero();
                assertThat(cloud.snapshot().empty()).isTrue();
                assertThat(json("list", "--status", "destroyed").at("/0/name").asText())
                        .as("without a process that controls the store, this one does")
                        .isEqualTo("chat");
            }
        }

        @Test
        @DisplayName(
                "E-16 HF_TOKEN goes to the secret store, and only a reference into the request; each deployment keeps the"
                        + " one that it was deployed with, until it is destroyed")
        void eachHasSecretsOfItsOwn() throws Exception {
            var store = new FileSecretStore(state);
            try (LocalCloud cloud = LocalCloud.builder().startInProcess();
                    Tuna host = Tuna.builder()
                            .stateDirectory(state)
                            .listen("127.0.0.1", 0)
                            .providerSettings("local", cloud.settings())
                            .start()) {
                String deploy = "deploy --gpu L4 --serverless-provider local --serverless-only --no-wait --model ";
                environment.put("HF_TOKEN", "hf-one");
                assertThat(tuna((deploy + "m/one --service-name one").split(" ")))
                        .as(TunaCliTest.this::err)
                        .isZero();
                environment.put("HF_TOKEN", "hf-two");
                assertThat(tuna((deploy + "m/two").split(" ")))
                        .as(TunaCliTest.this::err)
                        .isZero();
                assertThat(tuna((deploy + "m/three --service-name one").split(" ")))
                        .as("the name is taken")
                        .isNotZero();
                assertThat(host.deployments().stream()
                                .map(one -> one.request().model() + " "
                                        + Optional.ofNullable(
                                                        one.request().secrets().get("HF_TOKEN"))
                                                .flatMap(store::get)
                                                .orElseThrow()
                                                .reveal()))
                        .containsExactlyInAnyOrder("m/one hf-one", "m/two hf-two");
                assertThat(store.names("environment/")).hasSize(2);
                assertThat(out() + err()).doesNotContain("hf-");

                assertThat(tuna("destroy", "one")).isZero();
                assertThat(store.names("environment/"))
                        .hasSize(1)
                        .noneMatch(ref -> ref.name().contains("/one/"));
                assertThat(tuna((deploy + "m/one --service-name one").split(" ")))
                        .isZero();
                assertThat(host.deployment("one")
                                .orElseThrow()
                                .request()
                                .secrets()
                                .values())
                        .extracting(ref -> store.get(ref).orElseThrow().reveal())
                        .containsExactly("hf-two");
                host.destroy("one").join();
                assertThat(tuna("destroy", "one")).as("over already").isZero();
                assertThat(tuna("destroy", "--all")).isZero();
                assertThat(store.names("environment/")).isEmpty();
            }
        }

        @Test
        void aBudgetIsShownChangedAndLiftedWhoeverHosts() throws Exception {
            try (LocalCloud cloud = LocalCloud.builder().startInProcess()) {
                String url = cloud.uri().toString();
                try (Tuna host = Tuna.builder()
                        .stateDirectory(state)
                        .listen("127.0.0.1", 0)
                        .providerSettings("local", cloud.settings())
                        .providerSettings("local-spot", cloud.settings())
                        .start()) {
                    Deployment chat = host.deploy(DeployRequest.builder("Qwen/Qwen3-0.6B", "L4")
                            .serviceName("chat")
                            .serverlessProviders("local")
                            .serverlessOnly(true)
                            .build());
                    assertThat(tuna("budget")).as(TunaCliTest.this::err).isZero();
                    assertThat(out()).isEqualTo("All together: no limit\nchat: no limit\n");
                    out.reset();
                    assertThat(tuna("budget chat --budget-per-day 5 --budget-action refuse".split(" ")))
                            .as(TunaCliTest.this::err)
                            .isZero();
                    assertThat(out()).containsPattern("budget: \\$0\\.\\d+ of \\$5\\.00 a day \\(0%\\), then refuse");
                    assertThat(chat.request().budget().usdPerDay()).contains(new BigDecimal("5"));
                    assertThat(TunaCli.run(
                                    session(new Terminal(true, false), "n\n"),
                                    "budget",
                                    "chat",
                                    "--budget-per-hour",
                                    "2"))
                            .isEqualTo(130);
                    assertThat(err())
                            .contains("from $5 a day (then refuse) to $2 an hour, $5 a day (then refuse)?")
                            .contains("Nothing was changed.");
                    assertThat(chat.request().budget().usdPerHour()).isEmpty();
                    out.reset();
                    assertThat(tuna("budget --all --budget-per-month 90 --budget-action refuse".split(" ")))
                            .as(TunaCliTest.this::err)
                            .isZero();
                    assertThat(out())
                            .startsWith("All together\n  overall budget: ")
                            .endsWith(" of $90.00 a month (0%), then refuse\n");
                    assertThat(host.overallBudget().limits().usdPerMonth()).contains(new BigDecimal("90"));
                }
                assertThat(json("budget", "--all", "--local-cloud", url)
                                .at("/limits/usd_per_month")
                                .decimalValue())
                        .as("stored")
                        .isEqualByComparingTo("90");
                assertThat(tuna("budget", "--all", "--lift", "--local-cloud", url))
                        .isZero();
                assertThat(out()).contains("All together: no limit");
                assertThat(tuna("budget", "chat", "--lift", "--budget-per-month", "9", "--local-cloud", url))
                        .as(TunaCliTest.this::err)
                        .isZero();
                JsonNode budgets = json("budget", "chat", "--local-cloud", url).at("/budgets");
                assertThat(budgets).hasSize(1);
                assertThat(budgets.at("/0/limit_usd").decimalValue()).isEqualByComparingTo("9");
                assertThat(tuna("destroy", "chat", "--yes", "--local-cloud", url))
                        .isZero();
                assertThat(tuna("budget", "chat", "--lift", "--local-cloud", url))
                        .isEqualTo(1);
                assertThat(err()).contains("chat is destroyed and has no budget any more");
            }
        }

        @Test
        void whoeverFollowsADeploymentIsNotMisledByWhatHappensToOthers() throws Exception {
            try (LocalCloud cloud = LocalCloud.builder()
                            .bootDelay(Duration.ofSeconds(3))
                            .startInProcess();
                    Tuna host = Tuna.builder()
                            .stateDirectory(state)
                            .listen("127.0.0.1", 0)
                            .providerSettings("local", cloud.settings())
                            .providerSettings("local-spot", cloud.settings())
                            .start()) {
                host.deploy(DeployRequest.builder("Qwen/Qwen3-0.6B", "L4")
                                .serviceName("chat")
                                .serverlessProviders("local")
                                .serverlessOnly(true)
                                .build())
                        .ready()
                        .get(60, TimeUnit.SECONDS);
                CompletableFuture<Integer> following = CompletableFuture.supplyAsync(() ->
                        tuna("deploy --model Qwen/Qwen3-1.7B --gpu L4 --service-name other --serverless-provider local"
                                .concat(" --spots-cloud local-spot")
                                .split(" ")));
                await(() -> host.deployment("other").isPresent());
                assertThat(host.deployment("chat").orElseThrow().destroy()).succeedsWithin(Duration.ofSeconds(60));

                assertThat(following.get(60, TimeUnit.SECONDS)).as(this::said).isZero();
                assertThat(out()).contains("chat:", "try it");
            }
        }

        private String said() {
            return out() + err();
        }

        /** Makes an endpoint and forgets it. */
        private String forgotten(LocalCloud cloud, String owner) throws Exception {
            try (Tuna tuna = Tuna.builder()
                    .stateDirectory(state.resolve(owner))
                    .store(new InMemoryStateStore(owner))
                    .listen("127.0.0.1", 0)
                    .providerSettings("local", cloud.settings())
                    .start()) {
                tuna.deploy(DeployRequest.builder("Qwen/Qwen3-0.6B", "L4")
                                .serviceName("chat")
                                .serverlessProviders("local")
                                .serverlessOnly(true)
                                .build())
                        .ready()
                        .get(60, TimeUnit.SECONDS);
            }
            return cloud.snapshot().endpoints().stream()
                    .filter(endpoint -> endpoint.owner().equals(owner))
                    .findFirst()
                    .orElseThrow()
                    .name();
        }

        @Test
        void orphansAreListedAndOursAreRemovedAfterAQuestion() throws Exception {
            try (LocalCloud cloud = LocalCloud.builder().startInProcess()) {
                String url = cloud.uri().toString();
                assertThat(tuna("orphans", "--local-cloud", url)).isZero();
                assertThat(out()).isEqualTo("No orphans were found.\n");
                String owner;
                try (StateStore store = SqliteStateStore.open(state, InstantSource.system())) {
                    owner = store.ownerId();
                }
                String ours = forgotten(cloud, owner);
                String theirs = forgotten(cloud, "somebodyelse");

                assertThat(json("orphans", "--local-cloud", url).at("/found")).hasSize(2);
                out.reset();
                assertThat(tuna("orphans", "--local-cloud", url)).isZero();
                assertThat(out()).contains(ours, "this installation", theirs, "somebodyelse (never touched)", "chat");

                assertThat(tuna("orphans", "--destroy", theirs, "--local-cloud", url))
                        .isNotZero();
                assertThat(tuna("orphans", "--adopt", ours, "--local-cloud", url))
                        .isEqualTo(1);
                assertThat(err()).contains("never touched", "not live");

                assertThat(TunaCli.run(
                                session(new Terminal(true, false), "n\n"),
                                "orphans",
                                "--destroy",
                                ours,
                                "--local-cloud",
                                url))
                        .isEqualTo(130);
                assertThat(err()).contains("Destroy endpoint " + ours + " of local? [y/N]", "Nothing was done.");
                assertThat(cloud.snapshot().endpoints())
                        .allMatch(each -> each.endedAt().isEmpty());

                out.reset();
                assertThat(tuna("orphans", "--destroy", "local/" + ours, "--yes", "--local-cloud", url))
                        .isZero();
                assertThat(out()).contains(ours, "is gone");
                assertThat(json("orphans", "--local-cloud", url).at("/found")).hasSize(1);
            }
        }

        @Test
        void aPersonAtATerminalIsAskedBeforeAnythingIsDestroyed() {
            Session session = session(new Terminal(true, false), "n\n");
            assertThat(session.agrees("Destroy chat?")).isFalse();
            assertThat(err()).isEqualTo("Destroy chat? [y/N] ");
            assertThat(session(new Terminal(true, false), "y\n").agrees("Sure?"))
                    .isTrue();
            assertThat(session(new Terminal(true, false), "").agrees("Sure?")).isFalse();
            assertThat(session(Terminal.PLAIN, "").agrees("Sure?")).isTrue();
        }

        @Test
        void aPersonIsAskedWhereverTheOutputGoes() {
            Session plain = session(Terminal.PLAIN, "n\n");
            var piped = new Session(
                    plain.out(),
                    plain.err(),
                    Terminal.PLAIN,
                    plain.answers(),
                    plain.environment(),
                    interrupted,
                    Interrupts.UNASKED,
                    () -> true);
            assertThat(piped.agrees("Destroy chat?")).isFalse();
            assertThat(err()).isEqualTo("Destroy chat? [y/N] ");
        }
    }

    private JsonNode json(String... arguments) throws IOException {
        out.reset();
        var all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--output", "json"));
        assertThat(tuna(all.toArray(String[]::new))).as(this::err).isZero();
        return new JsonMapper().readTree(out());
    }

    private int tuna(String... arguments) {
        return TunaCli.run(session(Terminal.PLAIN, ""), arguments);
    }

    private Map<String, String> environment() {
        var all = new HashMap<>(environment);
        all.put("TUNA_STATE_DIR", state.toString());
        return all;
    }

    private Session session(Terminal terminal, String answers) {
        return session(terminal, answers, out, err);
    }

    private Session session(Terminal terminal, String answers, OutputStream out, OutputStream err) {
        return new Session(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                terminal,
                new BufferedReader(new StringReader(answers)),
                environment(),
                interrupted,
                Interrupts.UNASKED);
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("gave up waiting").isLessThan(deadline);
            LockSupport.parkNanos(20_000_000);
        }
    }
}
