package dev.tuna.core.control;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Secret;
import dev.tuna.spi.SecretStore;
import java.util.HexFormat;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Makes and keeps the keys of deployments: one for the clients, which all revisions share, and one of its own for the model
 * servers of each revision. Thread-safe as its parts are.
 */
record Keyring(SecretStore secrets, RandomGenerator random) {

    private static final int ID_BYTES = 5;
    private static final int KEY_BYTES = 32;

    /** An id that no deployment had before. */
    String id(String outside) {
        return outside + "-" + hex(ID_BYTES);
    }

    /** The keys that are kept; new ones for what is not. */
    Keys of(String id, Revision revision, DeployRequest request) {
        Secret engine = secrets.get(Specs.engineKey(id)).orElseGet(() -> Secret.of(hex(KEY_BYTES)));
        if (request.publicAccess()) {
            return Keys.of(Optional.empty(), engine);
        }
        return Keys.of(
                Optional.of(secrets.get(Specs.routerKey(revision.account()))
                        .orElseGet(() -> Secret.of("tuna-" + hex(KEY_BYTES)))),
                engine);
    }

    void keep(String id, Revision revision, Keys keys) {
        secrets.put(Specs.engineKey(id), keys.engine());
        keys.router().ifPresent(key -> secrets.put(Specs.routerKey(revision.account()), key));
    }

    /** Of the clients' key only the last revision of a name takes leave. */
    void forget(String id, Revision revision) {
        secrets.remove(Specs.engineKey(id));
        if (revision.isCurrent()) {
            secrets.remove(Specs.routerKey(revision.account()));
        }
    }

    private String hex(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
