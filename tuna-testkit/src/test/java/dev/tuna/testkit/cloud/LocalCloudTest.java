package dev.tuna.testkit.cloud;

import static dev.tuna.testkit.cloud.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Secret;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.spi.SpotProvider;
import dev.tuna.testkit.cloud.model.CloudRefusal;
import dev.tuna.testkit.cloud.model.EndpointView;
import dev.tuna.testkit.cloud.plugin.LocalProvider;
import dev.tuna.testkit.cloud.plugin.LocalSpotProvider;
import dev.tuna.testkit.cloud.plugin.Specs;
import dev.tuna.testkit.cloud.plugin.TestContext;
import dev.tuna.testkit.vllm.Outcome;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The whole cloud over real HTTP, with its machines in this JVM. */
class LocalCloudTest {

    private final LocalCloud cloud = LocalCloud.builder().startInProcess();
    private final TestContext context = TestContext.of(cloud.settings());
    private final ServerlessCloud serverless = new LocalProvider().open(context);

    LocalCloudTest() {
        context.secrets().put(Specs.KEY, Secret.of("engine-key"));
    }

    @AfterEach
    void close() {
        cloud.close();
    }

    private ResourceRef begin(EngineSpec engine, Duration window) {
        return serverless.begin(serverless.plan(Specs.serverless(engine, Specs.window(window))));
    }

    private ResourceRef begin(String... engineArguments) {
        return begin(Specs.engine(engineArguments), Duration.ofMinutes(5));
    }

    private BackendAddress address(ResourceRef endpoint) {
        return serverless.observe(endpoint).address().orElseThrow();
    }

    private EndpointView view(ResourceRef endpoint) {
        return cloud.snapshot().endpoint(endpoint.id());
    }

    private VllmStandIn container(ResourceRef endpoint) {
        return cloud.standIn(view(endpoint).containers().get(0).id()).orElseThrow();
    }

    private static String chatBody(int tokens, boolean stream) {
        return "{\"model\":\"chat\",\"max_tokens\":" + tokens + ",\"ignore_eos\":true,\"stream\":" + stream
                + ",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    }

    private static HttpRequest request(BackendAddress address, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address.url() + "/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        address.credential()
                .ifPresent(credential ->
                        request.header(credential.header(), credential.value().reveal()));
        return request.build();
    }

    private HttpResponse<String> send(HttpRequest request) throws Exception {
        return context.http().send(request, HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void bothPluginsAreFoundByTheServiceLoader() {
        assertThat(ServiceLoader.load(ServerlessProvider.class)).anyMatch(LocalProvider.class::isInstance);
        assertThat(ServiceLoader.load(SpotProvider.class)).anyMatch(LocalSpotProvider.class::isInstance);
    }

    @Test
    void relaysEachEventOfAStreamAsItComes() throws Exception {
        ResourceRef endpoint = begin("--standin-tokens-per-second", "5");
        HttpResponse<InputStream> answer = context.http()
                .send(request(address(endpoint), chatBody(1000, true)), HttpResponse.BodyHandlers.ofInputStream());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type").orElseThrow()).startsWith("text/event-stream");
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
            // At this pace the stream takes minutes, so its third event is here long before its last.
            List<String> events = lines.lines()
                    .filter(line -> line.startsWith("data: "))
                    .limit(3)
                    .toList();
            assertThat(events).allMatch(event -> event.contains("\"chat.completion.chunk\""));
            assertThat(view(endpoint).containers().get(0).inFlight()).isEqualTo(1);
        }
    }

    @Test
    void cancelsAtTheContainerWhenTheClientGoesAway() throws Exception {
        ResourceRef endpoint = begin("--standin-tokens-per-second", "5");
        BackendAddress address = address(endpoint);
        byte[] body = chatBody(1000, true).getBytes(StandardCharsets.UTF_8);
        try (Socket client = new Socket(address.url().getHost(), address.url().getPort())) {
            client.getOutputStream()
                    .write(("POST " + address.url().getPath() + "/v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                                    + "Authorization: Bearer engine-key\r\nContent-Type: application/json\r\n"
                                    + "Content-Length: " + body.length + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            client.getOutputStream().write(body);
            assertThat(client.getInputStream().read()).isEqualTo('H');
        }
        VllmStandIn container = container(endpoint);
        eventually(
                "the cancellation",
                () -> container.requests("/v1/chat/completions").stream()
                        .anyMatch(request -> request.outcome() == Outcome.ABORTED));
        eventually("a free container", () -> view(endpoint).containers().get(0).inFlight() == 0);
        assertThat(view(endpoint).completed()).isZero();
    }

    @Test
    void demandsTheKeyBeforeItWakesAnything() throws Exception {
        ResourceRef endpoint = begin();
        BackendAddress bare = BackendAddress.of(address(endpoint).url());
        HttpResponse<String> answer = send(request(bare, chatBody(1, false)));
        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.body()).contains("\"error\"").doesNotContain("engine-key");
        assertThat(view(endpoint).containers()).isEmpty();
    }

    @Test
    void aPublicEndpointDemandsNoKey() throws Exception {
        ServerlessSpec guarded = Specs.serverless(Specs.engine(), Specs.window(Duration.ofMinutes(5)));
        ResourceRef endpoint = serverless.begin(serverless.plan(
                new ServerlessSpec("open", guarded.engine(), guarded.scaling(), Optional.empty(), true, Map.of())));
        assertThat(address(endpoint).credential()).isEmpty();
        assertThat(send(request(address(endpoint), chatBody(1, false))).statusCode())
                .isEqualTo(200);
    }

    @Test
    void makesAKeyForAnEngineWithoutOneAndDropsItInTheEnd() throws Exception {
        EngineSpec keyed = Specs.engine();
        EngineSpec keyless = new EngineSpec(
                keyed.model(),
                keyed.servedModelName(),
                keyed.gpu(),
                keyed.computeCapability(),
                keyed.gpuCount(),
                keyed.tpSize(),
                keyed.maxModelLen(),
                keyed.quantization(),
                keyed.fastBoot(),
                keyed.version(),
                keyed.arguments(),
                keyed.containerImage(),
                Optional.empty(),
                keyed.secrets());
        ResourceRef endpoint = begin(keyless, Duration.ofMinutes(5));
        BackendAddress address = address(endpoint);
        assertThat(address.credential()).isPresent();
        assertThat(send(request(address, chatBody(1, false))).statusCode()).isEqualTo(200);
        assertThat(send(request(BackendAddress.of(address.url()), chatBody(1, false)))
                        .statusCode())
                .isEqualTo(401);
        serverless.destroy(endpoint);
        ResourceRef again = begin(keyless, Duration.ofMinutes(5));
        assertThat(address(again).credential()).isNotEqualTo(address.credential());
    }

    @Test
    void answersManyRequestsAtOnceAndScalesToZeroAfterwards() {
        ResourceRef endpoint = begin(Specs.engine("--standin-ttft", "20ms"), Duration.ofMillis(300));
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            answers.add(context.http()
                    .sendAsync(request(address(endpoint), chatBody(3, false)), HttpResponse.BodyHandlers.ofString()));
        }
        assertThat(answers).allMatch(answer -> answer.join().statusCode() == 200);
        eventually("no container", () -> view(endpoint).containers().isEmpty());
        assertThat(view(endpoint).requests()).isEqualTo(100);
        eventually("all counted", () -> view(endpoint).completed() == 100);
        assertThat(view(endpoint).containerTime()).isPositive();
        assertThat(serverless.observe(endpoint).phase()).isEqualTo(BackendPhase.READY);
    }

    @Test
    void keepsAConnectionForTheNextRequest() throws Exception {
        ResourceRef endpoint = begin();
        BackendAddress address = address(endpoint);
        String head = " " + address.url().getPath() + "/v1/models HTTP/1.1\r\nHost: x\r\n"
                + "Authorization: Bearer engine-key\r\n";
        try (Socket client = new Socket(address.url().getHost(), address.url().getPort())) {
            String pipelined = "GET" + head + "\r\nHEAD" + head + "\r\nGET" + head + "Connection: close\r\n\r\n";
            client.getOutputStream().write(pipelined.getBytes(StandardCharsets.US_ASCII));
            String all = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(all.split("HTTP/1.1 ")).hasSize(4);
            assertThat(all).doesNotContain("502");
        }
    }

    @Test
    void tellsWhenAStreamBreaksOff() throws Exception {
        ResourceRef endpoint = begin("--standin-tokens-per-second", "5");
        HttpResponse<InputStream> answer = context.http()
                .send(request(address(endpoint), chatBody(1000, true)), HttpResponse.BodyHandlers.ofInputStream());
        assertThat(answer.body().read()).isEqualTo('d');
        cloud.lose(view(endpoint).containers().get(0).id());
        assertThatThrownBy(() -> answer.body().readAllBytes()).isInstanceOf(IOException.class);
    }

    @Test
    void refusesUnknownEndpointsCallsAndFieldsByName() throws Exception {
        assertThat(send(get("/serverless/nothing/v1/models")).statusCode()).isEqualTo(404);
        assertThat(send(get("/v1/nothing")).body()).contains("no call GET /v1/nothing");
        HttpResponse<String> wrong = send(post("/v1/script", "{\"action\":\"PRICE\",\"target\":\"x\",\"valu\":\"1\"}"));
        assertThat(wrong.statusCode()).isEqualTo(400);
        assertThat(wrong.body()).contains("valu");
        HttpResponse<String> text =
                send(post("/v1/script", "{\"action\":\"CAPACITY\",\"target\":\"x\",\"value\":\"many\"}"));
        assertThat(text.body()).contains("value of CAPACITY is 'many' but must be a whole number");
        assertThatThrownBy(() -> cloud.setCapacity("nowhere", 1))
                .isInstanceOf(CloudRefusal.class)
                .hasMessageContaining("no pool 'nowhere'; there are [local-1a/l4-1/SPOT");
        assertThatThrownBy(() -> cloud.lose("r-9")).hasMessageContaining("r-9");
    }

    @Test
    void refusesCallsThatWebPagesMake() throws Exception {
        HttpRequest fromPage = HttpRequest.newBuilder(cloud.uri().resolve("/v1/state"))
                .header("Origin", "http://example.com")
                .build();
        assertThat(send(fromPage).statusCode()).isEqualTo(403);
    }

    private HttpRequest get(String path) {
        return HttpRequest.newBuilder(cloud.uri().resolve(path)).build();
    }

    private HttpRequest post(String path, String body) {
        return HttpRequest.newBuilder(cloud.uri().resolve(path))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    @Test
    void leavesNoThreadBehind() {
        ResourceRef endpoint = begin();
        assertThat(context.http()
                        .sendAsync(request(address(endpoint), chatBody(1, false)), HttpResponse.BodyHandlers.ofString())
                        .join()
                        .statusCode())
                .isEqualTo(200);
        String port = Integer.toString(container(endpoint).port());
        cloud.close();
        cloud.close();
        eventually(
                "its threads' end",
                () -> Thread.getAllStackTraces().keySet().stream()
                        .map(Thread::getName)
                        .noneMatch(name -> name.startsWith("tuna-cloud") || name.equals("tuna-stand-in-" + port)));
    }
}
