package dev.tuna.testkit.cloud.plugin;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ErrorCode;
import dev.tuna.provider.support.JsonApi;
import dev.tuna.spi.ProviderContext;
import dev.tuna.testkit.cloud.model.CloudApi;
import dev.tuna.testkit.cloud.model.CloudJson;
import dev.tuna.testkit.cloud.model.CloudRefusal;
import dev.tuna.testkit.cloud.model.EndpointRequest;
import dev.tuna.testkit.cloud.model.EndpointView;
import dev.tuna.testkit.cloud.model.LaunchRequest;
import dev.tuna.testkit.cloud.model.PoolView;
import dev.tuna.testkit.cloud.model.ReplicaView;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The cloud's API over HTTP. Every call is idempotent, thanks to names and tokens. Thread-safe. */
final class HttpCloud implements CloudApi {

    private final JsonApi api;

    HttpCloud(String provider, URI url, ProviderContext context) {
        api = JsonApi.builder(provider, url, context)
                .timeout(Duration.ofSeconds(10))
                .errors(HttpCloud::code)
                .build();
    }

    private static Optional<ErrorCode> code(int status, JsonNode body) {
        return body.path("code").asText().equals(CloudRefusal.CAPACITY)
                ? Optional.of(ErrorCode.CAPACITY)
                : Optional.empty();
    }

    @Override
    public Map<String, BigDecimal> serverlessPrices() {
        return read(api.get("read serverless prices", "/v1/serverless-prices").send(), new TypeReference<>() {});
    }

    @Override
    public EndpointView putEndpoint(EndpointRequest request) {
        return read(
                api.put("create endpoint", "/v1/endpoints/{}", request.name())
                        .json(CloudJson.tree(request))
                        .send(),
                new TypeReference<>() {});
    }

    @Override
    public Optional<EndpointView> endpoint(String name) {
        return api.get("read endpoint", "/v1/endpoints/{}", name)
                .sendUnlessMissing()
                .map(body -> read(body, new TypeReference<>() {}));
    }

    @Override
    public void deleteEndpoint(String name) {
        api.delete("delete endpoint", "/v1/endpoints/{}", name).send();
    }

    @Override
    public List<EndpointView> endpoints() {
        return read(api.get("list endpoints", "/v1/endpoints").send(), new TypeReference<>() {});
    }

    @Override
    public List<PoolView> pools() {
        return read(api.get("list pools", "/v1/pools").send(), new TypeReference<>() {});
    }

    @Override
    public ReplicaView launch(LaunchRequest request) {
        return read(
                api.post("launch replica", "/v1/replicas")
                        .json(CloudJson.tree(request))
                        .idempotent()
                        .send(),
                new TypeReference<>() {});
    }

    @Override
    public List<ReplicaView> observe(List<String> ids) {
        return read(
                api.post("observe replicas", "/v1/replicas/observe")
                        .json(ids)
                        .idempotent()
                        .send(),
                new TypeReference<>() {});
    }

    @Override
    public void terminate(String id) {
        api.delete("terminate replica", "/v1/replicas/{}", id).send();
    }

    @Override
    public List<ReplicaView> replicas() {
        return read(api.get("list replicas", "/v1/replicas").send(), new TypeReference<>() {});
    }

    private static <T> T read(JsonNode body, TypeReference<T> type) {
        return CloudJson.read(body.toString(), type);
    }
}
