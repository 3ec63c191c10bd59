package dev.tuna.core;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.catalog.GpuCatalog;
import dev.tuna.core.control.Threads;
import dev.tuna.core.provider.Clouds;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.StateStore;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a {@link Tuna} holds open, closed in the opposite order of its opening. Confined to start, use and close. */
final class Installation implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Installation.class);
    private static final SecretRef ADMIN_KEY = new SecretRef("router/admin-key");
    private static final int KEY_BYTES = 32;

    private final StateStore store;
    private final SecretStore secrets;
    private final Threads threads;
    private final Clouds clouds;
    private final GpuCatalog catalog;
    private final RandomGenerator random;
    private final Duration orphanTimeout;
    private final Secret adminKey;
    private final Deque<AutoCloseable> open;

    Installation(
            StateStore store,
            SecretStore secrets,
            Threads threads,
            Clouds clouds,
            GpuCatalog catalog,
            RandomGenerator random,
            Duration orphanTimeout,
            Deque<AutoCloseable> open) {
        this.store = store;
        this.secrets = secrets;
        this.threads = threads;
        this.clouds = clouds;
        this.catalog = catalog;
        this.random = random;
        this.orphanTimeout = orphanTimeout;
        this.open = new ArrayDeque<>(open);
        this.adminKey = secrets.get(ADMIN_KEY).orElseGet(this::makeAdminKey);
    }

    private Secret makeAdminKey() {
        var bytes = new byte[KEY_BYTES];
        random.nextBytes(bytes);
        Secret made = Secret.of("tuna-admin-" + HexFormat.of().formatHex(bytes));
        secrets.put(ADMIN_KEY, made);
        return made;
    }

    /** {@code tuna-} and 8 hex digits. */
    String randomName() {
        return "tuna-" + HexFormat.of().toHexDigits(random.nextInt());
    }

    StateStore store() {
        return store;
    }

    SecretStore secrets() {
        return secrets;
    }

    Threads threads() {
        return threads;
    }

    Clouds clouds() {
        return clouds;
    }

    GpuCatalog catalog() {
        return catalog;
    }

    Duration orphanTimeout() {
        return orphanTimeout;
    }

    Secret adminKey() {
        return adminKey;
    }

    @Override
    public void close() {
        closeAll(open);
    }

    /** Closes everything, the last opened first, whatever fails on the way. */
    static void closeAll(Deque<AutoCloseable> open) {
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                LOG.warn("Something did not close properly", e);
            }
        }
    }
}
