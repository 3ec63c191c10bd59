package dev.tuna.core;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP client that can be closed at once, whoever still holds it. The JDK's own cannot before Java 21, and waits for
 * every request from then on; its thread ends when nobody holds the client and no request is under way. Thread-safe.
 */
final class OwnedHttpClient extends HttpClient implements AutoCloseable {

    private final AtomicReference<@Nullable HttpClient> client;
    private final Map<Object, CompletableFuture<?>> underWay = new ConcurrentHashMap<>();

    OwnedHttpClient(HttpClient client) {
        this.client = new AtomicReference<>(client);
    }

    private HttpClient client() {
        HttpClient open = client.get();
        if (open == null) {
            throw new IllegalStateException("the HTTP client is closed, as its owner is");
        }
        return open;
    }

    @Override
    public Optional<CookieHandler> cookieHandler() {
        return client().cookieHandler();
    }

    @Override
    public Optional<Duration> connectTimeout() {
        return client().connectTimeout();
    }

    @Override
    public Redirect followRedirects() {
        return client().followRedirects();
    }

    @Override
    public Optional<ProxySelector> proxy() {
        return client().proxy();
    }

    @Override
    public SSLContext sslContext() {
        return client().sslContext();
    }

    @Override
    public SSLParameters sslParameters() {
        return client().sslParameters();
    }

    @Override
    public Optional<Authenticator> authenticator() {
        return client().authenticator();
    }

    @Override
    public Version version() {
        return client().version();
    }

    @Override
    public Optional<Executor> executor() {
        return client().executor();
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        return client().send(request, handler);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
        return tracked(() -> client().sendAsync(request, handler));
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> handler, @Nullable PushPromiseHandler<T> pushes) {
        return tracked(() -> client().sendAsync(request, handler, pushes));
    }

    private <R> CompletableFuture<R> tracked(Supplier<CompletableFuture<R>> send) {
        CompletableFuture<R> answer = send.get();
        var ticket = new Object();
        underWay.put(ticket, answer);
        var unused = answer.whenComplete((done, failure) -> underWay.remove(ticket));
        if (client.get() == null) {
            // Closed between the sending and the tracking.
            answer.cancel(true);
        }
        return answer;
    }

    /** Cancels what is under way and lets go of the client. Idempotent. */
    @Override
    public void close() {
        client.set(null);
        underWay.values().forEach(answer -> answer.cancel(true));
    }
}
