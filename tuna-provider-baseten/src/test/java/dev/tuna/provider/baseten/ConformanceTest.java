package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.tuna.api.SecretRef;
import dev.tuna.testkit.openapi.Conformance;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** That the checks of what went over the wire find something, and that what is pushed is a configuration of Baseten's. */
class ConformanceTest extends StandInTest {

    private static final Logger LOG = LoggerFactory.getLogger(ConformanceTest.class);
    private static final String TRUSS = "truss-config.schema.json";

    @Test
    void aFieldThatIsMissingIsFound() throws Exception {
        try (Bench bench = Bench.instant()) {
            bench.begin(Specs.of("chat"));
            List<VendorExchange> exchanges = bench.vendor.exchanges();
            assertThat(violations(exchanges)).isEmpty();
            VendorExchange made = exchanges.stream()
                    .filter(exchange -> exchange.request().toString().equals("POST /v1/models"))
                    .findFirst()
                    .orElseThrow();
            assumeTrue(Conformance.of(Wire.MANAGEMENT, List.of(), each -> true)
                    .skipped()
                    .isEmpty());
            assertThat(violations(List.of(asking(made, made.request().body().replace("\"config\"", "\"konfig\"")))))
                    .as("a request without what it needs")
                    .anyMatch(violation -> violation.contains("required"));
            assertThat(violations(List.of(answering(made, made.body().replace("\"active_replica_count\"", "\"x\"")))))
                    .as("an answer without what it promises")
                    .anyMatch(violation -> violation.contains("required"));
            assertThat(violations(List.of(answering(made, made.body().replace("\"ACTIVE\"", "\"RUNNING\"")))))
                    .as("a status that there is not")
                    .isNotEmpty();
        }
    }

    private static List<String> violations(List<VendorExchange> exchanges) throws IOException {
        Predicate<VendorExchange> managed =
                exchange -> exchange.request().path().startsWith("/v1/");
        return Conformance.of(Wire.MANAGEMENT, exchanges, managed).violations();
    }

    private static VendorExchange asking(VendorExchange exchange, String body) {
        VendorRequest request = exchange.request();
        return new VendorExchange(
                new VendorRequest(request.method(), request.path(), request.query(), request.headers(), body),
                exchange.status(),
                exchange.contentType(),
                exchange.body(),
                false);
    }

    private static VendorExchange answering(VendorExchange exchange, String body) {
        return new VendorExchange(exchange.request(), exchange.status(), exchange.contentType(), body, false);
    }

    @Test
    void everyConfigurationIsOneOfTrusss() throws IOException {
        Path file = specs().resolve(TRUSS);
        if (!Files.isRegularFile(file)) {
            LOG.warn("conformance with {} not checked: it is not in {}", TRUSS, file.getParent());
        }
        assumeTrue(Files.isRegularFile(file));
        Schema schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(Files.readString(file), InputFormat.JSON);
        Specs chat = Specs.of("chat");
        List<JsonNode> configurations = Stream.of(
                        chat,
                        chat.on(1, "T4"),
                        chat.secret("HF_TOKEN", new SecretRef("hf")),
                        chat.option("weights", "download"),
                        chat.option("weights_source", "gs://bucket/tiny"),
                        chat.option("hf_secret", "hf_access_token"),
                        chat.arguments("--tool-call-parser", "hermes", "--enable-auto-tool-choice"))
                .map(Plans::config)
                .toList();
        configurations.forEach(config -> assertThat(schema.validate(config))
                .as("violations of %s", TRUSS)
                .isEmpty());
        ((ObjectNode) configurations.get(0).path("docker_server")).put("server_port", "eight thousand");
        assertThat(schema.validate(configurations.get(0)))
                .as("a planted violation")
                .isNotEmpty();
        LOG.warn("conformance with {}: {} configurations checked, 0 violations", TRUSS, configurations.size());
    }

    private static Path specs() {
        String given = System.getProperty(Conformance.DIRECTORY_PROPERTY, "");
        Path shared = given.isEmpty()
                ? Path.of("").toAbsolutePath().resolve("../../shared").normalize()
                : Path.of(given);
        return shared.resolve("specs");
    }
}
