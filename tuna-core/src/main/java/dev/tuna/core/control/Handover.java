package dev.tuna.core.control;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.core.provider.ProviderCatalog;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.SecretStore;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * One end of handing deployments over from one controller to another; see {@link Custody} for the steps. Every step may be
 * repeated, by this process or the next one. Blocks; thread-safe.
 */
public final class Handover {

    private final Tenure tenure;
    private final StateStore store;
    private final Bundles bundles;
    private final InstantSource clock;
    private final Turns turns = new Turns(); // one step of a deployment at a time
    private final Custodies custodies;

    Handover(
            Tenure tenure,
            Custodies custodies,
            StateStore store,
            SecretStore secrets,
            ProviderCatalog catalog,
            InstantSource clock) {
        this.tenure = tenure;
        this.custodies = custodies;
        this.store = store;
        var providers = new TreeSet<>(catalog.serverlessNames());
        providers.addAll(catalog.spotNames());
        this.bundles = new Bundles(store, secrets, providers);
        this.clock = clock;
    }

    /**
     * What is known about every deployment that was ever handed over.
     *
     * @return by the deployment's name, as it is at any time
     */
    public Map<String, Custody> custodies() {
        return custodies.all();
    }

    /**
     * Whether a deployment is on its way and may come back.
     *
     * @return true if so
     */
    public boolean isLeaving() {
        return custodies().values().stream().anyMatch(custody -> custody.state() == Custody.State.LEAVING);
    }

    /**
     * Whether what carries a name at a provider belongs to a deployment that another controller looks after.
     *
     * @param outside the deployment's name, as providers know it
     * @return true if so
     */
    public boolean isElsewhere(String outside) {
        return custodies().values().stream()
                .filter(Custody::isElsewhere)
                .anyMatch(custody -> Names.isRevisionOf(custody.service(), outside));
    }

    /**
     * Whether what carries a name at a provider belongs to a deployment.
     *
     * @param name the deployment's name
     * @param outside the name at the provider
     * @return true if so
     */
    public static boolean isOf(String name, String outside) {
        return Names.isRevisionOf(name, outside);
    }

    /**
     * Whether what carries a name at a provider belongs to a deployment that came here.
     *
     * @param outside the deployment's name, as providers know it
     * @return true if so
     */
    public boolean isHere(String outside) {
        return custodies().values().stream()
                .filter(custody -> !custody.isElsewhere())
                .anyMatch(custody -> Names.isRevisionOf(custody.service(), outside));
    }

    /**
     * Before this controller ends for good: nobody is taken in any more but who is handed over.
     *
     * @return whether nobody is looked after here; else nothing has changed
     */
    public boolean vacate() {
        return tenure.vacate();
    }

    /** Accepts a deployment for another controller, in one write with what else there is of it. */
    void accept(String service, Supplier<Custody> saved) {
        turns.alone(service, () -> {
            custodies.know(saved.get());
            return service;
        });
    }

    private Custody custody(String service) {
        return custodies.of(service);
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
        return turns.alone(service, () -> {
            Custody custody = custody(service);
            if (custody.isElsewhere() && !custody.handover().equals(handover)) {
                throw elsewhere(custody);
            }
            if (custody.isElsewhere()) {
                tenure.hold(service);
            } else {
                leave(custody.leaving(handover, to));
            }
            return bundles.pack(service, handover);
        });
    }

    /**
     * Notes that a deployment is to be handed over, which is looked after here until {@link #depart}.
     *
     * @param service its name
     * @param handover unique for ever
     * @param to who is to have it
     * @param beside what is stored in the same write
     * @throws ConfigurationException {@code NAME_TAKEN} if it is somebody else's already, or on its way
     */
    public void bind(String service, String handover, String to, List<ResourceRecord> beside) {
        turns.alone(service, () -> {
            Custody custody = custody(service);
            if (custody.isElsewhere() || custody.isBound()) {
                throw elsewhere(custody);
            }
            if (custody.isUnsettled()) {
                throw new ConfigurationException(
                        ErrorCode.NAME_TAKEN,
                        "what the lost router VM '" + custody.with() + "' has made for deployment '" + service
                                + "' is still being removed; try again in a minute");
            }
            save(custody.bound(handover, to), beside);
            return service;
        });
    }

    /**
     * Stops looking after a deployment that is on its way, as the other end is ready for it. Again: the same bundle.
     *
     * @param service its name
     * @param handover by which it is to leave
     * @return what the other one needs; empty if it is not on its way by this handover (any more)
     */
    public Optional<Bundle> depart(String service, String handover) {
        return turns.alone(service, () -> {
            Custody custody = custody(service);
            if (!custody.isOnItsWay() || !custody.handover().equals(handover)) {
                return Optional.empty();
            }
            if (custody.isBound() && !tenure.serves(service)) {
                save(custody.stayed()); // what is being torn down here is so to its end
                return Optional.empty();
            }
            if (custody.isBound()) {
                leave(custody.leaving(handover, custody.with()));
            } else {
                tenure.hold(service);
            }
            return Optional.of(bundles.pack(service, handover));
        });
    }

    /**
     * It is not to be handed over after all, and goes on being looked after here.
     *
     * @param service its name
     * @param handover by which it was to leave; one that has begun, or is over, is no error
     * @param why what users are told
     * @return whether it was to be handed over until now
     */
    public boolean withdraw(String service, String handover, String why) {
        return turns.alone(service, () -> {
            Custody custody = custody(service);
            boolean bound = custody.isBound() && custody.handover().equals(handover);
            if (bound) {
                save(custody.stayed());
                tenure.warn(service, "is not handed over, and looked after here further: " + why);
            }
            return bound;
        });
    }

    /** What cannot be stored has not happened: then it is looked after further. */
    private void leave(Custody leaving) {
        try {
            tenure.hold(leaving.service());
            save(leaving);
        } catch (RuntimeException e) {
            tenure.goOn(leaving.service());
            throw e;
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
        return turns.alone(service, () -> {
            Custody custody = custody(service);
            boolean leaving = custody.state() == Custody.State.LEAVING
                    && custody.handover().equals(handover);
            if (leaving && !custody.offered()) {
                save(custody.asOffered());
            }
            return leaving;
        });
    }

    /**
     * The other end has it: lets go of it here.
     *
     * @param service its name
     * @param handover as it left; one that is over already is no error
     * @param forget whether its secrets go too
     */
    public void left(String service, String handover, boolean forget) {
        turns.alone(service, () -> {
            Custody custody = custody(service);
            if (custody.state() == Custody.State.LEAVING && custody.handover().equals(handover)) {
                save(custody.away());
                if (forget) {
                    bundles.forget(service);
                }
                tenure.letGo(service);
            }
            return service;
        });
    }

    /**
     * Looks after it again, or further, if the other end cannot have it yet.
     *
     * @param service its name
     * @return false if it has been offered, so that only the other end knows
     */
    public boolean callBack(String service) {
        return turns.alone(service, () -> {
            Custody custody = custody(service);
            if (custody.isBound()) {
                save(custody.stayed());
            } else if (custody.state() == Custody.State.LEAVING && !custody.offered()) {
                stay(service, custody.handover());
            }
            return !custody(service).isElsewhere();
        });
    }

    /**
     * Ends a handover of what is to be destroyed, if the other end cannot have it yet; or if that is a host: nobody knows
     * whether it is ever started again, and replicas cost money until then.
     *
     * @return whether it was being handed over, and is looked after here again
     */
    boolean claim(String service) {
        return (custody(service).isBound() || mayClaim(service))
                && turns.alone(service, () -> {
                    boolean held = mayClaim(service);
                    if (held) {
                        stay(service, custody(service).handover());
                    } else if (custody(service).isBound()) {
                        save(custody(service).stayed());
                    }
                    return held;
                });
    }

    private boolean mayClaim(String service) {
        Custody custody = custody(service);
        return custody.isHeld() && (!custody.offered() || custody.with().isEmpty());
    }

    /** What users are told of a deployment that is to be handed over, or that nobody acts for. */
    Optional<String> problem(String service) {
        Custody custody = custody(service);
        if (custody.isBound()) {
            return Optional.of("is to be handed over to router VM '" + custody.with()
                    + "' when that is ready, and looked after here until then");
        }
        return Optional.of(custody)
                .filter(Custody::isHeld)
                .map(held -> held.with().isEmpty()
                        ? "a host has begun to take it back: nothing of it is looked at, scaled or replaced until that host has it, or"
                                + " is started again; it may be destroyed here"
                        : "is being handed over to router VM '" + held.with()
                                + "': nothing of it is looked at, scaled or replaced until that has it");
    }

    /**
     * The other end is known not to have it, and will not: looks after it again.
     *
     * @param service its name
     * @param handover as it left; one that is over already is no error
     * @param why what users are told
     */
    public void stay(String service, String handover, String why) {
        turns.alone(service, () -> {
            if (custody(service).isElsewhere() && custody(service).handover().equals(handover)) {
                stay(service, handover);
                tenure.warn(service, "is not handed over, and looked after here further: " + why);
            }
            return service;
        });
    }

    /**
     * As the other {@code stay}, where nobody need be told.
     *
     * @param service its name
     * @param handover as it left; one that is over already is no error
     */
    public void stay(String service, String handover) {
        turns.alone(service, () -> {
            Custody custody = custody(service);
            if (custody.isElsewhere() && custody.handover().equals(handover)) {
                leaveRoom(custody);
                save(custody.stayed());
                var unused = tenure.takeUp(service, List.of());
            }
            return service;
        });
    }

    /**
     * The other end is lost, with a deployment for which it may have made something: looks after it again. What was made
     * there becomes part of it, or is to be removed: until {@link #settle} tells that it was, this is to be repeated.
     *
     * @param service its name
     * @param handover as it left; one that is over already is no error
     * @param strays what was made there and still runs
     * @return those that do not fit, and should be removed
     */
    public List<Stray> rescue(String service, String handover, List<Stray> strays) {
        return turns.alone(service, () -> {
            Custody custody = custody(service);
            if (!custody.handover().equals(handover) || !custody.isUnsettled()) {
                return List.of();
            }
            if (custody.isElsewhere()) {
                leaveRoom(custody);
                save(custody.rescued());
                return tenure.takeUp(service, strays);
            }
            return tenure.join(service, strays);
        });
    }

    /**
     * Nothing is left of what another controller, now lost, made for a deployment.
     *
     * @param service its name
     * @param handover as it left
     */
    public void settle(String service, String handover) {
        turns.alone(service, () -> {
            Custody custody = custody(service);
            if (custody.handover().equals(handover) && !custody.isElsewhere() && custody.isUnsettled()) {
                save(custody.stayed());
            }
            return service;
        });
    }

    private void leaveRoom(Custody custody) {
        if (custody.offered()) {
            bundles.leaveRoom(custody.service(), clock.instant());
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
        turns.alone(bundle.service(), () -> {
            Custody custody = custody(bundle.service());
            if (!custody.taken().contains(bundle.handover())) {
                tenure.takeIn(bundle.service(), Bundles.models(bundle.deployments()), () -> {
                    Custody taken = custody.taken(bundle.handover(), from);
                    bundles.unpack(bundle, List.of(taken.record(clock.instant())), clock.instant());
                    custodies.know(taken);
                });
            }
            return bundle;
        });
    }

    /**
     * Whether a deployment may have come here, after {@link #arrive} failed.
     *
     * @param service its name
     * @param handover by which it would have come
     * @return false if it is certain that it has not
     */
    public boolean mayHave(String service, String handover) {
        try {
            return custody(service).taken().contains(handover)
                    || new Custodies(store.load()).of(service).taken().contains(handover);
        } catch (RuntimeException e) {
            return true;
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
        save(custody, List.of());
    }

    private void save(Custody custody, List<ResourceRecord> beside) {
        var resources = new ArrayList<>(beside);
        resources.add(custody.record(clock.instant()));
        store.save(new StateChange(List.of(), resources, List.of()));
        custodies.know(custody);
    }
}
