package dev.tuna.core.vm;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.StoreException;
import dev.tuna.core.Tuna;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.control.Allowance;
import dev.tuna.core.control.Bundle;
import dev.tuna.core.control.Confided;
import dev.tuna.core.control.HostMachine;
import dev.tuna.core.machine.RouterVmConfig;
import dev.tuna.core.remote.Lodging;
import dev.tuna.core.remote.NextJar;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.router.RouterConfig;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What runs on a router's machine: an endpoint and a control loop, the same as in a host application, and an address on
 * loopback where hosts elsewhere hand deployments over and look after them. Started again by whoever supervises it when it
 * ends with another status than 0.
 *
 * <p>Everything it has to know is in its environment: {@code TUNA_DIR} (what stays; state, secrets and the jar),
 * {@code TUNA_RUN} (marks for the supervisor), {@code TUNA_ENGINE_PORT} (on loopback), {@code TUNA_CONTROL_TOKEN},
 * {@code TUNA_ROUTER_CONFIG}; and, if clients are to be served over TLS, {@code TUNA_LISTENER_CERT} and
 * {@code TUNA_LISTENER_KEY} (files), {@code TUNA_LISTENER_PORT}, {@code TUNA_HOST} (to bind), {@code TUNA_PUBLIC_HOST}. Credentials of providers are variables as providers read them.
 */
public final class RouterVmMain {

    private static final Logger LOG = LoggerFactory.getLogger(RouterVmMain.class);

    /** Streams may be long. */
    private static final Duration LAST_ANSWERS = Duration.ofMinutes(10);

    /** How long a program that is told to end may take. */
    private static final long SECONDS_TO_END = 60;

    private static final long MILLIS_BETWEEN_LOOKS = 100;

    /** Five minutes: whoever gives the store up waits for its last calls to providers first. */
    private static final long LOOKS_FOR_LOCK = 3000;

    private final Map<String, String> environment;
    private final Marks marks;
    private final Upgrade upgrade;
    private final CountDownLatch end = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final ReentrantLock coming =
            new ReentrantLock(); // nobody decides that this is not needed while one comes in

    private RouterVmMain(Map<String, String> environment) {
        this.environment = environment;
        this.marks = new Marks(Path.of(variable("TUNA_DIR")), Path.of(variable("TUNA_RUN")));
        this.upgrade = new Upgrade(marks);
    }

    /**
     * Runs until it is told to end, or another version has taken over.
     *
     * @param arguments none
     * @throws InterruptedException if the thread is interrupted
     */
    public static void main(String[] arguments) throws InterruptedException {
        var program = new RouterVmMain(System.getenv());
        Runtime.getRuntime().addShutdownHook(new Thread(program::end, "tuna-router-vm-end"));
        try {
            program.run();
        } catch (RuntimeException e) {
            program.marks.failure(e.getMessage() == null ? e.toString() : e.getMessage());
            throw e;
        } finally {
            program.ended.countDown();
        }
    }

    /** Until then the runtime does not end. */
    private void end() {
        end.countDown();
        try {
            var unused = ended.await(SECONDS_TO_END, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() throws InterruptedException {
        RouterVmConfig config = RouterVmConfig.of(variable(RouterVmConfig.VARIABLE));
        try (SqliteStateStore store = store(config)) {
            Tuna tuna = start(config, store);
            try {
                marks.serving();
                LOG.info("router VM '{}' serves at {}", config.name(), tuna.address());
                serve(tuna, store);
            } finally {
                tuna.close();
            }
        }
    }

    /** A program that is to be followed by this one gives its store up when this one waits for it. */
    private SqliteStateStore store(RouterVmConfig config) throws InterruptedException {
        for (long look = 1; true; look++) {
            try {
                return SqliteStateStore.openFor(marks.state(), InstantSource.system(), config.ownerId());
            } catch (StoreException e) {
                if (e.code() != ErrorCode.STORE_LOCKED || look == LOOKS_FOR_LOCK) {
                    throw e;
                }
                marks.waiting();
                if (end.await(MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS)) {
                    throw e;
                }
            }
        }
    }

    private Tuna start(RouterVmConfig config, SqliteStateStore store) {
        var builder = Tuna.builder()
                .store(store)
                .secrets(new FileSecretStore(marks.state()))
                .listen(optional("TUNA_HOST").orElse("0.0.0.0"), clientPort(config))
                .router(this::listener)
                .orphanTimeout(config.orphanTimeout())
                .machine(new HostMachine(config.provider(), config.name(), config.usdPerHour(), config.since()))
                .lodging(
                        Integer.parseInt(variable("TUNA_ENGINE_PORT")),
                        Secret.of(variable("TUNA_CONTROL_TOKEN")),
                        Guarded::new);
        config.settings().forEach(builder::providerSettings);
        optional("TUNA_PUBLIC_HOST").ifPresent(host -> builder.publicAddress(publicAddress(host, clientPort(config))));
        return builder.start();
    }

    private int clientPort(RouterVmConfig config) {
        return optional("TUNA_LISTENER_PORT").map(Integer::parseInt).orElseGet(config::port);
    }

    private URI publicAddress(String host, int port) {
        String scheme = optional("TUNA_LISTENER_CERT").isPresent() ? "https" : "http";
        return URI.create(scheme + "://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port);
    }

    private RouterConfig.Builder listener(RouterConfig.Builder settings) {
        optional("TUNA_LISTENER_CERT")
                .ifPresent(certificate -> settings.tls(
                        new RouterConfig.Tls(Path.of(certificate), Path.of(variable("TUNA_LISTENER_KEY")))));
        return settings.sharedPort(true).shutdownGrace(LAST_ANSWERS);
    }

    private void serve(Tuna tuna, SqliteStateStore store) throws InterruptedException {
        while (!end.await(1, TimeUnit.SECONDS)) {
            lookWhetherNeeded(tuna);
            if (upgrade.isReady()) {
                tuna.retire();
                store.close();
                upgrade.awaitSuccessor();
                LOG.info("another version serves by now; what is in flight here comes to its end");
                return;
            }
        }
    }

    private void lookWhetherNeeded(Tuna tuna) {
        coming.lock();
        try {
            if (tuna.isInUse()) {
                marks.needed();
            } else {
                marks.notNeeded();
            }
        } finally {
            coming.unlock();
        }
    }

    /** Nothing may end this machine from before a deployment is here until after it has gone. */
    private final class Guarded implements Lodging {
        private final Lodging lodging;

        Guarded(Lodging lodging) {
            this.lodging = lodging;
        }

        @Override
        public void offer(Bundle bundle) {
            coming.lock();
            try {
                marks.needed();
                lodging.offer(bundle);
            } finally {
                coming.unlock();
            }
        }

        @Override
        public Bundle take(String name, String handover) {
            return lodging.take(name, handover);
        }

        @Override
        public void taken(String name, String handover) {
            lodging.taken(name, handover);
        }

        @Override
        public void keep(String name, String handover) {
            lodging.keep(name, handover);
        }

        @Override
        public List<Outlay> allow(Allowance told) {
            return lodging.allow(told);
        }

        @Override
        public boolean vacate() {
            return lodging.vacate();
        }

        @Override
        public void confide(Confided confided) {
            lodging.confide(confided);
        }

        @Override
        public void upgrade(NextJar next) {
            upgrade.begin(next);
        }
    }

    private String variable(String name) {
        return optional(name)
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "environment variable " + name
                                + " is not set; this program is started on the machine of a router"));
    }

    private Optional<String> optional(String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
    }
}
