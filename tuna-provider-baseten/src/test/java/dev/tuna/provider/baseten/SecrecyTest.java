package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.TunaException;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** Every secret is planted, everything that is shown is gathered, and none is in it. */
@Isolated
class SecrecyTest extends StandInTest {

    private static final Secret TOKEN = Secret.of("hf_plantedPlantedPlanted0123456789");
    private static final Specs GATED = Specs.of("chat").secret("HF_TOKEN", new SecretRef("team/hf"));

    @Test
    void noSecretIsShownWhateverHappens() throws Exception {
        PrintStream before = System.err;
        ByteArrayOutputStream logged = new ByteArrayOutputStream();
        List<String> shown = new ArrayList<>();
        List<String> secrets = new ArrayList<>(List.of(TOKEN.reveal()));
        System.setErr(new PrintStream(logged, true, StandardCharsets.UTF_8));
        try (Bench bench = Bench.instant()) {
            secrets.add(bench.vendor.key().reveal());
            ContractContext context = bench.context.withSecret("team/hf", TOKEN);
            ServerlessCloud cloud = new BasetenCloud(context, variable -> null, time -> {});
            echoEverything(bench);
            for (int attempt = 0; attempt < 12; attempt++) {
                attempt(shown, () -> bench.begin(cloud, GATED));
            }
            bench.vendor.clearFaults();
            ResourceRef resource = bench.begin(cloud, GATED);
            shown.add(cloud.plan(GATED.spec()).toString());
            shown.add(cloud.observe(resource).toString());
            shown.add(cloud.preflight(GATED.spec(), true).toString());
            shown.add(cloud.logs(resource, 1000).toString());
            shown.add(cloud.find().toString());
            shown.add(cloud.toString());
            shown.add(context.journal().intents().toString());
            attempt(shown, () -> cloud.destroy(resource));
            secrets.addAll(bench.vendor.uploadSecrets());
        } finally {
            System.setErr(before);
        }
        shown.add(logged.toString(StandardCharsets.UTF_8));
        assertThat(shown)
                .as("what was gathered")
                .hasSizeGreaterThan(12)
                .anyMatch(text -> text.contains("bad value ***"));
        // Not "doesNotContain": a failing assertion would print the secret.
        assertThat(shown).noneMatch(text -> secrets.stream().anyMatch(text::contains));
    }

    /** A vendor that quotes what it was sent, in every error. */
    private static void echoEverything(Bench bench) {
        VendorAnswer echo = VendorAnswer.json(
                400,
                "{\"message\":\"bad value " + TOKEN.reveal() + " for key "
                        + bench.vendor.key().reveal() + "\"}");
        for (String call : List.of(
                "POST /v1/secrets",
                "GET /v1/models",
                "POST /v1/prepare_model_upload",
                "POST /v1/models",
                "GET .*/environments/production",
                "PATCH .*")) {
            bench.vendor.inject(VendorFault.answering(call, echo));
        }
        bench.vendor.inject(VendorFault.answering(
                "PUT .*", VendorAnswer.of(403, "application/xml", "<Error><Key>" + TOKEN.reveal() + "</Key></Error>")));
    }

    private static void attempt(List<String> shown, Runnable call) {
        try {
            call.run();
        } catch (TunaException e) {
            StringWriter text = new StringWriter();
            e.printStackTrace(new PrintWriter(text));
            shown.add(text.toString());
        }
    }
}
