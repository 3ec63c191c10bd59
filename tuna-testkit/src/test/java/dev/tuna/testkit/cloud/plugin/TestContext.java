package dev.tuna.testkit.cloud.plugin;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.Journal;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SecretStore;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** What core would hand to a plugin, in memory. */
public record TestContext(
        String ownerId, Map<String, String> settings, SecretStore secrets, HttpClient http, InstantSource clock)
        implements ProviderContext {

    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(20)).build();

    public static TestContext of(Map<String, String> settings) {
        return new TestContext("owner1234567", settings, new Secrets(), HTTP, InstantSource.system());
    }

    public TestContext withOwner(String owner) {
        return new TestContext(owner, settings, secrets, http, clock);
    }

    @Override
    public Journal journal() {
        return new Journal() {
            @Override
            public void intend(String deployment, ResourceRef resource, String body) {}

            @Override
            public void gone(ResourceRef resource) {}

            @Override
            public List<ResourceRef> open(String deployment) {
                return List.of();
            }
        };
    }

    /** Secrets in a map. */
    public static final class Secrets implements SecretStore {
        private final Map<String, Secret> secrets = new ConcurrentHashMap<>();

        @Override
        public Optional<Secret> get(SecretRef ref) {
            return Optional.ofNullable(secrets.get(ref.name()));
        }

        @Override
        public void put(SecretRef ref, Secret secret) {
            secrets.put(ref.name(), secret);
        }

        @Override
        public void remove(SecretRef ref) {
            secrets.remove(ref.name());
        }
    }
}
