package dev.tuna.providers;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.testkit.baseten.BasetenStandIn;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.crash.CallerFaults;
import dev.tuna.testkit.modal.ModalStandIn;
import dev.tuna.testkit.runpod.RunPodStandIn;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * A vendor's stand-in, as far as all of them are alike. Thread-safe.
 *
 * @param name the provider's name
 * @param settings what an installation says about it
 * @param credentials secrets that the provider needs
 * @param callers takes who decides at which calls the caller dies
 * @param endpoints names of what takes requests
 * @param helpers names of what there is beside
 * @param versions how many versions of an endpoint there are
 * @param stop stops it
 */
record Vendor(
        String name,
        Map<String, String> settings,
        Map<String, Secret> credentials,
        Consumer<CallerFaults> callers,
        Supplier<List<String>> endpoints,
        Supplier<List<String>> helpers,
        ToIntFunction<String> versions,
        Runnable stop)
        implements AutoCloseable {

    static final List<String> ALL = List.of("runpod", "baseten", "cloudrun", "modal");

    static Vendor start(String name) {
        return switch (name) {
            case "runpod" -> of(RunPodStandIn.builder().start());
            case "baseten" -> of(BasetenStandIn.builder().start());
            case "cloudrun" -> of(CloudRunStandIn.builder().start());
            case "modal" -> of(ModalStandIn.builder().start());
            default -> throw new IllegalArgumentException(name);
        };
    }

    static Vendor of(RunPodStandIn runpod) {
        return new Vendor(
                "runpod",
                runpod.settings(),
                Map.of("runpod/api-key", runpod.key()),
                runpod::callers,
                runpod::endpoints,
                List::of,
                endpoint -> 1,
                runpod::close);
    }

    static Vendor of(BasetenStandIn baseten) {
        return new Vendor(
                "baseten",
                baseten.settings(),
                Map.of("baseten/api-key", baseten.key()),
                baseten::callers,
                baseten::models,
                baseten::secrets,
                model -> baseten.deployments(model).size(),
                baseten::close);
    }

    static Vendor of(CloudRunStandIn cloudrun) {
        return new Vendor(
                "cloudrun",
                cloudrun.settings(),
                Map.of("cloudrun/credentials", cloudrun.serviceAccountKey()),
                cloudrun::callers,
                cloudrun::services,
                List::of,
                cloudrun::revisions,
                cloudrun::close);
    }

    static Vendor of(ModalStandIn modal) {
        return new Vendor(
                "modal",
                modal.settings(),
                Map.of("modal/token-id", modal.tokenId(), "modal/token-secret", modal.tokenSecret()),
                modal::callers,
                modal::apps,
                modal::volumes,
                modal::version,
                modal::close);
    }

    /** Requests to models are no calls to the vendor. */
    static boolean isControl(String call) {
        return !call.matches("\\S+ /(lb/|model-|v2/[^/]+/openai/).*");
    }

    /** Whether a call to a vendor may change what there is. */
    static boolean isChange(String call) {
        return isControl(call)
                && call.matches("(POST|PUT|PATCH|DELETE) (?!/graphql|/token|\\S+:testIamPermissions).*"
                        + "|modal (deploy|app stop|volume delete|workspace proxy-tokens create) .*");
    }

    /** Everything that there is, sorted. */
    List<String> things() {
        return Stream.concat(endpoints.get().stream(), helpers.get().stream())
                .sorted()
                .toList();
    }

    void putCredentials(Path directory) {
        var store = new FileSecretStore(directory);
        credentials.forEach((ref, secret) -> store.put(new SecretRef(ref), secret));
    }

    /** As {@link Subject} takes them. */
    Stream<String> words() {
        return settings.entrySet().stream().map(each -> name + "." + each.getKey() + "=" + each.getValue());
    }

    @Override
    public void close() {
        stop.run();
    }
}
