package dev.tuna.router.admin;

import java.util.Objects;

/**
 * One of the router's own pages. Immutable.
 *
 * @param status HTTP status
 * @param contentType what the text is
 * @param text the body
 */
public record AdminAnswer(int status, String contentType, String text) {

    /** Checks that every part is there. */
    public AdminAnswer {
        Objects.requireNonNull(contentType, "contentType");
        Objects.requireNonNull(text, "text");
    }

    static AdminAnswer json(int status, String json) {
        return new AdminAnswer(status, "application/json", json);
    }
}
