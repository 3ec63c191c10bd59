package dev.tuna.router.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ForwardHeadersTest {

    private static final BackendAddress BACKEND = BackendAddress.of(URI.create("http://10.1.2.3:8000/base"));

    @Test
    @DisplayName("R-11 unknown, repeated and end-to-end fields pass as they are")
    void passesWhatIsTheMessages() {
        HttpHeaders client = headers(
                "Content-Type",
                "application/json",
                "X-Request-Id",
                "7",
                "traceparent",
                "00-1-2-01",
                "X-Odd",
                "a",
                "x-odd",
                "b, c",
                "Content-Encoding",
                "gzip",
                "Accept-Encoding",
                "br",
                "X-Session-ID",
                "s",
                "User-Agent",
                "u");

        HttpHeaders sent = ForwardHeaders.toBackend(client, BACKEND, "192.0.2.9", false);

        assertThat(fields(sent).subList(0, client.size())).isEqualTo(fields(client));
    }

    @ParameterizedTest
    @DisplayName("R-11 R-20 hop-by-hop fields and the client's credentials stay here")
    @ValueSource(
            strings = {
                "Authorization", "X-Api-Key", "api-key", "Cookie", "Connection", "Keep-Alive", "Proxy-Connection",
                "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "Expect",
                "Content-Length", "Forwarded", "X-Real-IP", "X-Data-Parallel-Rank", "X-Tuna-Backend"
            })
    void stripsTowardsBackends(String name) {
        for (String written : List.of(name, name.toLowerCase(Locale.ROOT), name.toUpperCase(Locale.ROOT))) {
            HttpHeaders sent =
                    ForwardHeaders.toBackend(headers(written, "x", written, "y"), BACKEND, "192.0.2.9", false);

            assertThat(sent.contains(name)).as(written).isFalse();
        }
    }

    @Test
    @DisplayName("R-11 what Connection names is dropped too")
    void stripsWhatConnectionNames() {
        HttpHeaders client = headers(
                "Connection", "close, X-Hop ,", "X-Hop", "1", "x-other", "2", "connection", "x-Other", "X-Stays", "3");

        assertThat(ForwardHeaders.toBackend(client, BACKEND, "192.0.2.9", false).names())
                .containsExactlyInAnyOrder("X-Stays", "host", "x-forwarded-for", "x-forwarded-proto");
        assertThat(ForwardHeaders.toClient(client).names()).containsExactly("X-Stays");
    }

    @Test
    @DisplayName("R-21 a backend gets exactly one credential: its own")
    void replacesTheCredential() {
        BackendAddress guarded = new BackendAddress(
                URI.create("https://h.example"),
                Optional.of(Credential.bearer(Secret.of("provider"))),
                "/health",
                Optional.empty(),
                0);
        HttpHeaders client =
                headers("authorization", "Bearer router", "AUTHORIZATION", "Bearer two", "x-api-key", "router");

        HttpHeaders sent = ForwardHeaders.toBackend(client, guarded, "192.0.2.9", false);

        assertThat(sent.getAll("Authorization")).containsExactly("Bearer provider");
        assertThat(sent.toString()).doesNotContain("router");
    }

    @Test
    void aCredentialOfAnotherNameReplacesTheClientsFieldOfThatName() {
        BackendAddress guarded = new BackendAddress(
                URI.create("https://h.example"),
                Optional.of(new Credential("Modal-Key", Secret.of("ours"))),
                "/health",
                Optional.empty(),
                0);

        assertThat(ForwardHeaders.toBackend(headers("modal-key", "theirs"), guarded, "192.0.2.9", false)
                        .getAll("Modal-Key"))
                .containsExactly("ours");
    }

    @Test
    void saysWhoIsCallingAndHow() {
        HttpHeaders client = headers(
                "Host",
                "tuna.example:8080",
                "X-Forwarded-For",
                "203.0.113.5",
                "x-forwarded-for",
                "198.51.100.7",
                "X-Forwarded-Proto",
                "gopher",
                "X-Forwarded-Host",
                "evil.example");

        HttpHeaders sent = ForwardHeaders.toBackend(client, BACKEND, "192.0.2.9", true);

        assertThat(fields(sent))
                .containsExactlyInAnyOrder(
                        "host: 10.1.2.3:8000",
                        "x-forwarded-for: 203.0.113.5, 198.51.100.7, 192.0.2.9",
                        "x-forwarded-proto: https",
                        "x-forwarded-host: tuna.example:8080");
    }

    @Test
    @DisplayName("R-12 repeated fields, encodings and length of an answer pass as they are")
    void passesAnswersHeaders() {
        HttpHeaders backend = headers(
                "Content-Type",
                "application/json",
                "Content-Encoding",
                "gzip",
                "Content-Length",
                "12",
                "Vary",
                "a",
                "vary",
                "b",
                "X-Request-Id",
                "7",
                "Retry-After",
                "3");

        assertThat(fields(ForwardHeaders.toClient(backend))).isEqualTo(fields(backend));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "WWW-Authenticate", "Proxy-Authenticate",
                "Set-Cookie", "Server", "Alt-Svc", "Strict-Transport-Security", "X-Powered-By", "X-Tuna-Backend"
            })
    void stripsTowardsClients(String name) {
        assertThat(ForwardHeaders.toClient(headers(name, "x")).isEmpty()).isTrue();
    }

    @Test
    void aBackendsRefusalOfOurCredentialIsNotTheClients() {
        assertThat(List.of(401, 403, 407)).allMatch(ForwardHeaders::refusesCredential);
        assertThat(List.of(200, 400, 404, 429, 500)).noneMatch(ForwardHeaders::refusesCredential);
    }

    @Test
    @DisplayName("R5 event streams are not to be held back on their way")
    void eventStreamsAreNotToBeHeldBack() {
        HttpHeaders headers = headers("Cache-Control", "max-age=9");
        ForwardHeaders.unbuffered(headers);

        assertThat(headers.getAll("cache-control")).containsExactly("no-cache");
        assertThat(headers.get("X-Accel-Buffering")).isEqualTo("no");
    }

    private static List<String> fields(HttpHeaders headers) {
        return headers.entries().stream()
                .map(field -> field.getKey() + ": " + field.getValue())
                .toList();
    }

    private static HttpHeaders headers(String... namesAndValues) {
        HttpHeaders headers = new DefaultHttpHeaders();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            headers.add(namesAndValues[i], namesAndValues[i + 1]);
        }
        return headers;
    }
}
