package dev.tuna.testkit.cloud.simulated;

import dev.tuna.api.CapacityException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.testkit.cloud.model.CloudApi;
import dev.tuna.testkit.cloud.model.CloudRefusal;
import dev.tuna.testkit.cloud.model.EndpointRequest;
import dev.tuna.testkit.cloud.model.EndpointView;
import dev.tuna.testkit.cloud.model.LaunchRequest;
import dev.tuna.testkit.cloud.model.PoolView;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** The way to the cloud as one provider sees it: it can fail, and refusals arrive as they would over HTTP. */
final class SimulatedApi implements CloudApi {

    private final String provider;
    private final CloudApi cloud;
    private final CallBook calls;

    SimulatedApi(String provider, CloudApi cloud, CallBook calls) {
        this.provider = provider;
        this.cloud = cloud;
        this.calls = calls;
    }

    private <T> T call(Operation operation, String target, Supplier<T> effect) {
        try {
            return calls.call(provider, operation, target, effect);
        } catch (CloudRefusal e) {
            if (e.code().equals(CloudRefusal.CAPACITY)) {
                throw new CapacityException(ErrorCode.CAPACITY, provider + ": " + e.getMessage());
            }
            throw ProviderException.of(provider, operation.toString())
                    .httpStatus(e.status())
                    .retryable(e.retryable())
                    .message(e.getMessage())
                    .cause(e)
                    .build();
        }
    }

    private void run(Operation operation, String target, Runnable effect) {
        call(operation, target, () -> {
            effect.run();
            return true;
        });
    }

    @Override
    public Map<String, BigDecimal> serverlessPrices() {
        return call(Operation.READ_PRICES, "", cloud::serverlessPrices);
    }

    @Override
    public EndpointView putEndpoint(EndpointRequest request) {
        return call(Operation.PUT_ENDPOINT, request.name(), () -> cloud.putEndpoint(request));
    }

    @Override
    public Optional<EndpointView> endpoint(String name) {
        return call(Operation.READ_ENDPOINT, name, () -> cloud.endpoint(name));
    }

    @Override
    public void deleteEndpoint(String name) {
        run(Operation.DELETE_ENDPOINT, name, () -> cloud.deleteEndpoint(name));
    }

    @Override
    public List<EndpointView> endpoints() {
        return call(Operation.LIST_ENDPOINTS, "", cloud::endpoints);
    }

    @Override
    public List<PoolView> pools() {
        return call(Operation.READ_POOLS, "", cloud::pools);
    }

    @Override
    public ReplicaView launch(LaunchRequest request) {
        return call(Operation.LAUNCH, request.token(), () -> cloud.launch(request));
    }

    @Override
    public List<ReplicaView> observe(List<String> ids) {
        return call(Operation.OBSERVE, String.join(" ", ids), () -> cloud.observe(ids));
    }

    @Override
    public void terminate(String id) {
        run(Operation.TERMINATE, id, () -> cloud.terminate(id));
    }

    @Override
    public List<ReplicaView> replicas() {
        return call(Operation.LIST_REPLICAS, "", cloud::replicas);
    }
}
