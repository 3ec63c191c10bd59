package dev.tuna.core.control;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SpotState;
import dev.tuna.core.budget.Restraint;
import dev.tuna.core.ledger.ContainerRules;
import dev.tuna.core.ledger.SameTraffic;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Everything the control loop knows about one revision of a deployment. Immutable: the loop swaps it whole, readers hold what they read.
 *
 * @param id unique for ever
 * @param name the service name, which all revisions of a deployment share
 * @param revision which revision this is
 * @param request what was asked for, with the name filled in
 * @param scaling how it scales, which follows from the request; kept because every step asks
 * @param createdAt when the first revision was asked for
 * @param goal what it is meant to come to
 * @param reason why it is meant to fail; empty otherwise
 * @param phase where it is in its life
 * @param backends every backend that is not known to be gone, in the order of their making, by id; one that has just gone
 *     is there for one last step
 * @param choice the search for serverless providers
 * @param fleet the rented replicas as a whole
 * @param accounts the books
 * @param ending how far the tearing down has come
 * @param served whether it has served
 * @param problems what is wrong at the moment: a topic to one sentence
 * @param looks observations under way: of an endpoint by its id, of all replicas by {@link FleetSide#REPLICAS}
 * @param restraint what is heeded for the sake of money
 * @param generation number of the last call
 * @param lookAt when the clouds are to be asked next, in steady time
 */
record Managed(
        String id,
        String name,
        Revision revision,
        DeployRequest request,
        ScalingPolicy scaling,
        Instant createdAt,
        Goal goal,
        String reason,
        DeploymentPhase phase,
        Map<String, Backend> backends,
        Choice choice,
        Fleet fleet,
        Accounts accounts,
        Ending ending,
        boolean served,
        Map<String, String> problems,
        Map<String, Call> looks,
        Restraint restraint,
        long generation,
        Instant lookAt) {

    /**
     * One that has just been asked for.
     *
     * @param target replicas to begin with
     */
    static Managed fresh(
            String id,
            Revision revision,
            DeployRequest request,
            Instant createdAt,
            Optional<String> cloud,
            int target,
            Now now) {
        ScalingPolicy scaling = request.effectiveScaling();
        var same = SameTraffic.start(ContainerRules.of(scaling.serverless(), Duration.ZERO), now.steady());
        return new Managed(
                id,
                request.serviceName().orElseThrow(),
                revision,
                request,
                scaling,
                createdAt,
                Goal.SERVE,
                "",
                DeploymentPhase.ACTIVE,
                Map.of(),
                Choice.OPEN,
                Fleet.of(cloud, target, scaling.spot().downscaleDelay(), now.steady()),
                Accounts.start(same, now),
                Ending.NOT_BEGUN,
                false,
                Map.of(),
                Map.of(),
                Restraint.NONE,
                0,
                now.steady());
    }

    /** The request as providers get to see it. */
    DeployRequest outsideRequest() {
        return request.toBuilder().serviceName(revision.outside()).build();
    }

    Stream<Backend> endpoints() {
        return backends.values().stream().filter(Backend::isServerless);
    }

    Stream<Backend> replicas() {
        return backends.values().stream().filter(backend -> !backend.isServerless());
    }

    /** How many replicas are so. A loop, since every step asks. */
    int replicas(Predicate<Backend> which) {
        int count = 0;
        for (Backend backend : backends.values()) {
            if (!backend.isServerless() && which.test(backend)) {
                count++;
            }
        }
        return count;
    }

    List<Backend> present() {
        // A loop, since every step asks several times.
        var present = new ArrayList<Backend>(backends.size());
        for (Backend backend : backends.values()) {
            if (!backend.isGone()) {
                present.add(backend);
            }
        }
        return present;
    }

    /** How containers come and go as asked for; requests that wait for a cold start are in flight all the while. */
    ContainerRules askedRules() {
        return ContainerRules.of(scaling.serverless(), Duration.ZERO);
    }

    /** How the first endpoint's containers come and go. */
    ContainerRules containerRules() {
        ContainerRules asked = askedRules();
        // A loop, since every step asks.
        for (Backend backend : backends.values()) {
            if (backend.meter().orElse(null) instanceof Meter.Containers meter) {
                return meter.rules(asked);
            }
        }
        return asked;
    }

    /** Whether somebody still waits for the answer to a call. */
    boolean awaits(long generation) {
        // A loop, since every call asks.
        for (Backend backend : backends.values()) {
            if (is(backend.call(), generation)) {
                return true;
            }
        }
        for (Call look : looks.values()) {
            if (look.generation() == generation) {
                return true;
            }
        }
        return is(choice.call(), generation) || is(fleet.call(), generation) || is(ending.call(), generation);
    }

    private static boolean is(Optional<Call> call, long generation) {
        return call.isPresent() && call.get().generation() == generation;
    }

    boolean isOver() {
        return phase == DeploymentPhase.DESTROYED || phase == DeploymentPhase.FAILED;
    }

    SpotState spotState() {
        SpotState state = SpotState.COLD;
        for (Backend backend : backends.values()) {
            if (!backend.isServerless() && backend.serves()) {
                return SpotState.READY;
            }
            if (!backend.isServerless() && backend.isWanted()) {
                state = SpotState.WARMING;
            }
        }
        return state;
    }

    Managed with(Consumer<Draft> change) {
        var draft = new Draft(this);
        change.accept(draft);
        return new Managed(
                id,
                name,
                draft.revision,
                draft.request,
                draft.scaling,
                createdAt,
                draft.goal,
                draft.reason,
                draft.phase,
                draft.backends,
                draft.choice,
                draft.fleet,
                draft.accounts,
                draft.ending,
                draft.served,
                draft.problems,
                draft.looks,
                draft.restraint,
                draft.generation,
                draft.lookAt);
    }

    @SuppressWarnings("ReferenceEquality") // a shortcut: what was not changed is the same object
    Managed withBackend(Backend backend) {
        if (backends.get(backend.id()) == backend) {
            return this;
        }
        var changed = new LinkedHashMap<>(backends);
        changed.put(backend.id(), backend);
        return with(draft -> draft.backends = Collections.unmodifiableMap(changed));
    }

    Managed withLook(String whose, Call look) {
        var changed = new LinkedHashMap<>(looks);
        changed.put(whose, look);
        return with(draft -> draft.looks = Collections.unmodifiableMap(changed));
    }

    Managed withoutLook(String whose) {
        var left = new LinkedHashMap<>(looks);
        left.remove(whose);
        return with(draft -> draft.looks = Collections.unmodifiableMap(left));
    }

    /** Whether there is nothing to decide that was not before: the two differ in their books and looks alone. */
    @SuppressWarnings("ReferenceEquality") // a shortcut: what was not changed is the same object
    boolean standsAs(Managed before) {
        if (goal != before.goal
                || fleet != before.fleet
                || choice != before.choice
                || ending != before.ending
                || problems != before.problems
                || backends.size() != before.backends.size()) {
            return false;
        }
        for (Backend backend : backends.values()) {
            Backend old = before.backends.get(backend.id());
            if (old == null || !backend.standsAs(old)) {
                return false;
            }
        }
        return true;
    }

    private boolean hasGone() {
        for (Backend backend : backends.values()) {
            if (backend.isGone()) {
                return true;
            }
        }
        return false;
    }

    Managed withoutGone() {
        if (!hasGone()) {
            return this;
        }
        var left = new LinkedHashMap<>(backends);
        left.values().removeIf(Backend::isGone);
        return with(draft -> draft.backends = Collections.unmodifiableMap(left));
    }

    Managed withProblem(String topic, String sentence) {
        if (sentence.equals(problems.get(topic))) {
            return this;
        }
        var changed = new LinkedHashMap<>(problems);
        changed.put(topic, sentence);
        return with(draft -> draft.problems = Collections.unmodifiableMap(changed));
    }

    Managed withoutProblem(String topic) {
        if (!problems.containsKey(topic)) {
            return this;
        }
        var changed = new LinkedHashMap<>(problems);
        changed.remove(topic);
        return with(draft -> draft.problems = Collections.unmodifiableMap(changed));
    }

    /** The parts that change, while they are being changed. Confined to one call of {@link #with}. */
    static final class Draft {
        Revision revision;
        private DeployRequest request;
        private ScalingPolicy scaling;
        Goal goal;
        String reason;
        DeploymentPhase phase;
        Map<String, Backend> backends;
        Choice choice;
        Fleet fleet;
        Accounts accounts;
        Ending ending;
        boolean served;
        Map<String, String> problems;
        Map<String, Call> looks;
        Restraint restraint;
        long generation;
        Instant lookAt;

        private Draft(Managed before) {
            revision = before.revision;
            request = before.request;
            scaling = before.scaling;
            goal = before.goal;
            reason = before.reason;
            phase = before.phase;
            backends = before.backends;
            choice = before.choice;
            fleet = before.fleet;
            accounts = before.accounts;
            ending = before.ending;
            served = before.served;
            problems = before.problems;
            looks = before.looks;
            restraint = before.restraint;
            generation = before.generation;
            lookAt = before.lookAt;
        }

        void request(DeployRequest next) {
            request = next;
            scaling = next.effectiveScaling();
        }
    }
}
