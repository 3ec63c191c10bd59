package dev.tuna.testkit.contract;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.ProviderContext;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * What a plugin is given in a contract test: everything in memory, everything recorded.
 *
 * <p>It holds the two secrets that the contracts' specs refer to, {@link #ENGINE_KEY} and {@link #MODEL_TOKEN}, with
 * values of its own. Copies share whatever is not changed. Thread-safe.
 */
public final class ContractContext implements ProviderContext {

    /** The key that the model server demands. */
    public static final SecretRef ENGINE_KEY = new SecretRef("contract/engine-key");

    /** A token that the model server is given in its environment. */
    public static final SecretRef MODEL_TOKEN = new SecretRef("contract/model-token");

    private final String ownerId;
    private final Map<String, String> settings;
    private final InMemorySecretStore secrets;
    private final InstantSource clock;
    private final RecordingJournal journal;
    private final CountingHttpClient http;

    private ContractContext(
            String ownerId,
            Map<String, String> settings,
            InMemorySecretStore secrets,
            InstantSource clock,
            RecordingJournal journal,
            CountingHttpClient http) {
        this.ownerId = ownerId;
        this.settings = Map.copyOf(settings);
        this.secrets = secrets;
        this.clock = clock;
        this.journal = journal;
        this.http = http;
    }

    /**
     * A context without settings, on the system's clock.
     *
     * @return a new context with an owner id of its own
     */
    public static ContractContext create() {
        InMemorySecretStore secrets = new InMemorySecretStore();
        secrets.put(ENGINE_KEY, Secret.of("engine-" + random()));
        secrets.put(MODEL_TOKEN, Secret.of("token-" + random()));
        HttpClient http = HttpClient.newBuilder()
                .connectTimeout(Duration.ofSeconds(10))
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
        return new ContractContext(
                "own" + random().substring(0, 12),
                Map.of(),
                secrets,
                InstantSource.system(),
                new RecordingJournal(),
                new CountingHttpClient(http));
    }

    /**
     * A copy with a further setting.
     *
     * @param key setting
     * @param value its value
     * @return the copy
     */
    public ContractContext withSetting(String key, String value) {
        Map<String, String> more = new HashMap<>(settings);
        more.put(key, value);
        return new ContractContext(ownerId, more, secrets, clock, journal, http);
    }

    /**
     * Puts a further secret into the store.
     *
     * @param name the reference's name
     * @param secret its value
     * @return this
     */
    public ContractContext withSecret(String name, Secret secret) {
        secrets.put(new SecretRef(name), secret);
        return this;
    }

    /**
     * A copy with another clock.
     *
     * @param clock the clock
     * @return the copy
     */
    public ContractContext withClock(InstantSource clock) {
        return new ContractContext(ownerId, settings, secrets, Objects.requireNonNull(clock, "clock"), journal, http);
    }

    /**
     * The same surroundings for another installation, which has a journal of its own.
     *
     * @param ownerId lower-case letters and digits, at most 32
     * @return the copy
     */
    public ContractContext withOwner(String ownerId) {
        return new ContractContext(ownerId, settings, secrets, clock, new RecordingJournal(), http);
    }

    @Override
    public String ownerId() {
        return ownerId;
    }

    @Override
    public Map<String, String> settings() {
        return settings;
    }

    @Override
    public InMemorySecretStore secrets() {
        return secrets;
    }

    @Override
    public HttpClient http() {
        return http;
    }

    @Override
    public InstantSource clock() {
        return clock;
    }

    @Override
    public RecordingJournal journal() {
        return journal;
    }

    /**
     * How many requests went through {@link #http()}.
     *
     * @return zero or more
     */
    public int requests() {
        return http.requests();
    }

    static String random() {
        return UUID.randomUUID().toString().replace("-", "");
    }
}
