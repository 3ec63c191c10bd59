package dev.tuna.core.machine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRecord.State;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmPlan;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A router VM as the store has it, from the intent to make it until its cloud confirms that it is gone. Immutable.
 *
 * @param name its name
 * @param provider whose machine it is
 * @param plan what is sent to launch it, so that a retry after a crash is equal
 * @param state how sure we are of it
 * @param resource its id, once known
 * @param createdAt when it was asked for
 * @param guests deployments that live there and were not handed over from here, as last seen
 */
record VmRecord(
        String name,
        String provider,
        RouterVmPlan plan,
        State state,
        Optional<ResourceRef> resource,
        Instant createdAt,
        Set<String> guests) {

    /** The name under which it is stored begins with this, and so does that of the account of its helpers. */
    static final String PREFIX = RouterCloud.journal("");

    private static final String GUESTS = "guests";

    private static final JsonMapper MAPPER = new JsonMapper();

    VmRecord {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(plan, "plan");
        Objects.requireNonNull(state, "state");
        Objects.requireNonNull(resource, "resource");
        Objects.requireNonNull(createdAt, "createdAt");
        guests = Set.copyOf(guests);
    }

    static VmRecord intended(String provider, RouterVmPlan plan, Instant now) {
        return new VmRecord(plan.name(), provider, plan, State.INTENDED, Optional.empty(), now, Set.of());
    }

    VmRecord launched(ResourceRef ref) {
        return new VmRecord(name, provider, plan, State.LIVE, Optional.of(ref), createdAt, guests);
    }

    /** Stands for a machine that was never seen. */
    ResourceRef unlaunched() {
        return new ResourceRef(provider, "router-vm", plan.token());
    }

    VmRecord in(State next) {
        return new VmRecord(name, provider, plan, next, resource, createdAt, guests);
    }

    VmRecord housing(Set<String> names) {
        return new VmRecord(name, provider, plan, state, resource, createdAt, names);
    }

    static boolean isOne(ResourceRecord record) {
        return record.key().startsWith(PREFIX) && record.key().equals(record.deploymentId());
    }

    ResourceRecord record(Instant now) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("token", plan.token());
        json.put("summary", plan.summary());
        json.put("machine", plan.machine());
        json.put("region", plan.region());
        plan.usdPerHour().ifPresent(price -> json.put("usdPerHour", price.toPlainString()));
        json.put("body", plan.body());
        ObjectNode details = MAPPER.createObjectNode();
        ArrayNode names = details.putArray(GUESTS);
        guests.stream().sorted().forEach(names::add);
        return new ResourceRecord(
                RouterCloud.journal(name),
                RouterCloud.journal(name),
                provider,
                Optional.empty(),
                state,
                resource,
                json.toString(),
                details.toString(),
                createdAt,
                now);
    }

    static VmRecord of(ResourceRecord record) {
        String name = record.key().substring(PREFIX.length());
        try {
            JsonNode json = MAPPER.readTree(record.plan());
            var plan = new RouterVmPlan(
                    name,
                    json.required("token").asText(),
                    json.required("summary").asText(),
                    json.path("machine").asText(""),
                    json.path("region").asText(""),
                    Optional.ofNullable(json.path("usdPerHour").textValue()).map(BigDecimal::new),
                    json.required("body").asText());
            var guests = new HashSet<String>();
            MAPPER.readTree(record.details()).path(GUESTS).forEach(guest -> guests.add(guest.asText()));
            return new VmRecord(
                    name, record.provider(), plan, record.state(), record.resource(), record.createdAt(), guests);
        } catch (IOException | IllegalArgumentException e) {
            throw new StoreException(
                    ErrorCode.STORE_CORRUPT,
                    "router VM '" + name + "' in the store cannot be read (" + e.getMessage()
                            + "); it was left as it is",
                    e);
        }
    }
}
