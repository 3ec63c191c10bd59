package dev.tuna.provider.cloudrun;

import com.google.api.client.http.HttpTransport;
import com.google.api.client.http.LowLevelHttpRequest;
import com.google.api.client.http.LowLevelHttpResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Lets Google's login library send its requests through the client that Tuna was given. Thread-safe; owns nothing. */
final class GoogleTransport extends HttpTransport {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private final HttpClient http;
    private final GoogleHosts hosts;

    GoogleTransport(HttpClient http, GoogleHosts hosts) {
        this.http = http;
        this.hosts = hosts;
    }

    @Override
    protected LowLevelHttpRequest buildRequest(String method, String url) {
        return new Request(method, HttpRequest.newBuilder(hosts.redirected(URI.create(url))));
    }

    /** Confined to the thread that sends it. */
    private final class Request extends LowLevelHttpRequest {
        private final String method;
        private final HttpRequest.Builder request;

        Request(String method, HttpRequest.Builder request) {
            this.method = method;
            this.request = request;
        }

        @Override
        public void addHeader(String name, String value) {
            // The client's own: compressed bodies and kept connections are its affair.
            if (!name.equalsIgnoreCase("Accept-Encoding") && !name.equalsIgnoreCase("Connection")) {
                request.header(name, value);
            }
        }

        @Override
        public LowLevelHttpResponse execute() throws IOException {
            if (getStreamingContent() == null) {
                request.method(method, BodyPublishers.noBody());
            } else {
                var body = new ByteArrayOutputStream();
                getStreamingContent().writeTo(body);
                request.method(method, BodyPublishers.ofByteArray(body.toByteArray()));
                if (getContentType() != null) {
                    request.setHeader("Content-Type", getContentType());
                }
            }
            try {
                return new Response(http.send(request.timeout(TIMEOUT).build(), BodyHandlers.ofByteArray()));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted before an answer came");
            }
        }
    }

    /** An answer that is there as a whole. Immutable. */
    private static final class Response extends LowLevelHttpResponse {
        private final HttpResponse<byte[]> response;
        private final List<Map.Entry<String, String>> headers = new ArrayList<>();

        Response(HttpResponse<byte[]> response) {
            this.response = response;
            response.headers().map().forEach((name, values) -> {
                if (!name.startsWith(":")) {
                    values.forEach(value -> headers.add(Map.entry(name, value)));
                }
            });
        }

        private @Nullable String header(String name) {
            return response.headers().firstValue(name).orElse(null);
        }

        @Override
        public InputStream getContent() {
            return new ByteArrayInputStream(response.body());
        }

        @Override
        public @Nullable String getContentEncoding() {
            return header("Content-Encoding");
        }

        @Override
        public long getContentLength() {
            return response.body().length;
        }

        @Override
        public @Nullable String getContentType() {
            return header("Content-Type");
        }

        @Override
        public String getStatusLine() {
            return "HTTP/1.1 " + response.statusCode();
        }

        @Override
        public int getStatusCode() {
            return response.statusCode();
        }

        @Override
        public @Nullable String getReasonPhrase() {
            return null;
        }

        @Override
        public int getHeaderCount() {
            return headers.size();
        }

        @Override
        public String getHeaderName(int index) {
            return headers.get(index).getKey();
        }

        @Override
        public String getHeaderValue(int index) {
            return headers.get(index).getValue();
        }
    }
}
