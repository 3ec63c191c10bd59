package dev.tuna.provider.baseten;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.Journal;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The secrets of the workspace that deployments need: made before them, and gone with them. Thread-safe. */
final class WorkspaceSecrets {

    private static final Logger LOG = LoggerFactory.getLogger(WorkspaceSecrets.class);

    private final ProviderContext context;
    private final BasetenApi api;

    WorkspaceSecrets(ProviderContext context, BasetenApi api) {
        this.context = context;
        this.api = api;
    }

    /** Makes what a plan needs; each is declared before it is made. Values may have changed, so all of them are sent. */
    void put(String deployment, Map<String, SecretRef> secrets) {
        Journal journal = context.journal();
        new TreeMap<>(secrets).forEach((name, ref) -> {
            var value = context.secrets()
                    .get(ref)
                    .orElseThrow(() -> ProviderException.of(BasetenProvider.NAME, "look up secret")
                            .code(ErrorCode.CREDENTIALS)
                            .message("there is no secret '" + ref.name() + "'; put it into the secret store")
                            .build());
            journal.intend(deployment, WorkspaceSecret.ref(name), "{\"name\":\"" + name + "\",\"value\":\"***\"}");
            api.putSecret(name, value);
        });
    }

    /** Removes what was made for a model, whoever made it. */
    void removeOf(String model) {
        List<WorkspaceSecret> listed;
        try {
            listed = of(api.secrets());
        } catch (ProviderException e) {
            if (e.code() == ErrorCode.CREDENTIALS && declared(model).isEmpty()) {
                // A key that may not see secrets has made none either.
                LOG.debug("{}: secrets cannot be listed: {}", model, e.getMessage());
                return;
            }
            throw e;
        }
        listed.stream()
                .filter(secret -> secret.model().equals(model))
                .forEach(secret -> api.deleteSecret(secret.name()));
        declared(model).forEach(context.journal()::gone);
    }

    /** Removes one. */
    void remove(ResourceRef secret) {
        api.deleteSecret(secret.id());
        context.journal().gone(secret);
    }

    /** Those of whatever installation. */
    List<WorkspaceSecret> all() {
        return of(api.secrets());
    }

    /** The same; none for a key that may see models but not secrets. */
    List<WorkspaceSecret> allIfAllowed() {
        try {
            return all();
        } catch (ProviderException e) {
            if (e.code() != ErrorCode.CREDENTIALS) {
                throw e;
            }
            LOG.debug("secrets cannot be listed: {}", e.getMessage());
            return List.of();
        }
    }

    private static List<WorkspaceSecret> of(List<String> names) {
        return names.stream()
                .map(WorkspaceSecret::named)
                .flatMap(Optional::stream)
                .toList();
    }

    private List<ResourceRef> declared(String model) {
        String suffix = ModelPlanner.name("", context.ownerId());
        if (!model.endsWith(suffix)) {
            return List.of();
        }
        return context.journal().open(model.substring(0, model.length() - suffix.length())).stream()
                .filter(ref -> ref.provider().equals(BasetenProvider.NAME)
                        && ref.kind().equals(WorkspaceSecret.KIND))
                .toList();
    }
}
