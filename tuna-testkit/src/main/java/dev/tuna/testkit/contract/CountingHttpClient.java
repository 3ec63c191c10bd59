package dev.tuna.testkit.contract;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/** Passes everything on and counts, to show that a method contacts nobody. */
final class CountingHttpClient extends HttpClient {

    private final HttpClient target;
    private final AtomicInteger requests = new AtomicInteger();

    CountingHttpClient(HttpClient target) {
        this.target = target;
    }

    int requests() {
        return requests.get();
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler)
            throws IOException, InterruptedException {
        requests.incrementAndGet();
        return target.send(request, handler);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
        requests.incrementAndGet();
        return target.sendAsync(request, handler);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, HttpResponse.BodyHandler<T> handler, HttpResponse.PushPromiseHandler<T> pushes) {
        requests.incrementAndGet();
        return target.sendAsync(request, handler, pushes);
    }

    @Override
    public WebSocket.Builder newWebSocketBuilder() {
        requests.incrementAndGet();
        return target.newWebSocketBuilder();
    }

    @Override
    public Optional<CookieHandler> cookieHandler() {
        return target.cookieHandler();
    }

    @Override
    public Optional<Duration> connectTimeout() {
        return target.connectTimeout();
    }

    @Override
    public Redirect followRedirects() {
        return target.followRedirects();
    }

    @Override
    public Optional<ProxySelector> proxy() {
        return target.proxy();
    }

    @Override
    public SSLContext sslContext() {
        return target.sslContext();
    }

    @Override
    public SSLParameters sslParameters() {
        return target.sslParameters();
    }

    @Override
    public Optional<Authenticator> authenticator() {
        return target.authenticator();
    }

    @Override
    public Version version() {
        return target.version();
    }

    @Override
    public Optional<Executor> executor() {
        return target.executor();
    }
}
