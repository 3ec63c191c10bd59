package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.core.provider.ProviderCatalog;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/**
 * One end of handing deployments over from one controller to another; see {@link Custody} for the steps. Every step may be
 * repeated, by this process or the next one. Blocks; thread-safe.
 */
public final class Handover {

    private final Controller controller;
    private final StateStore store;
    private final Bundles bundles;
    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock(); // one step at a time
    private volatile Map<String, Custody> custodies;

    Handover(
            Controller controller,
            StateStore store,
            SecretStore secrets,
            ProviderCatalog catalog,
            InstantSource clock,
            StateSnapshot stored) {
        this.controller = controller;
        this.store = store;
        var providers = new TreeSet<>(catalog.serverlessNames());
        providers.addAll(catalog.spotNames());
        this.bundles = new Bundles(store, secrets, providers);
        this.clock = clock;
        this.custodies = stored.resources().stream()
                .filter(Custody::isOne)
                .map(Custody::of)
                .collect(Collectors.toUnmodifiableMap(Custody::service, custody -> custody));
    }

    /**
     * What is known about every deployment that was ever handed over.
     *
     * @return by the deployment's name
     */
    public Map<String, Custody> custodies() {
        return custodies;
    }

    /** As the store has it by now. */
    private void know(Custody custody) {
        var next = new HashMap<>(custodies);
        next.put(custody.service(), custody);
        custodies = Map.copyOf(next);
    }

    /**
     * Whether a deployment is on its way and may come back.
     *
     * @return true if so
     */
    public boolean isLeaving() {
        return custodies().values().stream().anyMatch(custody -> custody.state() == Custody.State.LEAVING);
    }

    /** Of a deployment that was accepted for another controller, in one write with what else there is of it. */
    void accepted(Custody leaving, Runnable save) {
        lock.lock();
        try {
            save.run();
            know(leaving);
        } finally {
            lock.unlock();
        }
    }

    private Custody custody(String service) {
        return Optional.ofNullable(custodies().get(service)).orElseGet(() -> Custody.none(service));
    }

    /**
     * Stops looking after a deployment, so that another controller can: when this returns, no call is under way for it and
     * everything is on disk. Requests go on being routed to the backends it has. Again with the same id: the same bundle.
     *
     * @param service its name
     * @param handover unique for ever
     * @param to who is to have it
     * @return what the other one needs
     * @throws ConfigurationException {@code NO_SUCH_DEPLOYMENT}, or {@code NAME_TAKEN} if it is somebody else's already, or
     *     on its way
     */
    public Bundle leave(String service, String handover, String to) {
        lock.lock();
        try {
            Custody custody = custody(service);
            if (custody.isElsewhere() && !custody.handover().equals(handover)) {
                throw elsewhere(custody);
            }
            controller.hold(service);
            if (!custody.isElsewhere()) {
                save(custody.leaving(handover, to));
            }
            return bundles.pack(service, handover);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Notes that the other end may take it from now on: until it is known whether it did, it must not stay.
     *
     * @param service its name
     * @param handover as it left
     * @return false if it is not leaving by this handover any more, and so must not be offered
     */
    public boolean offered(String service, String handover) {
        lock.lock();
        try {
            Custody custody = custody(service);
            boolean leaving = custody.state() == Custody.State.LEAVING
                    && custody.handover().equals(handover);
            if (leaving && !custody.offered()) {
                save(custody.asOffered());
            }
            return leaving;
        } finally {
            lock.unlock();
        }
    }

    /**
     * The other end has it: lets go of it here.
     *
     * @param service its name
     * @param handover as it left; one that is over already is no error
     * @param forget whether its secrets go too
     */
    public void left(String service, String handover, boolean forget) {
        lock.lock();
        try {
            Custody custody = custody(service);
            if (custody.state() == Custody.State.LEAVING && custody.handover().equals(handover)) {
                save(custody.away());
                if (forget) {
                    bundles.forget(service);
                }
                controller.letGo(service);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Looks after it again, if the other end cannot have it yet.
     *
     * @param service its name
     * @return false if it has been offered, so that only the other end knows
     */
    public boolean callBack(String service) {
        lock.lock();
        try {
            Custody custody = custody(service);
            if (custody.state() == Custody.State.LEAVING && !custody.offered()) {
                stay(service, custody.handover());
            }
            return !custody(service).isElsewhere();
        } finally {
            lock.unlock();
        }
    }

    /**
     * The other end is known not to have it, and will not: looks after it again.
     *
     * @param service its name
     * @param handover as it left, or empty for whichever; one that is over already is no error
     */
    public void stay(String service, String handover) {
        var unused = stay(service, handover, List.of());
    }

    /**
     * As {@link #stay(String, String)}, of a deployment for which the other end has made something.
     *
     * @param service its name
     * @param handover as it left, or empty for whichever; one that is over already is no error
     * @param strays what was made there and still runs
     * @return those that do not fit, and should be removed
     */
    public List<Stray> stay(String service, String handover, List<Stray> strays) {
        lock.lock();
        try {
            Custody custody = custody(service);
            if (custody.isElsewhere()
                    && (handover.isEmpty() || custody.handover().equals(handover))) {
                controller.requireFree(service, bundles.models(service));
                if (custody.offered()) {
                    bundles.leaveRoom(service, clock.instant());
                }
                save(custody.stayed());
                return controller.takeUp(service, strays);
            }
            return List.of();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes a deployment over: when this returns it is on disk and looked after. One that came before, by the same handover,
     * is left as it has become.
     *
     * @param bundle from the other end's {@link #leave}
     * @param from who had it
     * @throws ConfigurationException {@code NAME_TAKEN} if another deployment here has its name or serves its model; nothing
     *     was stored then
     */
    public void arrive(Bundle bundle, String from) {
        lock.lock();
        try {
            Custody custody = custody(bundle.service());
            if (custody.taken().contains(bundle.handover())) {
                return;
            }
            controller.requireFree(bundle.service(), Bundles.models(bundle.deployments()));
            Custody taken = custody.taken(bundle.handover(), from);
            bundles.unpack(bundle, List.of(taken.record(clock.instant())), clock.instant());
            know(taken);
            var unused = controller.takeUp(bundle.service(), List.of());
        } finally {
            lock.unlock();
        }
    }

    private static ConfigurationException elsewhere(Custody custody) {
        return new ConfigurationException(
                ErrorCode.NAME_TAKEN,
                "deployment '" + custody.service() + "' "
                        + (custody.state() == Custody.State.AWAY ? "is looked after by " : "is being handed over to ")
                        + (custody.with().isEmpty() ? "another host" : "router VM '" + custody.with() + "'"));
    }

    private void save(Custody custody) {
        store.save(StateChange.of(custody.record(clock.instant())));
        know(custody);
    }
}
