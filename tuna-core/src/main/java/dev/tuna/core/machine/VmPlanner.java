package dev.tuna.core.machine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.remote.NextJar;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.RouterVmSpec;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.StateStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/** Plans machines: at whom, under what name, with which jar, and what the program there is started with. Pure but for ids. */
final class VmPlanner {

    /** The option that names the machine; several deployments may name the same. */
    private static final String VM_NAME = "router_vm";

    private static final int ID_BYTES = 8;

    private final StateStore store;
    private final SecretStore secrets;
    private final Clouds clouds;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Duration orphanTimeout;
    private final Map<String, Map<String, String>> settings;
    private final RouterVmOptions options;

    VmPlanner(
            StateStore store,
            SecretStore secrets,
            Clouds clouds,
            InstantSource clock,
            RandomGenerator random,
            Duration orphanTimeout,
            Map<String, Map<String, String>> settings,
            RouterVmOptions options) {
        this.store = store;
        this.secrets = secrets;
        this.clouds = clouds;
        this.clock = clock;
        this.random = random;
        this.orphanTimeout = orphanTimeout;
        this.settings = Map.copyOf(settings);
        this.options = options;
    }

    /** Where a deployment is to live. */
    record Place(String provider, String name, Map<String, String> options) {}

    Place place(DeployRequest request, Optional<String> cloud) {
        String provider = cloud.filter(name -> clouds.spot(name).routers().isPresent())
                .or(() -> clouds.catalog().spotNames().stream()
                        .filter(name -> clouds.spot(name).routers().isPresent())
                        .findFirst())
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "routerPlacement is 'SEPARATE_VM', but no provider on the class path rents machines for routers;"
                                + " add dev.tuna:tuna-spot-aws, or use EMBEDDED"));
        // The provider knows its settings itself, and takes those of the installation from nobody else.
        Map<String, String> options = request.providerOptions().getOrDefault(provider, Map.of());
        String name = Optional.ofNullable(options.get(VM_NAME))
                .or(() -> Optional.ofNullable(
                        settings.getOrDefault(provider, Map.of()).get(VM_NAME)))
                .orElseGet(() -> request.serviceName().orElseThrow());
        requireNeeds(request, name);
        return new Place(provider, name, options);
    }

    /** Nobody who could not be asked for anything there is accepted. What the secret store has for a provider goes along. */
    void requireNeeds(DeployRequest request, String vm) {
        request.serverlessProviders().forEach(each -> requireNeeds(each, vm));
    }

    /** One that is named, or already has an endpoint of a deployment that is to go there. */
    void requireNeeds(String serverless, String vm) {
        Optional.ofNullable(options.needs().get(serverless))
                .filter(need -> !variables(vm).contains(need.variable()))
                .filter(need -> need.isNever()
                        || secrets.names(serverless + "/").stream().noneMatch(VmPlanner::isOfProvider))
                .ifPresent(need -> {
                    throw new ConfigurationException(
                            ErrorCode.NOT_CONFIGURED,
                            "serverless provider '" + serverless + "' may be usable here, but not on router VM '" + vm
                                    + "': " + need.fix());
                });
    }

    /** And not of one of its deployments. */
    private static boolean isOfProvider(SecretRef ref) {
        return ref.name().indexOf('/') == ref.name().lastIndexOf('/');
    }

    /** That the program of a machine has, or will have when it is made. */
    private Set<String> variables(String vm) {
        return secrets.get(RouterCloud.environment(vm))
                .map(VmPlanner::variables)
                .orElseGet(() -> options.environment().keySet());
    }

    private static Set<String> variables(Secret environment) {
        try {
            return new JsonMapper()
                    .readTree(environment.reveal()).properties().stream()
                            .map(Map.Entry::getKey)
                            .collect(Collectors.toSet());
        } catch (JsonProcessingException e) {
            // Without the cause, which may quote the value.
            throw new IllegalStateException("the environment of a router VM in the secret store is no JSON");
        }
    }

    VmRecord plan(Place place) {
        Jar jar = Jar.of(options);
        var spec =
                new RouterVmSpec(place.name(), jar.uri(), jar.sha256(), options.port(), orphanTimeout, place.options());
        RouterVmPlan plan = cloud(place.provider()).plan(spec, place.name() + "-" + id());
        return VmRecord.intended(place.provider(), plan, clock.instant());
    }

    /** What the program there is started with: its configuration, its token, and credentials of providers. */
    Secret environment(VmRecord record) {
        Optional<Secret> kept = secrets.get(RouterCloud.environment(record.name()));
        if (kept.isPresent()) {
            return kept.get();
        }
        var config = new RouterVmConfig(
                record.name(),
                record.provider(),
                store.ownerId(),
                options.port(),
                orphanTimeout,
                record.plan().usdPerHour(),
                record.createdAt(),
                settings);
        ObjectNode variables = new JsonMapper().createObjectNode();
        options.environment().forEach((name, value) -> variables.put(name, value.reveal()));
        variables.put(RouterVmConfig.VARIABLE, config.toJson());
        variables.put("TUNA_CONTROL_TOKEN", hex(4 * ID_BYTES));
        return Secret.of(variables.toString());
    }

    /** Puts the jar of the options where the machine can fetch it, by the way of the one that it was launched with. */
    NextJar deliver(VmRecord record) {
        Jar jar = Jar.of(options);
        return new NextJar(cloud(record.provider()).deliver(record.plan(), jar.uri(), jar.sha256()), jar.sha256());
    }

    RouterCloud cloud(String provider) {
        return clouds.spot(provider)
                .routers()
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.INVALID_REQUEST, "provider '" + provider + "' rents no machines for routers"));
    }

    String id() {
        return hex(ID_BYTES);
    }

    private String hex(int bytes) {
        var made = new byte[bytes];
        random.nextBytes(made);
        return HexFormat.of().formatHex(made);
    }
}
