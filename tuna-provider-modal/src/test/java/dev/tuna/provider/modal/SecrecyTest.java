package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.TunaException;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.modal.ModalFault;
import dev.tuna.testkit.modal.ModalStandIn;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Planted secrets are searched for wherever they could have come out. */
class SecrecyTest {

    /** What was seen from outside, by where. Confined to the test. */
    private final List<Map.Entry<String, String>> seen = new ArrayList<>();

    @Test
    void plantedSecretsComeOutNowhereButInTheContainer() throws Exception {
        PrintStream before = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
        try (ModalStandIn vendor = ModalStandIn.builder().start()) {
            ContractContext context = Contexts.of(vendor);
            context.secrets().put(Specs.TOKEN, Secret.of("hf_PLANTED0123456789abcdef"));
            context.secrets().put(Specs.KEY, Secret.of("PLANTEDkey-0123456789"));
            live(vendor, context);
            see("the log", log.toString(StandardCharsets.UTF_8));
            List<Secret> secrets = new ArrayList<>(context.secrets().seen());
            assertThat(secrets).as("planted and made").hasSizeGreaterThanOrEqualTo(5);
            for (Secret secret : secrets) {
                for (Map.Entry<String, String> each : seen) {
                    // Not "doesNotContain": a failing assertion would print the secret.
                    assertThat(each.getValue().contains(secret.reveal()))
                            .as("%s holds a secret", each.getKey())
                            .isFalse();
                }
            }
            assertThat(seen).hasSizeGreaterThan(20);
        } finally {
            System.setErr(before);
        }
    }

    private void live(ModalStandIn vendor, ContractContext context) throws IOException {
        try (ServerlessCloud cloud = new ModalProvider().open(context)) {
            for (Map<String, String> options : List.of(Map.<String, String>of(), Map.of("access", "engine_key"))) {
                ServerlessPlan plan = cloud.plan(Specs.with("chat", options));
                see("the plan", plan);
                see("the report", cloud.preflight(Specs.with("chat", options), false));
                CountDownLatch gate = new CountDownLatch(1);
                vendor.inject(ModalFault.slow("deploy .*", gate));
                ResourceRef resource = cloud.begin(plan);
                Eventually.holds(
                        "it deploys",
                        () -> vendor.calls().stream()
                                .anyMatch(call -> call.line().startsWith("deploy")));
                seeProcesses();
                gate.countDown();
                see("the observation", Eventually.is(cloud, resource, BackendPhase.READY));
                assertThat(vendor.secrets(resource.id()).get("HF_TOKEN"))
                        .isEqualTo(context.secrets().get(Specs.TOKEN).orElseThrow());
                see("found", cloud.find());
                see("logs", cloud.logs(resource, 100));
                fail(vendor, cloud, plan);
                seeFiles(Path.of(context.settings().get("work_dir")));
                cloud.destroy(resource);
                see("gone", Eventually.is(cloud, resource, BackendPhase.GONE));
                seeFiles(Path.of(context.settings().get("work_dir")));
            }
            see("the cloud", cloud);
            context.journal().intents().forEach(intent -> see("the journal", intent));
            vendor.calls().forEach(call -> see("the command line", call.line()));
            context.secrets().remove(new SecretRef("modal/proxy-token"));
        }
    }

    /** A command line that repeats what it was given. */
    private void fail(ModalStandIn vendor, ServerlessCloud cloud, ServerlessPlan plan) {
        String told = "bad credentials " + vendor.tokenId().reveal() + " "
                + vendor.tokenSecret().reveal() + " hf_PLANTED0123456789abcdef";
        vendor.inject(ModalFault.saying("app list .*", told));
        try {
            cloud.find();
        } catch (TunaException e) {
            see("an exception", e);
        }
        vendor.inject(ModalFault.saying("deploy .*", told));
        cloud.begin(cloud.plan(Specs.scaled("chat", scaling -> scaling.workersMax(9))));
        Eventually.holds("the failure is told", () -> {
            String detail = cloud.observe(plan.resource()).detail();
            see("a failure", detail);
            return detail.contains("bad credentials");
        });
    }

    private void see(String where, Object what) {
        seen.add(Map.entry(where, String.valueOf(what)));
    }

    /** What every user of the machine can read of every process. */
    private void seeProcesses() throws IOException {
        Path all = Path.of("/proc");
        if (!Files.isDirectory(all)) {
            return;
        }
        try (Stream<Path> processes = Files.list(all)) {
            for (Path process : processes
                    .filter(path -> path.getFileName().toString().matches("\\d+"))
                    .toList()) {
                try {
                    see(
                            "the command line of a process",
                            Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1));
                } catch (IOException e) {
                    // It has ended.
                }
            }
        }
    }

    private void seeFiles(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                see(file.getFileName().toString(), Files.readString(file));
            }
        }
    }
}
