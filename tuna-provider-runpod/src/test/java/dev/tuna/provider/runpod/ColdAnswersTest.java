package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Secret;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.UnservedAnswer;
import dev.tuna.testkit.runpod.RunPodStandIn;
import dev.tuna.testkit.runpod.RunPodStandIn.Trouble;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the router must know of RunPod's front ends: where, with which key, how long, and what their own answers look like. */
class ColdAnswersTest {

    private final Rig rig = new Rig(RunPodStandIn.builder().coldLimit(Duration.ofMillis(50)));

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    private BackendAddress address(ResourceRef resource) {
        return rig.cloud.observe(resource).address().orElseThrow();
    }

    private HttpResponse<String> chat(BackendAddress address, int maxTokens) throws Exception {
        Credential credential = address.credential().orElseThrow();
        String body = "{\"model\":\"tuna-c\",\"max_tokens\":" + maxTokens
                + ",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
        HttpRequest request = HttpRequest.newBuilder(URI.create(address.url() + "/v1/chat/completions"))
                .header(credential.header(), credential.value().reveal())
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
        return rig.context.http().send(request, BodyHandlers.ofString());
    }

    private static Optional<UnservedAnswer> unserved(BackendAddress address, HttpResponse<String> answer) {
        return address.unserved().stream()
                .filter(each -> each.matches(answer.statusCode(), answer.body()))
                .findFirst();
    }

    @Test
    @DisplayName("P-13 a load balancer's refusal of a cold request is known for what it is, and wakes a worker")
    void coldRequest() throws Exception {
        ResourceRef resource = rig.ready(rig.plan(Specs.named("tuna-c")));
        BackendAddress address = address(resource);
        HttpResponse<String> cold = chat(address, 4);
        assertThat(cold.statusCode()).isEqualTo(400);
        assertThat(unserved(address, cold).orElseThrow().retryAfter()).isPositive();
        rig.await(
                "a worker is ready", () -> rig.cloud.observe(resource).detail().isEmpty());
        HttpResponse<String> warm = chat(address, 4);
        assertThat(warm.statusCode()).isEqualTo(200);
        assertThat(unserved(address, warm)).isEmpty();
        HttpResponse<String> refused = chat(address, 1_000_000);
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(unserved(address, refused)).as("the engine's own refusal").isEmpty();
    }

    @Test
    @DisplayName("P-13 a queue's worker that cannot serve says so with the status of success, and is known for that")
    void workerError() throws Exception {
        ResourceRef resource = rig.cloud.begin(rig.plan(Specs.queued("tuna-c")));
        BackendAddress address = address(resource);
        assertThat(address.url().toString())
                .isEqualTo(rig.vendor.uri() + "/v2/ep000001/openai")
                .doesNotContain("/v1");
        HttpResponse<String> fine = chat(address, 4);
        assertThat(fine.statusCode()).isEqualTo(200);
        assertThat(unserved(address, fine)).isEmpty();
        rig.vendor.trouble(resource.id(), Trouble.CRASHING);
        HttpResponse<String> error =
                rig.eventually(() -> chat(address, 4), answer -> answer.body().contains("worker_error"));
        assertThat(error.statusCode()).isEqualTo(200);
        assertThat(unserved(address, error).orElseThrow().retryAfter()).isZero();
    }

    @Test
    @DisplayName("the limits of both front ends are told: time and requests at once")
    void limits() {
        BackendAddress balanced = address(rig.cloud.begin(rig.plan(Specs.named("tuna-c"))));
        assertThat(balanced.hardLimit()).contains(Duration.ofSeconds(330));
        assertThat(balanced.healthPath()).isEqualTo("/health");
        assertThat(balanced.maxInFlight()).as("5 workers of 32 requests").isEqualTo(160);
        BackendAddress queued = address(rig.cloud.begin(rig.plan(Specs.queued("tuna-q"))));
        assertThat(queued.hardLimit()).contains(Duration.ofMinutes(10));
        assertThat(queued.maxInFlight()).as("the queue holds them").isZero();
    }

    @Test
    @DisplayName("the router gets the narrower key if there is one")
    void narrowerKey() {
        rig.context.withSecret("runpod/calls", Secret.of("rpa_narrow"));
        try (RunPodCloud cloud =
                new RunPodCloud(rig.context.withSetting("endpoint_key_secret", "runpod/calls"), variable -> null)) {
            ResourceRef resource = cloud.begin(cloud.plan(Specs.named("tuna-c").spec()));
            assertThat(cloud.observe(resource).address().orElseThrow().credential())
                    .contains(Credential.bearer(Secret.of("rpa_narrow")));
        }
    }

    @Test
    @DisplayName("an endpoint that wakes stays ready: being routed to is what wakes it")
    void waking() throws Exception {
        ResourceRef resource = rig.ready(rig.plan(Specs.named("tuna-c")));
        chat(address(resource), 4);
        var waking = rig.cloud.observe(resource);
        assertThat(waking.phase()).isEqualTo(BackendPhase.READY);
        assertThat(waking.address()).isPresent();
    }
}
