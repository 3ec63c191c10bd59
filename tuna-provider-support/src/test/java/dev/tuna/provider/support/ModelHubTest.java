package dev.tuna.provider.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.spi.EngineSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ModelHubTest {

    private static final Optional<Secret> TOKEN = Optional.of(Secret.of("hf_planted0123456789"));
    private static final long GIB = 1L << 30;

    private final ScriptedServer server = new ScriptedServer();
    private final ModelHub hub = new ModelHub(new JsonApiTest.Context(), server.uri());

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void addsUpWhatEachKindOfNumberTakes() {
        server.answer(200, """
                {"id":"acme/tiny","safetensors":{"parameters":{"BF16":100,"I32":10,"F8_E4M3":4},"total":114}}""");
        assertThat(hub.weightBytes("acme/tiny", Optional.empty())).hasValue(100 * 2 + 10 * 4 + 4);
        assertThat(server.received().get(0).head()).startsWith("GET /api/models/acme/tiny HTTP/1.1");
    }

    @Test
    void knowsNothingOfWhatTheHubDoesNotTell() {
        server.answer(404, "{\"error\":\"Repository not found\"}").answer(200, "{\"id\":\"acme/old\"}");
        assertThat(hub.weightBytes("acme/none", Optional.empty())).isEmpty();
        assertThat(hub.weightBytes("acme/old", Optional.empty())).isEmpty();
        server.close();
        assertThat(hub.weightBytes("acme/tiny", Optional.empty())).isEmpty();
    }

    @Test
    void asksForNothingThatIsNoModelOfAHub() {
        assertThat(hub.weightBytes("/models/mine", Optional.empty())).isEmpty();
        assertThat(hub.weightBytes("tiny", Optional.empty())).isEmpty();
        assertThat(hub.weightBytes("acme/../secrets", Optional.empty())).isEmpty();
        assertThat(server.received()).isEmpty();
    }

    @Test
    @DisplayName("E-17: a token for models goes to no other address than Hugging Face's own")
    void sendsATokenToNoMirror() {
        server.answer(200, "{}");
        assertThat(hub.weightBytes("acme/gated", TOKEN)).isEmpty();
        assertThat(server.received().get(0).head()).doesNotContain("hf_planted").doesNotContain("Authorization");
    }

    @Test
    void saysWhatDoesNotFit() {
        EngineSpec engine = engine(Optional.empty());
        assertThat(ModelHub.tooLarge(engine, 21 * GIB, 24)).isEmpty();
        assertThat(ModelHub.tooLarge(engine, 22 * GIB, 24))
                .hasValueSatisfying(
                        problem -> assertThat(problem).contains("acme/tiny", "22 GiB", "1 x L4", "24 GiB", "about 21"));
        assertThat(ModelHub.tooLarge(engine, 22 * GIB, 0))
                .as("cards of unknown size")
                .isEmpty();
        assertThat(ModelHub.tooLarge(engine(Optional.of("fp8")), 22 * GIB, 24))
                .as("made smaller while it loads")
                .isEmpty();
    }

    @Test
    void asksTheHubWhetherAModelFits() {
        String huge = "{\"safetensors\":{\"parameters\":{\"BF16\":70000000000}}}";
        server.answer(200, huge).answer(404, "{}");
        assertThat(hub.tooLarge(engine(Optional.empty()), 24, Optional.empty()))
                .hasValueSatisfying(problem -> assertThat(problem).contains("131 GiB"));
        assertThat(hub.tooLarge(engine(Optional.empty()), 24, Optional.empty()))
                .as("a model that the hub does not know")
                .isEmpty();
    }

    private static EngineSpec engine(Optional<String> quantization) {
        return new EngineSpec(
                "acme/tiny",
                "acme/tiny",
                "L4",
                Optional.of("8.9"),
                1,
                1,
                4096,
                quantization,
                false,
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Map.of());
    }
}
