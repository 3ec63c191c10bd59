package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.machine.RouterVmOptions;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.examples.terminal.Terminal;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.machine.ClassPathJar;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every flag and variable comes to, as far as it shows without deploying: {@code --dry-run} has the whole request. */
class FlagsTest {

    @SuppressWarnings("NullAway.Init")
    private static LocalCloud cloud;

    @TempDir
    private Path state;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Map<String, String> environment = new HashMap<>();

    @BeforeAll
    static void startCloud() {
        cloud = LocalCloud.builder().startInProcess();
    }

    @AfterAll
    static void stopCloud() {
        cloud.close();
    }

    private int tuna(Terminal terminal, String answers, String... arguments) {
        out.reset();
        err.reset();
        environment.putIfAbsent("TUNA_STATE_DIR", state.toString());
        environment.putIfAbsent("TUNA_LOCAL_CLOUD", cloud.uri().toString());
        return TunaCli.run(
                new Session(
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        terminal,
                        new BufferedReader(new StringReader(answers)),
                        environment,
                        new CompletableFuture<>(),
                        Interrupts.UNASKED),
                arguments);
    }

    private int tuna(String line) {
        return tuna(Terminal.PLAIN, "", line.split(" "));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private JsonNode request(String flags) throws IOException {
        String line = "deploy --model Qwen/Qwen3-0.6B --gpu L4 --serverless-provider local --spots-cloud local-spot"
                + " --dry-run -o json" + (flags.isEmpty() ? "" : " " + flags);
        assertThat(tuna(line)).as(this::err).isZero();
        return new JsonMapper().readTree(out()).path("request");
    }

    @ParameterizedTest(name = "{0}: {1} is {2} and {3} by default")
    @DisplayName("F-01 to F-19 every flag of deploy is in the request, and its default is what it says")
    @CsvSource(
            delimiter = '|',
            value = {
                "--gpu-count 4|/gpu_count|4|1",
                "--gpu-count 4 --tp-size 2|/tp_size|2|null",
                "--max-model-len 8192|/max_model_len|8192|4096",
                "--concurrency 7|/scaling/serverless/concurrency|7|32",
                "--workers-max 3|/scaling/serverless/workers_limit|3|null",
                "--cold-start-mode no_fast_boot|/cold_start_mode|NO_FAST_BOOT|FAST_BOOT",
                "--no-scale-to-zero|/no_scale_to_zero|true|false",
                "--public|/public_access|true|false",
                "--quantization awq|/quantization|awq|null",
                "--serverless-region local-1|/serverless_region|local-1|null",
                "--region local-1|/spot_regions/0|local-1|",
                "--engine-arg=--seed=1|/engine_arguments/0|--seed=1|",
                "--gcp-project p --gcp-region r|/provider_options/cloudrun/project|p|",
                "--budget-per-day 5.25|/budget/usd_per_day|5.25|null",
                "--budget-per-hour 1 --budget-action serverless_only|/budget/action|SERVERLESS_ONLY|WARN"
            })
    void everyFlagIsInTheRequest(String flags, String where, String value, String byDefault) throws IOException {
        assertThat(request(flags).at(where).asText()).isEqualTo(value);
        assertThat(request("").at(where).asText()).isEqualTo(byDefault == null ? "" : byDefault);
    }

    @Test
    @DisplayName("F-14 without a name a deployment is called tuna- and eight hex digits; a name is kept as it is")
    void names() throws IOException {
        assertThat(request("").path("service_name").asText()).matches("tuna-[0-9a-f]{8}");
        assertThat(request("--service-name chat").path("service_name").asText()).isEqualTo("chat");
    }

    @Test
    @DisplayName(
            "F-06 F-07 without providers the plan names the cheapest one and, with a local cloud, that one's machines")
    void providersByDefault() throws IOException {
        assertThat(tuna("deploy --model m --gpu L4 --dry-run -o json"))
                .as(this::err)
                .isZero();
        JsonNode plan = new JsonMapper().readTree(out());
        assertThat(plan.at("/steps").findValuesAsText("provider"))
                .contains("local-spot")
                .hasSizeGreaterThan(1);
        assertThat(plan.at("/request/spot_cloud").asText()).isEqualTo("local-spot");
    }

    @Test
    @DisplayName("F-07 without a local cloud replicas are rented from AWS")
    void machinesAreRentedFromAws() throws IOException {
        environment.put("TUNA_LOCAL_CLOUD", "");
        assertThat(tuna("deploy --model m --gpu L4 --serverless-provider runpod --dry-run -o json"))
                .as(this::err)
                .isZero();
        JsonNode plan = new JsonMapper().readTree(out());
        assertThat(plan.at("/request/spot_cloud").asText()).isEqualTo("aws");
        assertThat(plan.at("/steps").findValuesAsText("provider")).containsExactly("runpod", "aws");
    }

    @Test
    @DisplayName("C-03 F-18 serverless-only rents nothing, and refuses what belongs to rented replicas")
    void serverlessOnly() throws IOException {
        assertThat(tuna("deploy --model m --gpu L4 --serverless-provider local --serverless-only --dry-run -o json"))
                .isZero();
        JsonNode plan = new JsonMapper().readTree(out());
        assertThat(plan.at("/request/serverless_only").asBoolean()).isTrue();
        assertThat(plan.at("/steps").findValuesAsText("tier")).containsOnly("SERVERLESS");
        assertThat(tuna("deploy --model m --gpu L4 --serverless-only --spots-cloud local-spot --dry-run"))
                .isEqualTo(2);
        assertThat(err()).contains("serverlessOnly is 'true'");
    }

    @Test
    @DisplayName("S-07 F-13 F-09 F-10 defaults, then the file, then flags, for scaling and budget alike")
    void precedence() throws IOException {
        Path file = state.resolve("scaling.yaml");
        Files.writeString(file, """
                spot:
                  max_replicas: 2
                serverless:
                  concurrency: 8
                  workers_max: 6
                budget:
                  usd_per_day: 20
                  action: refuse
                """);
        JsonNode request = request("--scaling-policy " + file + " --concurrency 4 --budget-per-day 10");
        assertThat(request.at("/scaling/spot/max_replicas").asInt()).isEqualTo(2);
        assertThat(request.at("/scaling/serverless/concurrency").asInt()).isEqualTo(4);
        assertThat(request.at("/scaling/serverless/workers_limit").asInt()).isEqualTo(6);
        assertThat(request.at("/scaling/serverless/timeout").asText()).isEqualTo("PT10M");
        assertThat(request.at("/budget/usd_per_day").asText()).isEqualTo("10");
        assertThat(request.at("/budget/action").asText()).isEqualTo("REFUSE");
    }

    @Test
    @DisplayName(
            "F-16 a router on a machine of its own is asked for; what it would be and cost is shown, and none is made")
    void separateRouter() throws IOException {
        environment.put(
                "TUNA_ROUTER_VM_JAR",
                ClassPathJar.make(state.resolve("all.jar")).toString());
        assertThat(tuna("deploy --model m --gpu L4 --serverless-provider local --spots-cloud local-spot"
                        + " --service-name chat --use-different-vm-for-lb --dry-run"))
                .as(this::err)
                .isZero();
        assertThat(out())
                .containsPattern("local-spot +router +Router VM chat: a process on this machine, clients at port 8080,"
                        + " \\$0.0400 per hour");
        assertThat(request("--use-different-vm-for-lb").at("/router_placement").asText())
                .isEqualTo("SEPARATE_VM");
        assertThat(request("").at("/router_placement").asText()).isEqualTo("EMBEDDED");
    }

    @ParameterizedTest
    @DisplayName("F-16 what is for a process that hosts is refused where none will, before anything is asked for")
    @CsvSource({
        "--listen 127.0.0.1:0, --listen and --total-budget-* are for the process that hosts",
        "--total-budget-per-day 5, --listen and --total-budget-* are for the process that hosts",
        "--no-wait, --no-wait cannot be",
        "--no-wait --detach, --no-wait cannot be"
    })
    void nothingHostsHere(String flag, String refusal) {
        assertThat(tuna("deploy --model m --gpu L4 --serverless-provider local --spots-cloud local-spot"
                        + " --use-different-vm-for-lb " + flag))
                .isEqualTo(2);
        assertThat(err()).startsWith("tuna: " + refusal);
        assertThat(cloud.snapshot().empty()).isTrue();
    }

    @ParameterizedTest
    @DisplayName("F-16 what a router's machine runs and where it listens is read from the environment, and checked")
    @CsvSource({
        "TUNA_ROUTER_VM_PORT, 80a, 'must be a port, 1 to 65535'",
        "TUNA_ROUTER_VM_PORT, 65536, 'must be a port, 1 to 65535'",
        "TUNA_ROUTER_VM_JAR, https:// nowhere, 'must be a file, or the https: URL of one'"
    })
    void wrongVariables(String name, String value, String allowed) {
        environment.put(name, value);
        assertThat(tuna("status")).isEqualTo(2);
        assertThat(err()).contains(name + " is '" + value + "' but " + allowed);
    }

    @Test
    @DisplayName("F-16 a router's machine has the jar, the port and the keys of providers that the environment names")
    void variables() {
        environment.put("TUNA_ROUTER_VM_JAR", "https://repo.example/tuna.jar");
        environment.put("TUNA_ROUTER_VM_SHA256", "ab".repeat(32));
        environment.put("TUNA_ROUTER_VM_PORT", "8081");
        environment.put("RUNPOD_API_KEY", "rpa_of_mine");
        environment.put("AWS_SECRET_ACCESS_KEY", "stays here");
        RouterVmOptions options = RouterVmEnvironment.of(environment);
        assertThat(options.jar()).contains(URI.create("https://repo.example/tuna.jar"));
        assertThat(options.sha256()).contains("ab".repeat(32));
        assertThat(options.port()).isEqualTo(8081);
        assertThat(options.environment()).containsExactly(Map.entry("RUNPOD_API_KEY", Secret.of("rpa_of_mine")));
        environment.put("TUNA_ROUTER_VM_JAR", "/opt/tuna.jar");
        assertThat(RouterVmEnvironment.of(environment).jar()).contains(URI.create("file:///opt/tuna.jar"));
        assertThat(RouterVmEnvironment.of(Map.of()).jar()).isEmpty();
        assertThat(RouterVmEnvironment.of(Map.of()).environment()).isEmpty();
    }

    @Test
    @DisplayName(
            "F-16 what is in the file with Google's credentials goes to a router's machine, on one line, and no login does")
    void credentialsOfGoogle() throws Exception {
        Path file = Files.writeString(
                state.resolve("key.json"), "{\n  \"type\": \"service_account\",\n  \"private_key\": \"a\\nb\"\n}\n");
        environment.put("GOOGLE_APPLICATION_CREDENTIALS", file.toString());
        assertThat(RouterVmEnvironment.of(environment).environment())
                .containsExactly(Map.entry(
                        "GOOGLE_APPLICATION_CREDENTIALS_JSON",
                        Secret.of("{\"type\":\"service_account\",\"private_key\":\"a\\nb\"}")));
        environment.put("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere");
        assertThat(RouterVmEnvironment.of(environment).environment()).isEmpty();
        assertThat(RouterVmEnvironment.of(environment).needs()).containsOnlyKeys("cloudrun", "modal");
    }

    @Test
    @DisplayName("F-16 Cloud Run behind a router's machine is refused while no credentials for it would go there")
    void cloudRunWithoutCredentials() throws Exception {
        environment.put(
                "TUNA_ROUTER_VM_JAR",
                ClassPathJar.make(state.resolve("all.jar")).toString());
        String line = "deploy --model Qwen/Qwen3-0.6B --gpu L4 --serverless-provider cloudrun --gcp-project my-project"
                + " --spots-cloud local-spot --service-name chat --use-different-vm-for-lb --dry-run";
        assertThat(tuna(line)).isNotZero();
        assertThat(err())
                .contains(
                        "'cloudrun'",
                        "not on router VM 'chat'",
                        "GOOGLE_APPLICATION_CREDENTIALS",
                        "cloudrun/credentials");
        environment.put(
                "GOOGLE_APPLICATION_CREDENTIALS",
                Files.writeString(state.resolve("key.json"), "{\"type\":\"service_account\"}")
                        .toString());
        assertThat(tuna(line)).as(this::err).isZero();
        environment.remove("GOOGLE_APPLICATION_CREDENTIALS");
        new FileSecretStore(state).put(new SecretRef("cloudrun/credentials"), Secret.of("{}"));
        assertThat(tuna(line)).as(this::err).isZero();
    }

    @ParameterizedTest
    @DisplayName("C-11 F-20 flags and providers of clouds that there are not are refused by name")
    @ValueSource(
            strings = {
                "deploy --model m --gpu L4 --azure-subscription s",
                "deploy --model m --gpu L4 --azure-region eastus",
                "deploy --model m --gpu L4 --azure-environment e",
                "check --provider local --azure-resource-group g",
                "destroy --all --azure-cleanup-env",
                "show-gpus --azure-region eastus"
            })
    void absentClouds(String line) {
        assertThat(tuna(line)).isEqualTo(2);
        assertThat(err()).contains("--azure-", "no provider for Azure", "modal, runpod, cloudrun and baseten");
        assertThat(out()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "deploy --model m --gpu L4 --serverless-provider azure --dry-run, azure",
        "deploy --model m --gpu L4 --serverless-provider cerebrium --dry-run, cerebrium",
        "deploy --model m --gpu L4 --spots-cloud gcp --dry-run, gcp",
        "deploy --model m --gpu L4 --serverless-provider runpd --dry-run, 'runpod'",
        "deploy --model m --gpu L44 --serverless-provider local --dry-run, 'L4'",
        "show-gpus --gpu h10, 'H100'",
        "check --provider local --gpu L44, 'L4'"
    })
    void unknownNamesAreAnsweredWithTheNearest(String line, String named) {
        assertThat(tuna(line)).isEqualTo(2);
        assertThat(err()).contains(named).doesNotContain("\tat ");
        assertThat(out()).isEmpty();
    }

    @Test
    @DisplayName("C-01 verbose is understood before the command and anywhere behind it")
    void verboseAnywhere() {
        for (String line : List.of("-v list", "list -v", "--verbose list", "list --status active -v")) {
            assertThat(tuna(line)).as(line).isZero();
        }
    }

    @Test
    @DisplayName("E-12 the state directory is that of the flag, else of the variable")
    void stateDirectory() throws IOException {
        Path other = Files.createDirectory(state.resolve("other"));
        Files.writeString(other.resolve("state.db"), "no database");
        environment.put("TUNA_STATE_DIR", other.toString());
        assertThat(tuna("list")).isEqualTo(1);
        assertThat(err()).contains(other.toString()).hasLineCount(1);
        assertThat(tuna("list --state-dir " + state)).isZero();
        environment.put("TUNA_STATE_DIR", "");
        environment.put("HOME", other.toString());
        Files.createDirectory(other.resolve(".tuna"));
        Files.writeString(other.resolve(".tuna").resolve("state.db"), "no database");
        assertThat(tuna("list")).isEqualTo(1);
        assertThat(err()).contains(other.resolve(".tuna").toString());
    }

    @Test
    @DisplayName("E-16 a deploy that is refused leaves no secret behind, and none that lives without its own")
    void hubToken() {
        var store = new FileSecretStore(state);
        var other = new SecretRef("environment/chat/00000000/HF_TOKEN");
        store.put(other, Secret.of("hf-of-one-that-lives"));
        environment.put("HF_TOKEN", "hf-planted");
        for (String named : List.of("", " --service-name chat", " --secret-env HF_TOKEN --secret-env UNSET_VARIABLE")) {
            assertThat(tuna("deploy --model m --gpu L4 --serverless-provider nobody --yes" + named))
                    .isEqualTo(2);
            assertThat(store.names("environment/")).as(named).containsExactly(other);
            assertThat(store.get(other).orElseThrow().reveal()).isEqualTo("hf-of-one-that-lives");
            assertThat(out() + err()).doesNotContain("hf-planted");
        }
        assertThat(err()).contains("UNSET_VARIABLE");
    }

    @Test
    @DisplayName("C-18 with json and csv nothing but the result is on standard output")
    void cleanOutput() throws IOException {
        for (String line : List.of(
                "list",
                "status",
                "cost",
                "show-gpus",
                "show-gpus --spot",
                "show-gpus --gpu l4",
                "check --provider local",
                "destroy --all",
                "orphans",
                "deploy --model m --gpu L4 --serverless-provider local --dry-run")) {
            assertThat(tuna(line + " -o json")).as(line + err()).isZero();
            assertThat(new JsonMapper().readTree(out())).as(line).isNotNull();
            assertThat(tuna(line + " --output csv")).as(line).isZero();
            String header = out().lines().findFirst().orElseThrow();
            assertThat(header).as(line).matches("[a-z_,]+");
            assertThat(out()).as(line).doesNotContain("\u001b");
        }
    }

    @Test
    @DisplayName("C-12 K-03 one column for each serverless provider, spot and on-demand beside it, the cheapest marked")
    void gpus() {
        assertThat(tuna("show-gpus")).isZero();
        assertThat(out().lines().findFirst().orElseThrow())
                .contains("GPU", "VRAM", "LOCAL", "SPOT", "ON-DEMAND", "SPOT SAVES");
        assertThat(out()).containsPattern("L4 +24 ").containsPattern("[0-9]+%");
        List<String> gpus = out().lines()
                .skip(1)
                .takeWhile(line -> !line.startsWith("US dollars"))
                .map(line -> line.replaceAll("  .*", ""))
                .toList();
        assertThat(gpus).doesNotHaveDuplicates();
        assertThat(tuna("show-gpus --min-vram 80")).isZero();
        assertThat(out()).doesNotContain("L4 ");
    }

    @Test
    @DisplayName("C-13 spot: only what can be rented, with cloud, region and machine, and what it saves")
    void spotGpus() {
        assertThat(tuna("show-gpus --spot")).isZero();
        assertThat(out()).contains("CLOUD", "REGION", "MACHINE", "local-spot", "%");
        assertThat(err()).contains("no spot price of aws is known here").hasLineCount(1);
        assertThat(tuna("show-gpus --spot --spots-cloud local-sopt")).isEqualTo(2);
        assertThat(err()).contains("local-sopt", "local-spot");
    }

    @Test
    @DisplayName("C-14 F-32 one GPU in any case: specification, what fits, every offer with its regions, what is saved")
    void oneGpu() {
        assertThat(tuna("show-gpus --gpu l4")).isZero();
        assertThat(out())
                .contains("NVIDIA L4", "24 GiB", "Ada Lovelace", "compute capability 8.9", "fits", "billion parameters")
                .contains("REGIONS", "cheapest serverless", "cheapest spot", "spot saves");
        assertThat(tuna("show-gpus --gpu l4 --provider local")).isZero();
        assertThat(out()).doesNotContain("local-spot");
    }

    @Test
    @DisplayName("C-04 F-30 check says what passed and fails with the fix; the GPU can be chosen")
    void check() {
        assertThat(tuna("check --provider local --gpu H100")).isZero();
        assertThat(out()).contains("PASSED", "local can be used.");
        assertThat(tuna("check --provider runpod")).isEqualTo(1);
        assertThat(out()).contains("FAILED", "fix:", "RUNPOD_API_KEY", "runpod cannot be used yet.");
    }

    @Test
    @DisplayName("clouds that nothing is set up for are named and no failure; one that should answer and does not is")
    void orphansWhereNotEverythingCanBeSearched() throws IOException {
        assertThat(tuna("orphans")).isZero();
        assertThat(out()).isEqualTo("No orphans were found." + System.lineSeparator());
        assertThat(err()).contains("nothing is set up for them: aws, baseten").doesNotContain("local-spot");
        assertThat(tuna("orphans --local-cloud http://127.0.0.1:1")).isEqualTo(3);
        assertThat(err())
                .contains("local cannot be searched", "local-spot cannot be searched", "there may be more")
                .doesNotContain("\tat ");
        assertThat(tuna("orphans --local-cloud http://127.0.0.1:1 -o json")).isEqualTo(3);
        JsonNode report = new JsonMapper().readTree(out());
        assertThat(report.path("problems")).hasSize(2);
        assertThat(report.path("unused")).hasSize(5);
    }

    @Test
    @DisplayName("C-19 a person who says no is told that nothing was done, with an exit code of its own")
    void saysNo() {
        assertThat(tuna(
                        new Terminal(true, false),
                        "n\n",
                        "deploy --model m --gpu L4 --serverless-provider local".split(" ")))
                .isEqualTo(130);
        assertThat(err()).contains("Deploy m on 1xL4?", "cost money", "[y/N]", "Nothing was deployed.");
        assertThat(state.resolve("state.db")).doesNotExist();
    }

    @Test
    void completionKnowsEveryCommandAndOption() throws Exception {
        assertThat(tuna("completion")).isZero();
        assertThat(out()).contains("deploy", "show-gpus", "--serverless-provider", "--budget-per-day");
        Process bash = new ProcessBuilder("sh", "-c", "command -v bash >/dev/null || exit 0; bash -n").start();
        try (var input = bash.getOutputStream()) {
            input.write(out.toByteArray());
        } catch (IOException e) {
            return; // no bash here
        }
        assertThat(bash.waitFor()).isZero();
    }

    @Test
    void logsNeedToKnowOfWhat() {
        assertThat(tuna("logs")).isEqualTo(2);
        assertThat(err()).contains("--host");
        assertThat(tuna("logs chat -n 0")).isEqualTo(2);
        assertThat(tuna("logs --host")).isEqualTo(1);
        assertThat(err()).contains("tuna.log");
    }
}
