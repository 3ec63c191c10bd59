package dev.tuna.router.proxy;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import java.net.URI;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where an answer that is not ready yet can be had. Some providers answer 303 when nothing has come of a request for some
 * time (Modal's web functions after 150 s); the answer is then at another place on the same server, to be had with GET.
 */
final class Redirects {

    private Redirects() {}

    /**
     * Where to go on.
     *
     * @param origin the backend's URL; no other server is asked, for the backend's credential goes along
     * @param asked path and query of the request
     * @param waitingAt path and query of the place that was asked last; null if it was not sent there by a redirect
     * @param answer what it said
     * @return path and query; null if the answer is the answer
     */
    static @Nullable String follow(URI origin, String asked, @Nullable String waitingAt, HttpResponse answer) {
        int status = answer.status().code();
        if (status == 408 && waitingAt != null) {
            return waitingAt; // it waited in vain once more; nothing is lost
        }
        @Nullable String location = answer.headers().get(HttpHeaderNames.LOCATION);
        return status == 303 && location != null
                ? place(origin, waitingAt == null ? asked : waitingAt, location).orElse(null)
                : null;
    }

    private static Optional<String> place(URI origin, String from, String location) {
        try {
            URI base = origin.resolve(from);
            // A query alone is resolved wrongly by java.net.URI.
            URI next = location.startsWith("?") ? base.resolve(base.getRawPath() + location) : base.resolve(location);
            boolean same = next.getHost() != null && Endpoint.of(next).equals(Endpoint.of(origin));
            String query = next.getRawQuery();
            return same ? Optional.of(next.getRawPath() + (query == null ? "" : "?" + query)) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
