package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.Comparator;

/**
 * A model as Baseten lists it. Immutable.
 *
 * @param id Baseten's id
 * @param name its name, unique within its team
 * @param createdAt when it was made; far in the future if that is not told
 */
record Model(String id, String name, Instant createdAt) {

    /** Should there be several of one name, the oldest is the one that counts, for whoever looks. */
    static final Comparator<Model> OLDEST_FIRST =
            Comparator.comparing(Model::createdAt).thenComparing(Model::id);

    static Model of(JsonNode json) {
        return new Model(
                json.path("id").asText(), json.path("name").asText(), Deployment.instant(json.path("created_at")));
    }
}
