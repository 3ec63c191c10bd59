package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Something that Cloud Run is doing. It is answered with 200 also when it has failed. Immutable.
 *
 * @param json the whole answer
 */
record Operation(JsonNode json) {

    private static final Pattern NAME = Pattern.compile("projects/([^/]+)/locations/([^/]+)/operations/([^/]+)");

    /** Its project, region and id, if it has a name of the usual form. */
    Optional<Place> id() {
        Matcher parts = NAME.matcher(json.path("name").asText(""));
        return parts.matches()
                ? Optional.of(new Place(parts.group(1), parts.group(2), parts.group(3)))
                : Optional.empty();
    }

    boolean isDone() {
        return json.path("done").asBoolean();
    }

    /** What went wrong, once it is done. */
    Optional<JsonNode> error() {
        return Optional.of(json.path("error")).filter(JsonNode::isObject);
    }

    @Override
    public String toString() {
        return "Operation[" + json.path("name").asText("") + "]";
    }
}
