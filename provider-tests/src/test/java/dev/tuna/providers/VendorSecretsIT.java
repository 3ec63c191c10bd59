package dev.tuna.providers;

import static dev.tuna.testkit.crash.Patience.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.config.RequestJson;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.testkit.baseten.BasetenStandIn;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.crash.Death;
import dev.tuna.testkit.crash.SubjectProcess;
import dev.tuna.testkit.modal.ModalCall;
import dev.tuna.testkit.modal.ModalFault;
import dev.tuna.testkit.modal.ModalStandIn;
import dev.tuna.testkit.runpod.RunPodStandIn;
import dev.tuna.testkit.secret.SecretSearch;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorFault;
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
 * Every secret that there is, looked for wherever it must not be, through a whole life before all four vendors at once, which
 * repeat in their errors what they were sent. The words that are planted look like no secret, so that only knowing them hides
 * them.
 */
class VendorSecretsIT {

    private static final JsonMapper JSON = new JsonMapper();
    private static final String HF_TOKEN = "otter-marmalade-of-the-hub";
    private static final String RUNPOD_KEY = "badger-marmalade-of-the-first";
    private static final String BASETEN_KEY = "weasel-marmalade-of-the-second";

    /** Nobody else knows it, so where it is, something was repeated. */
    private static final String TOLD = "a vendor repeats";

    @TempDir
    private Path temporary;

    private final RunPodStandIn runpod =
            RunPodStandIn.builder().key(Secret.of(RUNPOD_KEY)).start();
    private final BasetenStandIn baseten =
            BasetenStandIn.builder().key(Secret.of(BASETEN_KEY)).start();
    private final CloudRunStandIn cloudrun = CloudRunStandIn.builder().start();
    private final ModalStandIn modal = ModalStandIn.builder().start();
    private final List<Vendor> vendors =
            List.of(Vendor.of(runpod), Vendor.of(baseten), Vendor.of(cloudrun), Vendor.of(modal));
    private final SecretSearch search = new SecretSearch();

    @BeforeEach
    void onlyWhereProcessesCanBeLookedInto() {
        assumeTrue(Files.isReadable(Path.of("/proc/self/environ")), "no /proc here");
    }

    @AfterEach
    void close() {
        vendors.forEach(Vendor::close);
    }

    @Test
    @DisplayName(
            "E-13 E-16: through deploy, refusals, redeploy, a crash and destroy at all four vendors no secret is shown")
    void noSecretIsWhereItMustNotBe() throws Exception {
        vendors.forEach(vendor -> vendor.putCredentials(directory()));
        new FileSecretStore(directory()).put(new SecretRef("hf-token"), Secret.of(HF_TOKEN));
        plant();
        SubjectProcess first = start();
        try {
            repeatWhatIsSent();
            vendors.forEach(vendor -> first.ask("deploy " + RequestJson.write(request(vendor))));
            vendors.forEach(vendor -> until(vendor.name() + " serves", () -> serves(first, vendor)));
            tellAndSearch(first);
            repeatWhatIsSent();
            vendors.forEach(vendor -> first.ask("redeploy "
                    + RequestJson.write(
                            request(vendor).toBuilder().maxModelLen(2048).build())));
            vendors.forEach(vendor ->
                    until(vendor.name() + " has changed", () -> serves(first, vendor) && isChanged(first, vendor)));
            tellAndSearch(first);
        } finally {
            first.kill();
        }
        SubjectProcess second = start();
        try {
            tellAndSearch(second);
            vendors.forEach(vendor -> second.ask("destroy " + vendor.name()));
            vendors.forEach(vendor -> until(
                    vendor.name() + " is destroyed",
                    () -> second.ask("phase " + vendor.name()).equals("NONE")));
            tellAndSearch(second);
        } finally {
            second.kill();
        }
        everywhere(first);
        everywhere(second);
        assertThat(vendors).allSatisfy(vendor -> assertThat(vendor.things()).isEmpty());
        checkThatThereWasSomethingToFind();
        System.out.println("secrets searched for: " + search.secrets() + ", hits: "
                + search.hits().size());
        assertThat(search.hits()).isEmpty();
    }

    private Path directory() {
        return temporary.resolve("state");
    }

    private Path log() {
        return temporary.resolve("log");
    }

    private static DeployRequest request(Vendor vendor) {
        return DeployRequest.builder("Qwen/" + vendor.name(), "L4")
                .serviceName(vendor.name())
                .serverlessOnly(true)
                .serverlessProviders(vendor.name())
                .secrets(Map.of("HF_TOKEN", new SecretRef("hf-token")))
                .build();
    }

    private SubjectProcess start() throws IOException {
        List<String> arguments = new ArrayList<>(List.of(directory().toString(), Death.NEVER));
        vendors.stream().flatMap(Vendor::words).forEach(arguments::add);
        return SubjectProcess.start(
                Subject.class,
                arguments,
                log(),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=debug",
                "-Dorg.slf4j.simpleLogger.log.dev.tuna=trace",
                "-Djava.io.tmpdir=" + Files.createDirectories(temporary.resolve("tmp")));
    }

    private static boolean serves(SubjectProcess subject, Vendor vendor) {
        return subject.ask("serves " + vendor.name()).equals("true");
    }

    private static boolean isChanged(SubjectProcess subject, Vendor vendor) {
        return subject.ask("context " + vendor.name()).equals("2048");
    }

    // --- what is planted ---

    private void plant() throws IOException {
        search.add("model token", HF_TOKEN);
        search.add("RunPod key", RUNPOD_KEY);
        search.add("Baseten key", BASETEN_KEY);
        search.add("Modal token id", modal.tokenId().reveal());
        search.add("Modal token secret", modal.tokenSecret().reveal());
        String key = JSON.readTree(cloudrun.serviceAccountKey().reveal())
                .path("private_key")
                .asText();
        search.add(
                "a line of the service account's key",
                key.lines().skip(3).findFirst().orElseThrow());
    }

    /** As vendors do in their messages: the next call that makes something is answered with all that was in it. */
    private void repeatWhatIsSent() {
        runpod.inject(repeating("POST /v2/serverless.*", RUNPOD_KEY + " " + HF_TOKEN));
        baseten.inject(repeating("POST /v1/.*", BASETEN_KEY + " " + HF_TOKEN));
        cloudrun.inject(repeating("POST /v2/.*", HF_TOKEN));
        modal.inject(ModalFault.saying(
                "deploy .*",
                ModalFault.UNREACHABLE + " " + TOLD + " " + modal.tokenSecret().reveal() + " " + HF_TOKEN));
    }

    private static VendorFault repeating(String requests, String all) {
        return VendorFault.answering(
                requests,
                VendorAnswer.json(
                        503,
                        "{\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\",\"message\":\"" + TOLD + " " + all
                                + "\"},\"message\":\"" + TOLD + " " + all + "\",\"detail\":\"" + TOLD + " " + all
                                + "\"}"));
    }

    // --- where it is looked for ---

    private void tellAndSearch(SubjectProcess subject) throws IOException {
        assertThat(subject.ask("tell")).isEqualTo("told");
        search.commandLines(subject.handle());
        everywhere(subject);
    }

    private void everywhere(SubjectProcess subject) throws IOException {
        addWhatHasBeenMade();
        search.lines("output", subject.printed());
        search.file(log());
        search.directory(directory());
        search.directory(temporary.resolve("tmp"));
        Path work = Path.of(modal.settings().getOrDefault("work_dir", "none"));
        if (Files.exists(work)) {
            search.directory(work);
        }
        for (ModalCall call : modal.calls()) {
            search.text("command line", call.toString());
            search.text("script", call.script());
        }
        Stream.of(runpod.exchanges(), baseten.exchanges(), cloudrun.exchanges(), modal.exchanges())
                .flatMap(List::stream)
                .map(VendorExchange::request)
                .forEach(request -> search.text("URL", request.path() + "?" + request.query()));
    }

    private void addWhatHasBeenMade() throws IOException {
        Map<String, String> made =
                JSON.readValue(directory().resolve("secrets.json").toFile(), new TypeReference<>() {});
        made.forEach((name, secret) -> {
            search.add(name, secret);
            if (secret.matches("wk-[^.]+\\.ws-.+")) {
                search.add("the secret half of " + name, secret.replaceFirst(".*\\.", ""));
            }
        });
        cloudrun.tokens().forEach(token -> search.add("a token of Google's", token));
        baseten.uploadSecrets().forEach(secret -> search.add("a credential for uploads", secret));
    }

    private void checkThatThereWasSomethingToFind() throws IOException {
        assertThat(Files.readString(log())).as("what is searched").contains("at dev.tuna.core", "DEBUG", TOLD);
        assertThat(search.secrets()).isGreaterThan(20);
        assertThat(List.of(runpod.exchanges(), baseten.exchanges(), cloudrun.exchanges()))
                .as("refusals that repeat what was sent")
                .allSatisfy(exchanges -> assertThat(exchanges).anyMatch(VendorExchange::faulty));
        assertThat(runpod.exchanges()).anyMatch(each -> each.request().body().contains(HF_TOKEN));
        assertThat(baseten.exchanges()).anyMatch(each -> each.request().body().contains(HF_TOKEN));
        assertThat(cloudrun.exchanges()).anyMatch(each -> each.request().body().contains(HF_TOKEN));
        assertThat(modal.calls()).anyMatch(each -> each.environment().containsValue(HF_TOKEN));
    }
}
