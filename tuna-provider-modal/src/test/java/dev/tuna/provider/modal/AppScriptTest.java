package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The script as Python sees it, with a package {@code modal} that has the parameters of the real one, and what it has sent
 * against what the real one sent (the recording of {@code specs/modal-cli-wire-trace.json}).
 */
class AppScriptTest {

    private static final Logger LOG = LoggerFactory.getLogger(AppScriptTest.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TRACE = "modal-cli-wire-trace.json";

    /** In the protocol, but left out of the recording, since they had their defaults there. */
    private static final Set<String> DEFAULTS_THERE = Set.of("/function/webhook_config/requires_proxy_auth");

    private static final List<String> NASTY = List.of(
            "--hf-overrides={\"a\": \"it's\", \"b\": \"\\\\n\\n\\t\"}",
            "--chat-template={{ '\"\"\"' }} $(touch /tmp/x) `id` \\",
            "--tokenizer=\u00e4\u4e2d\ud83d\ude00\u2028 %s {0} @PLAN@");

    @TempDir
    private Path directory;

    private static ServerlessPlan plan(ServerlessSpec spec) {
        return AppPlanner.plan(spec, ModalOptions.of(Map.of(), spec.options()), "0123456789abcdef");
    }

    private static ServerlessSpec nasty() {
        return Specs.of(
                "chat",
                Specs.engine("L4", 2, NASTY.toArray(String[]::new)),
                scaling -> scaling,
                Optional.of("us"),
                false,
                Map.of("cpu", "0.5"));
    }

    @Test
    void noValueCanBreakOutOfItsLiteral() throws Exception {
        ServerlessPlan plan = plan(nasty());
        assertThat(Scripts.script(plan)).isASCII();
        assertThat(Scripts.values(plan).path("command"))
                .extracting(JsonNode::asText)
                .containsAll(NASTY);
    }

    @Test
    void itIsPython() throws Exception {
        assertThat(python(write(nasty()), Map.of(), "-m", "py_compile")).isEmpty();
    }

    @Test
    void itTellsModalWhatWasPlanned() throws Exception {
        JsonNode told = run(plan(nasty()), Map.of("TUNA_SECRET_HF_TOKEN", "hf_planted"));
        JsonNode function = told.path("FunctionCreateRequest").path("function");
        assertThat(function.path("app_name").asText()).isEqualTo("tuna_0123456789abcdef_chat");
        assertThat(function.path("resources").path("gpu_config").toString())
                .isEqualTo("{\"count\":2,\"gpu_type\":\"L4\"}");
        assertThat(function.path("webhook_config").path("requires_proxy_auth").asBoolean())
                .isTrue();
        assertThat(function.path("max_concurrent_inputs").asInt()).isEqualTo(32);
        assertThat(function.path("function_name").asText()).isEqualTo(AppScript.FUNCTION);
        assertThat(told.path("secrets").toString()).isEqualTo("[{\"HF_TOKEN\":\"hf_planted\"}]");
    }

    @Test
    void itCanBeImportedWhereItsSecretsAreNotInTheEnvironment() throws Exception {
        assertThat(run(plan(nasty()), Map.of("TEST_IN_CONTAINER", "1"))
                        .path("secrets")
                        .toString())
                .isEqualTo("[{\"HF_TOKEN\":\"\"}]");
    }

    @Test
    void aParameterThatModalHasNotIsFound() throws Exception {
        String script = Scripts.script(plan(nasty())).replace("**PLAN[\"function\"])", "keep_warm=1)");
        Path file = Files.writeString(directory.resolve("tuna_app.py"), script);
        assertThat(python(file, Map.of("TUNA_SECRET_HF_TOKEN", "x")))
                .contains("unexpected keyword argument 'keep_warm'");
    }

    @Test
    void whatItTellsIsWhatTheCommandLineSends() throws Exception {
        JsonNode recorded = recorded();
        JsonNode told = run(plan(nasty()), Map.of("TUNA_SECRET_HF_TOKEN", "x")).path("FunctionCreateRequest");
        Map<String, String> types = types(recorded);
        Map<String, String> ours = types(told);
        List<String> violations = violations(ours, types);
        LOG.warn("conformance with {}: {} fields checked, {} violations", TRACE, ours.size(), violations.size());
        assertThat(violations).isEmpty();
        assertThat(violations(Map.of("/function/keep_warm", "NUMBER", "/function/timeout_secs", "STRING"), types))
                .as("planted violations")
                .hasSize(2);
    }

    private static List<String> violations(Map<String, String> ours, Map<String, String> recorded) {
        List<String> violations = new ArrayList<>();
        ours.forEach((field, type) -> {
            if (!DEFAULTS_THERE.contains(field) && !type.equals(recorded.get(field))) {
                violations.add(field + " is " + type + ", recorded is " + recorded.get(field));
            }
        });
        return violations;
    }

    /** Every field with the type of its value; of lists the first element stands for all. */
    private static Map<String, String> types(JsonNode message) {
        Map<String, String> types = new TreeMap<>();
        collect("", message, types);
        return types;
    }

    private static void collect(String path, JsonNode node, Map<String, String> types) {
        if (node.isObject()) {
            node.properties().forEach(field -> collect(path + "/" + field.getKey(), field.getValue(), types));
        } else if (node.isArray()) {
            node.forEach(each -> collect(path + "/*", each, types));
        } else {
            types.put(path, node.getNodeType().name());
        }
    }

    private static JsonNode recorded() throws IOException {
        Path module = Path.of("").toAbsolutePath();
        String given = System.getProperty("tuna.shared", "");
        Path shared = given.isEmpty()
                ? Objects.requireNonNullElse(module.getParent(), module).resolveSibling("shared")
                : Path.of(given);
        Path file = shared.resolve("specs").resolve(TRACE);
        if (!Files.isReadable(file)) {
            throw skipped("there is no " + TRACE + " in " + file.getParent() + "; set -Dtuna.shared");
        }
        for (JsonNode call : JSON.readTree(file.toFile()).path("deploy_web_function")) {
            if (call.path("rpc").asText().equals("FunctionCreate")) {
                return call.path("requests").path(0).path("FunctionCreateRequest");
            }
        }
        throw new AssertionError(TRACE + " has no FunctionCreate");
    }

    // --- Python ---

    private Path write(ServerlessSpec spec) throws IOException {
        return Files.writeString(directory.resolve("tuna_app.py"), Scripts.script(plan(spec)));
    }

    private JsonNode run(ServerlessPlan plan, Map<String, String> variables) throws Exception {
        Path file = Files.writeString(directory.resolve("tuna_app.py"), Scripts.script(plan));
        return JSON.readTree(python(file, variables));
    }

    private String python(Path file, Map<String, String> variables, String... options) throws Exception {
        List<String> words = new ArrayList<>(List.of("python3"));
        words.addAll(List.of(options));
        words.add(file.toString());
        ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
        Set<String> kept = new HashSet<>(Set.of("PATH", "HOME"));
        builder.environment().keySet().retainAll(kept);
        builder.environment()
                .put(
                        "PYTHONPATH",
                        Path.of(Objects.requireNonNull(AppScriptTest.class.getResource("/python"))
                                        .toURI())
                                .toString());
        builder.environment().putAll(variables);
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw skipped("there is no python3 on this machine");
        }
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return output.strip();
    }

    private static TestAbortedException skipped(String reason) {
        LOG.warn("script not checked: {}", reason);
        return new TestAbortedException(reason);
    }
}
