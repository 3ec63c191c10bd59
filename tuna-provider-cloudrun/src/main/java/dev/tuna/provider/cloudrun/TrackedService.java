package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.BackendPhase;
import dev.tuna.api.TunaException;
import dev.tuna.spi.ServerlessObservation;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known of one service: the operation under way, and the last look, so that Cloud Run is asked no more often than
 * need be. A change that does not come up is taken back here. Thread-safe; whoever comes second waits and gets the same
 * answer.
 */
final class TrackedService {

    private static final Logger LOG = LoggerFactory.getLogger(TrackedService.class);

    private final RunApi api;
    private final Place place;
    private final InstanceCount instances;
    private final ReentrantLock lock = new ReentrantLock();

    // All guarded by lock:
    private @Nullable Operation operation;
    private String failure = "";
    private @Nullable ServerlessObservation last;
    private Instant lastAt = Instant.MIN;

    TrackedService(RunApi api, ProjectApi projects, Place place) {
        this.api = api;
        this.place = place;
        this.instances = new InstanceCount(projects, place);
    }

    /**
     * What a look at the service shows.
     *
     * @param service as it is
     * @param phase how far it has come
     * @param detail what it is doing or why it failed; may be empty
     * @param containers how many instances it has, if anybody tells
     */
    record Look(Service service, BackendPhase phase, String detail, OptionalInt containers) {}

    /**
     * Looks, unless somebody has just done so.
     *
     * @param now the time
     * @param interval how long an observation is used
     * @param words turns a look into an observation
     */
    ServerlessObservation observe(Instant now, Duration interval, Function<Look, ServerlessObservation> words) {
        lock.lock();
        try {
            ServerlessObservation seen = last;
            if (seen == null || !now.isBefore(lastAt.plus(interval))) {
                seen = look(now, words);
                last = seen;
                lastAt = now;
            }
            return seen;
        } finally {
            lock.unlock();
        }
    }

    private ServerlessObservation look(Instant now, Function<Look, ServerlessObservation> words) {
        boolean underWay = follow();
        Optional<Service> service = api.service(place);
        if (service.isEmpty()) {
            return absent(underWay);
        }
        return words.apply(judge(service.get(), underWay, now));
    }

    /** An operation that fails may leave nothing behind; why must be told all the same, until somebody cleans up. */
    private ServerlessObservation absent(boolean underWay) {
        if (!underWay && failure.isEmpty()) {
            return ServerlessObservation.gone(Optional.empty());
        }
        return new ServerlessObservation(
                underWay ? BackendPhase.REQUESTED : BackendPhase.FAILED,
                failure,
                Optional.empty(),
                OptionalInt.of(0),
                Optional.empty(),
                Optional.empty());
    }

    /** Asks after the operation; true while it goes on. */
    private boolean follow() {
        Operation known = operation;
        if (known == null) {
            return false;
        }
        Optional<Operation> now = known.isDone() ? Optional.of(known) : api.operation(known);
        if (now.isPresent() && !now.get().isDone()) {
            return true;
        }
        now.flatMap(Operation::error).ifPresent(error -> failure = CloudRunErrors.text(error));
        operation = null;
        return false;
    }

    private Look judge(Service service, boolean underWay, Instant now) {
        if (service.isBeingDeleted()) {
            return new Look(service, BackendPhase.DRAINING, "", instances.fresh(now));
        }
        if (service.isParked()) {
            return new Look(service, BackendPhase.DRAINING, "parked: it may have no instances", instances.fresh(now));
        }
        boolean served = !service.readyRevision().isEmpty();
        return switch (service.state()) {
            case READY -> {
                failure = "";
                opened(service);
                yield new Look(service, BackendPhase.READY, restored(service), containers(service, now));
            }
            case FAILED -> {
                if (served) {
                    yield new Look(service, BackendPhase.READY, restore(service), containers(service, now));
                }
                yield new Look(service, BackendPhase.FAILED, reason(service), OptionalInt.of(0));
            }
            case PENDING -> {
                if (served) {
                    yield new Look(
                            service, BackendPhase.READY, "a change is being brought up", containers(service, now));
                }
                if (!underWay && !failure.isEmpty()) {
                    yield new Look(service, BackendPhase.FAILED, failure, OptionalInt.of(0));
                }
                yield starting(service);
            }
        };
    }

    private OptionalInt containers(Service service, Instant now) {
        OptionalInt count = instances.fresh(now);
        return count.isPresent() ? OptionalInt.of(Math.max(count.getAsInt(), service.minInstances())) : count;
    }

    private String reason(Service service) {
        String message = CloudRunErrors.text(ServicePlan.JSON.createObjectNode().put("message", service.message()));
        return message.isEmpty() || failure.contains(message) ? failure : message;
    }

    private static String restored(Service service) {
        return service.annotation(Service.FAILED_PLAN).isEmpty()
                ? ""
                : "the last change could not be brought up and was taken back";
    }

    /** The revision's conditions come true one after the other: image there, machine there, container answers. */
    private Look starting(Service service) {
        String name = service.createdRevision();
        Optional<JsonNode> revision = name.isEmpty() ? Optional.empty() : api.revision(place, name);
        if (revision.isEmpty()) {
            return new Look(service, BackendPhase.REQUESTED, service.message(), OptionalInt.of(0));
        }
        for (JsonNode condition : revision.get().path("conditions")) {
            if (condition.path("type").asText().equals("ContainerReady")
                    && condition.path("state").asText().equals("CONDITION_SUCCEEDED")) {
                return new Look(service, BackendPhase.WEIGHTS, "the container loads the model", OptionalInt.of(1));
            }
        }
        return new Look(service, BackendPhase.IMAGE, "the image is being imported", OptionalInt.of(0));
    }

    /** Only once what demands a key of its own serves may anybody call it. */
    private void opened(Service service) {
        if (service.wantsEngineKey() && !service.isOpenToAll()) {
            ObjectNode change = ServicePlan.JSON
                    .createObjectNode()
                    .put("invokerIamDisabled", true)
                    .put("etag", service.etag());
            api.update(place, change, "invokerIamDisabled").ifPresent(begun -> operation = begun);
        }
    }

    /** Cloud Run goes on serving the revision before; the service is told to be that again, once for each failed plan. */
    private String restore(Service service) {
        String reason = reason(service);
        try {
            Optional<JsonNode> revision = api.revision(place, service.readyRevision());
            boolean other = revision.isPresent()
                    && !Restoration.planOf(revision.get()).equals(service.annotation(Service.PLAN));
            if (other) {
                LOG.warn("{}: a change cannot be brought up and is taken back: {}", place.service(), reason);
                api.update(place, Restoration.of(service, revision.get()), Restoration.FIELDS)
                        .ifPresent(begun -> operation = begun);
            }
        } catch (TunaException e) {
            LOG.warn("{}: a change cannot be taken back: {}", place.service(), e.getMessage());
        }
        return "a change could not be brought up, the revision before serves: " + reason;
    }

    /** Runs alone, and makes everybody look anew afterwards. */
    void change(Runnable change) {
        lock.lock();
        try {
            forget();
            change.run();
        } finally {
            last = null;
            lock.unlock();
        }
    }

    /** To be called inside {@link #change}. */
    void began(Operation begun) {
        operation = begun;
    }

    private void forget() {
        operation = null;
        failure = "";
        last = null;
    }
}
