package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorFault;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Planted secrets do not come out again, whatever Google repeats of what it was sent. */
class SecrecyTest {

    private static final String ENGINE_KEY = "engine-planted-5f0c1d2e3b4a";
    private static final String HUB_TOKEN = "planted-hub-token-77aa66bb";

    private final CloudRunStandIn vendor = CloudRunStandIn.builder().start();
    private final ContractContext context = Contexts.of(vendor)
            .withSecret("contract/engine-key", Secret.of(ENGINE_KEY))
            .withSecret("contract/model-token", Secret.of(HUB_TOKEN));
    private final ServerlessCloud cloud = new CloudRunCloud(context, variable -> null);
    private final ServerlessSpec open = Specs.open(Specs.of("chat"));

    @AfterEach
    void close() {
        cloud.close();
        vendor.close();
    }

    private void echo(String requests, String text) {
        String json = "{\"error\":{\"code\":400,\"message\":\"you sent "
                + text.replace("\"", "'").replace("\n", " ") + "\",\"status\":\"INVALID_ARGUMENT\"}}";
        vendor.inject(VendorFault.answering(requests, VendorAnswer.json(400, json)));
    }

    private void checkHidden(String shown) {
        List<String> secrets = new ArrayList<>(vendor.tokens());
        secrets.add(ENGINE_KEY);
        secrets.add(HUB_TOKEN);
        for (String secret : secrets) {
            // Not "doesNotContain": a failing assertion would print the secret.
            assertThat(shown.contains(secret)).as("a secret is shown").isFalse();
        }
        assertThat(shown.contains("BEGIN PRIVATE"))
                .as("the private key is shown")
                .isFalse();
    }

    private static String failure(Runnable call) {
        try {
            call.run();
            throw new AssertionError("it worked");
        } catch (TunaException e) {
            StringWriter text = new StringWriter();
            e.printStackTrace(new PrintWriter(text));
            return text.toString();
        }
    }

    @Test
    @DisplayName("secrets that the vendor repeats in an error are hidden in what is thrown")
    void whatIsRepeatedIsHidden() {
        ServerlessPlan plan = cloud.plan(open);
        cloud.find();
        String token = vendor.exchanges().stream()
                .map(VendorExchange::request)
                .flatMap(request -> request.bearer().stream())
                .findFirst()
                .orElseThrow();
        echo("POST .*/services", "HF_TOKEN=" + HUB_TOKEN + " VLLM_API_KEY=" + ENGINE_KEY + " with " + token);
        String thrown = failure(() -> cloud.begin(plan));
        assertThat(thrown).contains("you sent", "***");
        checkHidden(thrown);
    }

    @Test
    @DisplayName("what the token endpoint repeats is hidden too")
    void theTokenEndpointsAnswerIsHidden() {
        vendor.inject(VendorFault.answering(
                        "POST /token",
                        VendorAnswer.json(
                                400,
                                "{\"error\":\"invalid_grant\",\"error_description\":\"bad assertion eyJhbGciOiJSUzI1NiJ9."
                                        + "eyJpc3MiOiJ0dW5hIn0.c2lnbmF0dXJlc2lnbmF0dXJl\"}"))
                .times(3));
        String thrown = failure(cloud::find);
        assertThat(thrown).contains("invalid_grant").doesNotContain("eyJpc3MiOiJ0dW5hIn0");
        checkHidden(thrown);
    }

    @Test
    @DisplayName("plan, observation, logs and the objects themselves show no secret")
    void nothingElseShowsThem() {
        ServerlessPlan plan = cloud.plan(open);
        ResourceRef resource = cloud.begin(plan);
        StringBuilder shown = new StringBuilder();
        shown.append(plan).append(ServicePlan.read(plan.body())).append(resource);
        shown.append(cloud.observe(resource)).append(cloud.find()).append(cloud.preflight(open, false));
        shown.append(cloud.logs(resource, 100)).append(cloud);
        checkHidden(shown.toString());
        checkHidden(context.journal().intents().toString());
    }
}
