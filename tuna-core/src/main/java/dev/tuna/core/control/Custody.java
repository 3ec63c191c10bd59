package dev.tuna.core.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.spi.ResourceRecord;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Who looks after a deployment, as one store has it. A deployment without one has never been handed over. Immutable.
 *
 * <p>One that is to be given to a machine which is not ready yet is looked after here until that is ({@link State#BOUND}).
 *
 * <p>A deployment goes from one store to another in three steps, each of which may be repeated: the giver stops looking
 * after it ({@link State#LEAVING}); the taker stores all of it and begins, in one write ({@link State#HERE}); the giver lets
 * go of it ({@link State#AWAY}). Between the first and the second nobody acts, so never two do. A taker remembers what it
 * has taken, so that a step that is repeated late does not bring back what has gone on since.
 *
 * @param service the deployment's name
 * @param state who looks after it
 * @param handover the last handover: unique for ever
 * @param with who is at the other end of it: a router VM's name; empty for the host
 * @param offered whether the other end may have taken it; of one that is here: whether something may be left of what the
 *     other end made for it
 * @param never whether it was accepted for the other end at once, so that it has never been looked after here
 * @param taken the handovers by which it ever came here
 */
public record Custody(
        String service, State state, String handover, String with, boolean offered, boolean never, List<String> taken) {

    static final String PREFIX = "handover/";

    /** Who looks after a deployment. */
    public enum State {
        /** This controller. */
        HERE,
        /** This controller, until the machine at the other end is ready to take it. */
        BOUND,
        /** Nobody: it is being handed over. */
        LEAVING,
        /** The controller at the other end. */
        AWAY
    }

    /** Copies the list. */
    public Custody {
        Objects.requireNonNull(service, "service");
        Objects.requireNonNull(state, "state");
        Objects.requireNonNull(handover, "handover");
        Objects.requireNonNull(with, "with");
        taken = List.copyOf(taken);
    }

    static Custody none(String service) {
        return new Custody(service, State.HERE, "", "", false, false, List.of());
    }

    /** One that nobody has looked after yet. */
    static Custody acceptedFor(String service, String id, String to) {
        return new Custody(service, State.LEAVING, id, to, false, true, List.of());
    }

    /** Whether this controller must not act. */
    public boolean isElsewhere() {
        return state == State.LEAVING || state == State.AWAY;
    }

    /**
     * Whether it is looked after here, and is to be handed over.
     *
     * @return true if so
     */
    public boolean isBound() {
        return state == State.BOUND;
    }

    /**
     * Whether it is to be handed over, or is being so.
     *
     * @return true if so
     */
    public boolean isOnItsWay() {
        return state == State.BOUND || state == State.LEAVING;
    }

    Custody bound(String id, String to) {
        return new Custody(service, State.BOUND, id, to, false, false, taken);
    }

    /**
     * Whether its requests are routed here, though nobody acts for it.
     *
     * @return true if so
     */
    public boolean isHeld() {
        return state == State.LEAVING && !never;
    }

    Custody leaving(String id, String to) {
        return new Custody(service, State.LEAVING, id, to, false, false, taken);
    }

    /** From now on it may have been taken. */
    Custody asOffered() {
        return new Custody(service, state, handover, with, true, never, taken);
    }

    Custody away() {
        return new Custody(service, State.AWAY, handover, with, true, false, taken);
    }

    /** It was not taken after all. */
    Custody stayed() {
        return new Custody(service, State.HERE, handover, with, false, false, taken);
    }

    /** The one who had it is lost. What was made there may still run, which {@code offered} goes on to say. */
    Custody rescued() {
        return new Custody(service, State.HERE, handover, with, offered, false, taken);
    }

    /**
     * Whether it is elsewhere, or came back from one who is lost and may have left something behind that nobody knows.
     *
     * @return true if so
     */
    public boolean isUnsettled() {
        return isElsewhere() || offered;
    }

    Custody taken(String id, String from) {
        var all = new ArrayList<>(taken);
        all.add(id);
        return new Custody(service, State.HERE, id, from, false, false, all);
    }

    ResourceRecord record(Instant now) {
        ObjectNode json = PlanJson.MAPPER.createObjectNode();
        json.put("service", service);
        json.put("state", state.name());
        json.put("handover", handover);
        json.put("with", with);
        json.put("offered", offered);
        json.put("never", never);
        ArrayNode all = json.putArray("taken");
        taken.forEach(all::add);
        // Of no deployment, so that nobody takes it for something that must be removed with one.
        return new ResourceRecord(
                PREFIX + service,
                PREFIX + service,
                "tuna",
                Optional.empty(),
                ResourceRecord.State.LIVE,
                Optional.empty(),
                json.toString(),
                "{}",
                now,
                now);
    }

    static boolean isOne(ResourceRecord record) {
        return record.key().startsWith(PREFIX);
    }

    static Custody of(ResourceRecord record) {
        JsonNode json = PlanJson.read(record.plan(), "custody of '" + record.key() + "'");
        var taken = new ArrayList<String>();
        json.path("taken").forEach(id -> taken.add(id.asText()));
        return new Custody(
                json.path("service").asText(),
                State.valueOf(json.path("state").asText()),
                json.path("handover").asText(),
                json.path("with").asText(),
                json.path("offered").asBoolean(),
                json.path("never").asBoolean(),
                taken);
    }
}
