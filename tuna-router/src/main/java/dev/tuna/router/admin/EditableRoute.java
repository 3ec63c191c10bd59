package dev.tuna.router.admin;

import dev.tuna.api.Secret;
import java.net.URI;
import java.util.List;
import java.util.Optional;

/** A route whose backends may be set over HTTP. Thread-safe; its methods are quick. */
public interface EditableRoute {

    /**
     * Changes that belong together and are made at once.
     *
     * @param serverless the new serverless endpoints, in order of preference; empty to leave them
     * @param serverlessToken the new bearer token that they demand; empty to leave it
     * @param spot the new replicas; empty to leave them
     */
    record Change(Optional<List<URI>> serverless, Optional<Secret> serverlessToken, Optional<List<URI>> spot) {

        /** Copies the lists. */
        public Change {
            serverless = serverless.map(List::copyOf);
            spot = spot.map(List::copyOf);
        }
    }

    /**
     * Changes backends.
     *
     * @param change what to change; URLs have been checked
     */
    void change(Change change);
}
