package dev.tuna.providers;

import static dev.tuna.testkit.crash.Patience.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.config.RequestJson;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.SandboxInstances;
import dev.tuna.testkit.crash.Death;
import dev.tuna.testkit.crash.SubjectProcess;
import dev.tuna.testkit.runpod.RunPodStandIn;
import dev.tuna.testkit.secret.SecretSearch;
import dev.tuna.testkit.vendor.VendorExchange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every secret that there is, looked for wherever it must not be, through a life on a rented machine that boots for real: at the
 * controller, in what AWS is sent, and on the machine itself.
 */
class MachineSecretsIT {

    private static final JsonMapper JSON = new JsonMapper();
    private static final String HF_TOKEN = "otter-marmalade-of-the-hub";
    private static final String AWS_SECRET = "stoat-marmalade-of-the-fleet";
    private static final int MACHINE_PORT = 8443;

    /** What a machine says and what is seen of it; its keys and its token have files of their own. */
    private static final List<String> SAID = List.of(
            "console", "commands", "docker/log", "docker/arguments", "var/lib/tuna/agent.log", "var/lib/tuna/boot.log");

    @TempDir
    private Path temporary;

    private final SecretSearch search = new SecretSearch();
    private AwsStandIn aws;
    private Vendor vendor;

    @BeforeEach
    void start() throws IOException {
        assumeTrue(Vendor.canStart("aws"), "no machines here");
        Path machines = Files.createDirectory(temporary.resolve("machines"));
        aws = AwsStandIn.builder()
                .key(Secret.of("AKIASTANDIN012345678"), Secret.of(AWS_SECRET))
                .runner(new SandboxInstances(machines, MACHINE_PORT))
                .start();
        vendor = Vendor.of(aws, RunPodStandIn.builder().start(), machines);
        vendor.putCredentials(directory());
        new FileSecretStore(directory()).put(new SecretRef("hf-token"), Secret.of(HF_TOKEN));
        search.add("model token", HF_TOKEN);
        search.add("AWS secret key", AWS_SECRET);
    }

    @AfterEach
    void close() {
        if (vendor != null) {
            vendor.close();
        }
    }

    private Path directory() {
        return temporary.resolve("state");
    }

    private Path log() {
        return temporary.resolve("log");
    }

    private SubjectProcess controller() throws IOException {
        List<String> arguments = new ArrayList<>(List.of(directory().toString(), Death.NEVER));
        vendor.words().forEach(arguments::add);
        return SubjectProcess.start(
                Subject.class,
                arguments,
                log(),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=debug",
                "-Dorg.slf4j.simpleLogger.log.dev.tuna=trace");
    }

    @Test
    @DisplayName(
            "E-13 E-16: from deploy over a crash to destroy no secret is shown at the controller, to AWS or on the machine")
    void noSecretIsWhereItMustNotBe() throws IOException {
        SubjectProcess first = controller();
        try {
            first.ask("deploy " + RequestJson.write(Scenario.request("aws")));
            until("it serves", () -> first.ask("serves " + Scenario.NAME).equals("true"));
            tellAndSearch(first);
        } finally {
            first.kill();
        }
        SubjectProcess second = controller();
        try {
            until("it serves again", () -> second.ask("serves " + Scenario.NAME).equals("true"));
            tellAndSearch(second);
            second.ask("destroy " + Scenario.NAME);
            until("it is destroyed", () -> second.ask("phase " + Scenario.NAME).equals("NONE"));
            tellAndSearch(second);
        } finally {
            second.kill();
        }
        assertThat(vendor.things()).isEmpty();
        assertThat(Files.readString(log())).as("what is searched").contains("DEBUG", "is enrolled");
        assertThat(search.secrets()).isGreaterThanOrEqualTo(8);
        System.out.println("secrets searched for: " + search.secrets() + ", hits: "
                + search.hits().size());
        assertThat(search.hits()).isEmpty();
    }

    private void tellAndSearch(SubjectProcess subject) throws IOException {
        addWhatHasBeenMade();
        assertThat(subject.ask("tell")).isEqualTo("told");
        search.commandLines(subject.handle());
        search.lines("output", subject.printed());
        search.file(log());
        search.directory(directory());
        // The machines' processes are children of this one.
        search.commandLines(ProcessHandle.current());
        try (Stream<Path> machines = Files.list(temporary.resolve("machines"))) {
            for (Path machine : machines.toList()) {
                for (String file : SAID) {
                    search.file(machine.resolve(file));
                }
            }
        }
        for (VendorExchange exchange : aws.exchanges()) {
            search.text(
                    "URL", exchange.request().path() + "?" + exchange.request().query());
            searchBody(exchange.request().body());
        }
    }

    /** User data holds the one-time token of a machine, and nothing else that is secret. */
    private void searchBody(String body) {
        search.text("what AWS is sent", body.replaceAll("UserData=[^&]*", ""));
    }

    private void addWhatHasBeenMade() throws IOException {
        Map<String, String> made =
                JSON.readValue(directory().resolve("secrets.json").toFile(), new TypeReference<>() {});
        made.forEach(search::add);
    }
}
