package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.GpuQuery;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.runpod.RunPodStandIn;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Secrets are planted and everything that anybody may read is searched for them: results, plans, errors of a vendor that
 * repeats what it was sent, log lines. The words look like no secret, so that only knowing them hides them.
 */
class SecrecyTest {

    private static final String API_KEY = "otter marmalade of the account".replace(' ', '-');
    private static final String ENDPOINT_KEY = "badger-marmalade-of-the-router";
    private static final String TOKEN = "weasel-marmalade-of-the-hub";
    private static final String ENGINE_KEY = "heron-marmalade-of-the-engine";

    private final RunPodStandIn vendor =
            RunPodStandIn.builder().key(Secret.of(API_KEY)).start();
    private final ContractContext context = Contexts.of(vendor)
            .withSecret("runpod/calls", Secret.of(ENDPOINT_KEY))
            .withSecret(ContractContext.MODEL_TOKEN.name(), Secret.of(TOKEN))
            .withSecret(ContractContext.ENGINE_KEY.name(), Secret.of(ENGINE_KEY))
            .withSetting("endpoint_key_secret", "runpod/calls");
    private final List<String> seen = new ArrayList<>();
    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final PrintStream standardError = System.err;

    @BeforeEach
    void listen() {
        System.setErr(new PrintStream(logged, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void close() throws IOException {
        System.setErr(standardError);
        vendor.close();
    }

    private void see(Callable<Object> call) {
        try {
            seen.add(String.valueOf(call.call()));
        } catch (Exception e) {
            StringWriter text = new StringWriter();
            e.printStackTrace(new PrintWriter(text));
            seen.add(text.toString());
        }
    }

    @Test
    @DisplayName("E-13, E-16 no planted secret is in a result, a plan, an error or a log line, whatever RunPod repeats")
    void noSecretIsShown() {
        Specs specs = Specs.named("tuna-s").secret("OTHER", new SecretRef("runpod/calls"));
        try (ServerlessCloud cloud = new RunPodProvider().open(context)) {
            ServerlessPlan plan = cloud.plan(specs.spec());
            seen.add(plan.toString());
            life(cloud, plan);
            for (String step : List.of("POST", "GET", "PATCH", "DELETE")) {
                for (VendorAnswer repeating : repeating()) {
                    vendor.inject(
                            VendorFault.answering(step + " /v2/.*", repeating).times(3));
                    life(cloud, plan);
                    vendor.clearFaults();
                }
            }
            seen.add(cloud.toString());
        }
        seen.add(new String(logged.toByteArray(), StandardCharsets.UTF_8));
        context.journal().intents().forEach(intent -> seen.add(intent.toString()));
        vendor.exchanges().forEach(exchange -> seen.add(exchange.toString()));
        vendor.exchanges()
                .forEach(exchange -> seen.add(
                        exchange.request().path() + "?" + exchange.request().query()));
        assertThat(seen).hasSizeGreaterThan(100);
        assertThat(hits()).as("places with a planted secret").isEmpty();
        assertThat(vendor.exchanges())
                .as("they were really there to be repeated")
                .anyMatch(exchange -> exchange.request().body().contains(TOKEN));
    }

    /** Everything that can be done, the endpoint made anew each time. */
    private void life(ServerlessCloud cloud, ServerlessPlan plan) {
        ResourceRef resource = plan.resource();
        see(() -> cloud.preflight(Specs.named("tuna-s").spec(), true));
        see(() -> cloud.offers(GpuQuery.ALL));
        see(() -> cloud.begin(plan));
        see(() -> cloud.observe(resource));
        vendor.write(resource.id(), "started with " + TOKEN + " and " + ENDPOINT_KEY + " and " + API_KEY);
        see(() -> cloud.logs(resource, 10));
        see(() -> {
            cloud.park(resource);
            return "parked";
        });
        see(() -> {
            cloud.unpark(resource);
            return "unparked";
        });
        see(cloud::find);
        see(() -> {
            cloud.destroy(resource);
            return "destroyed";
        });
    }

    /** An error that repeats what was sent, as text, as JSON and as HTML. */
    private static List<VendorAnswer> repeating() {
        String all = API_KEY + " " + ENDPOINT_KEY + " " + TOKEN + " " + base64(TOKEN);
        return List.of(
                Wire.problem(400, "cannot use env {HF_TOKEN: " + all + "}"),
                Wire.problem(500, "Authorization: Bearer " + API_KEY + " with " + TOKEN),
                VendorAnswer.of(502, "text/html", "<h1>Bad Gateway</h1><pre>" + all + "</pre>"),
                VendorAnswer.of(200, "text/html", "<h1>" + all + "</h1>"));
    }

    private List<String> hits() {
        Map<String, String> forms = Map.of(
                "API key", API_KEY,
                "endpoint key", ENDPOINT_KEY,
                "token", TOKEN,
                "engine key", ENGINE_KEY,
                "API key in Base64", base64(API_KEY),
                "token in Base64", base64(TOKEN));
        List<String> hits = new ArrayList<>();
        for (String text : seen) {
            forms.forEach((name, form) -> {
                int at = text.indexOf(form);
                if (at >= 0) {
                    hits.add(name + " after: " + text.substring(Math.max(0, at - 60), at));
                }
            });
        }
        return hits;
    }

    private static String base64(String text) {
        return Base64.getEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
