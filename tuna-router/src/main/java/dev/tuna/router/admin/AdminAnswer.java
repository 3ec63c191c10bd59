package dev.tuna.router.admin;

import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/** What is answered to a request for one of the router's own pages. */
public sealed interface AdminAnswer {

    /**
     * A page. Immutable.
     *
     * @param status HTTP status
     * @param contentType what the text is
     * @param text the body
     */
    record Page(int status, String contentType, String text) implements AdminAnswer {

        /** Checks that every part is there. */
        public Page {
            Objects.requireNonNull(contentType, "contentType");
            Objects.requireNonNull(text, "text");
        }

        static Page json(int status, String json) {
            return new Page(status, "application/json", json);
        }
    }

    /**
     * A stream of events that goes on until the reader leaves. Immutable.
     *
     * @param deployment the only deployment to hear of; empty for all
     * @param after the id of the last event that the reader has seen; empty if it has seen none
     * @param state the present state, as JSON in one line
     */
    record Events(Optional<String> deployment, Optional<String> after, Supplier<String> state) implements AdminAnswer {

        /** Checks that every part is there. */
        public Events {
            Objects.requireNonNull(deployment, "deployment");
            Objects.requireNonNull(after, "after");
            Objects.requireNonNull(state, "state");
        }

        /**
         * Whether the reader wants to hear of it.
         *
         * @param event what has changed
         * @return false if it is another deployment's
         */
        public boolean wants(RouterEvent event) {
            return deployment.isEmpty() || deployment.get().equals(event.deployment());
        }
    }
}
