package dev.tuna.testkit.cloud.model;

import java.net.URI;
import java.time.Duration;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** One request at an endpoint. Guarded by the model's lock. */
final class Ticket implements Lease {

    private final Site site;
    private final Endpoint endpoint;
    private final RequestListener listener;
    private @Nullable Future<?> timer;
    private @Nullable Container container;
    private boolean over;

    Ticket(Site site, Endpoint endpoint, RequestListener listener) {
        this.site = site;
        this.endpoint = endpoint;
        this.listener = listener;
    }

    void expireAfter(Duration timeout) {
        timer = site.after(timeout, () -> fail(504, "the request took longer than " + timeout));
    }

    void assign(Container container, URI address) {
        this.container = container;
        site.tell(() -> listener.dispatched(address));
    }

    void fail(int status, String message) {
        if (!over) {
            site.tell(() -> listener.failed(status, message));
            end(false);
        }
    }

    @Override
    public void release(boolean answered) {
        site.run(() -> {
            if (!over) {
                end(answered);
            }
        });
    }

    private void end(boolean answered) {
        over = true;
        if (timer != null) {
            timer.cancel(false);
        }
        endpoint.over(this, container, answered);
    }
}
