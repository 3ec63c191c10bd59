package dev.tuna.testkit.cloud.model;

import java.net.URI;

/** Hears what becomes of a request to an endpoint. Called without any lock held; must not block. */
public interface RequestListener {

    /**
     * A container has room for it.
     *
     * @param container where to send it, without a path
     */
    void dispatched(URI container);

    /**
     * It is over, whether waiting or already with a container; nothing else follows. Said by another thread it may
     * overtake {@link #dispatched}.
     *
     * @param status the HTTP status that says so, if there is still room to say it
     * @param message what happened
     */
    void failed(int status, String message);
}
