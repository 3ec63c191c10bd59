package dev.tuna.testkit.crash;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.SecretStore;
import java.util.Optional;

/**
 * Secrets at whose writes the process can die. Thread-safe.
 *
 * @param store where it writes
 * @param death at which write
 */
public record MortalSecretStore(SecretStore store, Death death) implements SecretStore {

    @Override
    public Optional<Secret> get(SecretRef ref) {
        return store.get(ref);
    }

    @Override
    public void put(SecretRef ref, Secret secret) {
        death.write(() -> store.put(ref, secret));
    }

    @Override
    public void remove(SecretRef ref) {
        death.write(() -> store.remove(ref));
    }
}
