package dev.tuna.testkit.contract;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.SecretStore;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Keeps secrets in memory and remembers every value it ever held, so that a test can look for leaks. Thread-safe. */
public final class InMemorySecretStore implements SecretStore {

    private final Map<SecretRef, Secret> secrets = new ConcurrentHashMap<>();
    private final Set<Secret> seen = ConcurrentHashMap.newKeySet();

    /** An empty store. */
    public InMemorySecretStore() {}

    @Override
    public Optional<Secret> get(SecretRef ref) {
        return Optional.ofNullable(secrets.get(Objects.requireNonNull(ref, "ref")));
    }

    @Override
    public void put(SecretRef ref, Secret secret) {
        seen.add(secret);
        secrets.put(ref, secret);
    }

    @Override
    public void remove(SecretRef ref) {
        secrets.remove(Objects.requireNonNull(ref, "ref"));
    }

    @Override
    public List<SecretRef> names(String prefix) {
        return secrets.keySet().stream()
                .filter(ref -> ref.name().startsWith(prefix))
                .toList();
    }

    /**
     * What is kept now.
     *
     * @return a snapshot of the names
     */
    public Set<SecretRef> refs() {
        return Set.copyOf(secrets.keySet());
    }

    /**
     * Every value that was ever put, also those replaced or removed since.
     *
     * @return a snapshot
     */
    public Set<Secret> seen() {
        return Set.copyOf(seen);
    }
}
