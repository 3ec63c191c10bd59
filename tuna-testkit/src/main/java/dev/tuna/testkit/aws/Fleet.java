package dev.tuna.testkit.aws;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A fleet of type instant: what was asked for and what came of it. Confined to the account's lock. */
final class Fleet {

    private final String id;
    private final Form request;
    private final Instant made;
    private final Map<String, String> tags;
    private final List<Launched> launched = new ArrayList<>();
    private final List<Failed> failed = new ArrayList<>();
    private Optional<Instant> deleted = Optional.empty();

    /**
     * An instance that was launched.
     *
     * @param choice for which override
     * @param instance its id
     */
    record Launched(FleetChoice choice, String instance) {}

    /**
     * An override that was tried in vain.
     *
     * @param choice the override
     * @param code why
     * @param message the same in words
     */
    record Failed(FleetChoice choice, String code, String message) {}

    Fleet(String id, Form request, Instant made, Map<String, String> tags) {
        this.id = id;
        this.request = request;
        this.made = made;
        this.tags = new LinkedHashMap<>(tags);
    }

    String id() {
        return id;
    }

    Form request() {
        return request;
    }

    Instant made() {
        return made;
    }

    Map<String, String> tags() {
        return tags;
    }

    List<Launched> launched() {
        return launched;
    }

    List<Failed> failed() {
        return failed;
    }

    Optional<Instant> deleted() {
        return deleted;
    }

    void delete(Instant now) {
        deleted = Optional.of(now);
    }
}
