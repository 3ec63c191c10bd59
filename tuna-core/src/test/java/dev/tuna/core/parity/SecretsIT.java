package dev.tuna.core.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.secret.SecretSearch;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every secret that there is, looked for wherever it must not be, through a whole life in real processes. The words that are
 * planted look like no secret, so that only knowing them hides them.
 */
class SecretsIT {

    private static final JsonMapper JSON = new JsonMapper();
    private static final String HF_TOKEN = "otter marmalade of the hub";
    private static final String CREDENTIAL = "badger marmalade of the settings";
    private static final String WRONG_KEY = "heron-marmalade-of-a-stranger";
    private static final String PROMPT = "what a client asked of the weasel";

    @TempDir
    private Path temporary;

    private final SecretSearch search = new SecretSearch();
    private final HttpClient client = HttpClient.newHttpClient();

    @BeforeEach
    void onlyWhereProcessesCanBeLookedInto() {
        assumeTrue(Files.isReadable(Path.of("/proc/self/environ")), "no /proc here");
    }

    @Test
    @DisplayName(
            "W-01 W-02 E-16 O-06: through deploy, traffic, refusals, a crash and destroy no secret is anywhere but in its file")
    void noSecretIsWhereItMustNotBe() throws Exception {
        Path directory = temporary.resolve("state");
        Path log = temporary.resolve("log");
        new FileSecretStore(directory).put(new SecretRef("hf-token"), Secret.of(HF_TOKEN));
        search.add("credential in the settings", CREDENTIAL);
        search.add("a stranger's key", WRONG_KEY);
        search.add("a prompt", PROMPT);
        try (LocalCloud cloud = LocalCloud.builder()
                        .coldStart(Duration.ofMillis(200))
                        .bootDelay(Duration.ofMillis(500))
                        .start();
                EchoingCloud front = new EchoingCloud(cloud.uri())) {
            ProcessHandle machines = cloud.process().orElseThrow();
            try (SubjectProcess first = SubjectProcess.start(directory, front.uri(), log, CREDENTIAL)) {
                first.ask("deploy");
                String key = secrets(directory).entrySet().stream()
                        .filter(entry -> entry.getKey().endsWith("router-key"))
                        .map(Map.Entry::getValue)
                        .findFirst()
                        .orElseThrow();
                assertThat(chat(first.address(), WRONG_KEY)).isEqualTo(401);
                assertThat(chat(first.address(), key)).isEqualTo(200);
                until(
                        "a replica runs",
                        () -> !cloud.snapshot().replicas().isEmpty()
                                && machines.descendants().count() > 0);
                assertThat(front.refused())
                        .as("orders refused with all that was in them")
                        .isEqualTo(2);
                assertThat(first.ask("tell")).isEqualTo("told");
                everywhere(directory, first, machines);
                first.kill();
                search.directory(directory);
                search.lines("output", first.printed());
            }
            try (SubjectProcess second = SubjectProcess.start(directory, front.uri(), log, CREDENTIAL)) {
                assertThat(second.ask("names")).isEqualTo("[chat]");
                assertThat(second.ask("tell")).isEqualTo("told");
                everywhere(directory, second, machines);
                assertThat(second.ask("destroy")).contains("DestroyReport");
                assertThat(second.ask("tell")).isEqualTo("told");
                everywhere(directory, second, machines);
            }
            search.directory(directory);
            search.directory(temporary.resolve("tmp"));
            search.file(log);
        }
        assertThat(Files.readString(log))
                .as("what is searched")
                .contains("cannot serve", "at dev.tuna.core", "dev.tuna.core.control.EventBus");
        assertThat(search.secrets())
                .as("hub token, admin key, router key, engine key, the endpoint's, two control tokens, three planted")
                .isGreaterThanOrEqualTo(9);
        assertThat(search.hits()).isEmpty();
    }

    @Test
    void whatIsLeakedIsFound() throws Exception {
        search.add("planted", WRONG_KEY);
        Path directory = Files.createDirectory(temporary.resolve("leaky"));
        Files.writeString(directory.resolve("state.db-wal"), "\0\1binary" + WRONG_KEY + "\2");
        Files.writeString(directory.resolve("secrets.json"), WRONG_KEY);
        search.directory(directory);
        assertThat(search.hits()).singleElement().asString().contains("state.db-wal");

        search.text("Base64", "basic aGVyb24tbWFybWFsYWRlLW9mLWEtc3RyYW5nZXI=");
        assertThat(search.hits()).hasSize(2);

        var leaky = new ProcessBuilder("sh", "-c", "sleep 60; true", WRONG_KEY);
        leaky.environment().put("KEY", WRONG_KEY);
        Process process = leaky.start();
        try {
            until("it runs", () -> process.toHandle().descendants().count() == 1);
            search.processes(process.toHandle());
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
        assertThat(search.hits())
                .filteredOn(hit -> hit.contains("of process " + process.pid()))
                .hasSize(2)
                .anySatisfy(hit -> assertThat(hit).contains("cmdline"))
                .anySatisfy(hit -> assertThat(hit).contains("environ"));
        assertThat(search.hits()).as("the child inherits it").hasSize(5);
    }

    private void everywhere(Path directory, SubjectProcess subject, ProcessHandle machines) throws IOException {
        secrets(directory).forEach(search::add);
        search.add(
                "control token",
                JSON.readTree(directory.resolve("control.json").toFile())
                        .path("token")
                        .asText());
        search.processes(subject.handle());
        search.processes(machines);
        search.directory(directory);
        search.lines("output", subject.printed());
    }

    private static Map<String, String> secrets(Path directory) throws IOException {
        return JSON.readValue(directory.resolve("secrets.json").toFile(), new TypeReference<>() {});
    }

    private int chat(URI address, String key) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(address.resolve("/v1/chat/completions"))
                .timeout(Duration.ofSeconds(60))
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"Qwen/Qwen3-0.6B\",\"max_tokens\":4,"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"" + PROMPT + "\"}]}"))
                .build();
        return client.send(request, BodyHandlers.ofString()).statusCode();
    }

    private static void until(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }
}
