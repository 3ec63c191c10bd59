package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Supplier;

/** One project with its services and whatever Google is doing for it. Thread-safe. */
final class Project {

    static final String NUMBER = "123456789012";

    private final CloudRunStandIn.Builder config;
    private final Tokens tokens;
    private final Map<String, StandInService> services = new ConcurrentSkipListMap<>();
    private final Map<String, Supplier<ObjectNode>> operations = new ConcurrentHashMap<>();
    private final Set<String> disabledApis = ConcurrentHashMap.newKeySet();

    Project(CloudRunStandIn.Builder config) {
        this.config = config;
        this.tokens = new Tokens(config.clock, config.tokenLifetime);
        disabledApis.addAll(config.disabledApis);
    }

    CloudRunStandIn.Builder config() {
        return config;
    }

    Tokens tokens() {
        return tokens;
    }

    String id() {
        return config.project;
    }

    /** The service account that the key file is of. */
    String account() {
        return "tuna@" + id() + ".iam.gserviceaccount.com";
    }

    boolean isDisabled(String api) {
        return disabledApis.contains(api);
    }

    void enable(Collection<String> apis) {
        disabledApis.removeAll(apis);
    }

    Collection<StandInService> services() {
        return List.copyOf(services.values());
    }

    Optional<StandInService> service(String name) {
        StandInService service = services.get(name);
        if (service != null && service.isGone()) {
            services.remove(name, service);
            return Optional.empty();
        }
        return Optional.ofNullable(service);
    }

    /** Makes one, unless the name is taken. */
    Optional<StandInService> make(String name, Supplier<StandInService> making) {
        service(name);
        StandInService[] made = new StandInService[1];
        services.computeIfAbsent(name, key -> made[0] = making.get());
        return Optional.ofNullable(made[0]);
    }

    /** Keeps account of something that goes on, and tells how it stands. */
    ObjectNode operation(String region, Supplier<ObjectNode> state) {
        String name = "projects/" + id() + "/locations/" + region + "/operations/" + UUID.randomUUID();
        Supplier<ObjectNode> told = () -> state.get().put("name", name);
        operations.put(name, told);
        return told.get();
    }

    Optional<ObjectNode> operation(String name) {
        return Optional.ofNullable(operations.get(name)).map(Supplier::get);
    }
}
