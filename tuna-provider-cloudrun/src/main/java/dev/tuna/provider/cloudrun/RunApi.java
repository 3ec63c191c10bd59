package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ProviderException;
import dev.tuna.provider.support.JsonApi;
import dev.tuna.provider.support.JsonCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The Admin API of Cloud Run, version 2. Thread-safe. */
final class RunApi {

    private static final String SERVICES = "/v2/projects/{}/locations/{}/services";
    private static final String SERVICE = SERVICES + "/{}";
    private static final int PAGE = 100;
    /** Google allows 1000 services in a region; a token that goes in circles ends here. */
    private static final int MOST_PAGES = 100;

    private static final int CONFLICT = 409;

    private final GoogleAccess access;
    private final JsonApi api;

    RunApi(GoogleAccess access) {
        this.access = access;
        this.api = access.api(GoogleHosts.RUN);
    }

    private JsonCall authorized(JsonCall call) {
        return access.authorized(call);
    }

    Optional<Service> service(Place place) {
        return authorized(api.get("read service", SERVICE, place.project(), place.region(), place.service()))
                .sendUnlessMissing()
                .map(Service::new);
    }

    /** Every service of a region. */
    List<Service> services(String project, String region) {
        List<Service> services = new ArrayList<>();
        String token = "";
        for (int page = 0; page < MOST_PAGES; page++) {
            JsonCall call = api.get("list services", SERVICES, project, region).query("pageSize", PAGE);
            if (!token.isEmpty()) {
                call.query("pageToken", token);
            }
            JsonNode answer = authorized(call).send();
            answer.path("services").forEach(service -> services.add(new Service(service)));
            token = answer.path("nextPageToken").asText("");
            if (token.isEmpty()) {
                return services;
            }
        }
        throw ProviderException.of(CloudRunProvider.NAME, "list services")
                .message("the list did not end after " + MOST_PAGES + " pages")
                .build();
    }

    /**
     * Begins to make a service. Sent again if no answer came: a name is taken only once.
     *
     * @return the operation; empty if the name is taken
     */
    Optional<Operation> create(Place place, ObjectNode service) {
        return unlessInTheWay(authorized(api.post("create service", SERVICES, place.project(), place.region()))
                .query("serviceId", place.service())
                .json(service)
                .idempotent());
    }

    /** Whether Cloud Run would take a service; makes nothing. */
    void validate(Place place, ObjectNode service, boolean exists) {
        JsonCall call = exists
                ? api.patch("check service", SERVICE, place.project(), place.region(), place.service())
                : api.post("check service", SERVICES, place.project(), place.region())
                        .query("serviceId", place.service());
        authorized(call).query("validateOnly", true).json(service).idempotent().send();
    }

    /**
     * Begins to change a service.
     *
     * @param fields what changes, separated by commas; the rest stays
     * @return the operation; empty if somebody else has changed it meanwhile
     */
    Optional<Operation> update(Place place, ObjectNode service, String fields) {
        return unlessInTheWay(
                authorized(api.patch("update service", SERVICE, place.project(), place.region(), place.service()))
                        .query("updateMask", fields)
                        .json(service)
                        .idempotent());
    }

    private static Optional<Operation> unlessInTheWay(JsonCall call) {
        try {
            return Optional.of(new Operation(call.send()));
        } catch (ProviderException e) {
            if (e.httpStatus().orElse(0) == CONFLICT) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Begins to remove it; what does not exist counts as removed. */
    void delete(Place place) {
        authorized(api.delete("delete service", SERVICE, place.project(), place.region(), place.service()))
                .sendUnlessMissing();
    }

    /** Empty if Cloud Run has forgotten it. */
    Optional<Operation> operation(Operation operation) {
        return operation
                .id()
                .flatMap(id -> authorized(api.get(
                                "read operation",
                                "/v2/projects/{}/locations/{}/operations/{}",
                                id.project(),
                                id.region(),
                                id.service()))
                        .sendUnlessMissing()
                        .map(Operation::new));
    }

    Optional<JsonNode> revision(Place place, String revision) {
        return authorized(api.get(
                        "read revision",
                        SERVICE + "/revisions/{}",
                        place.project(),
                        place.region(),
                        place.service(),
                        revision))
                .sendUnlessMissing();
    }

    JsonNode policy(Place place) {
        return authorized(api.get(
                        "read access", SERVICE + ":getIamPolicy", place.project(), place.region(), place.service()))
                .send();
    }

    void setPolicy(Place place, JsonNode policy) {
        authorized(api.post(
                        "grant access", SERVICE + ":setIamPolicy", place.project(), place.region(), place.service()))
                .json(Map.of("policy", policy))
                .idempotent()
                .send();
    }
}
