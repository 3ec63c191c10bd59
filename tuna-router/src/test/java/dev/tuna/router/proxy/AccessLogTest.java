package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.http.ClientWishes;
import dev.tuna.router.http.RequestTarget;
import dev.tuna.router.http.RequestTarget.Kind;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class AccessLogTest {

    private final List<String> lines = new ArrayList<>();
    private final AtomicLong time = new AtomicLong(7_000_000);

    @Test
    @DisplayName("R-43 one line tells what became of a request, and nothing of what was asked")
    void oneLine() throws Exception {
        HttpHeaders headers = new DefaultHttpHeaders()
                .add("authorization", "Bearer key-of-the-client")
                .add("x-stainless-retry-count", "1");
        ClientRequest request = new ClientRequest(
                HttpMethod.POST,
                new RequestTarget(Kind.INFERENCE, "/v1/chat/completions", "/v1/chat/completions?q=hidden"),
                HttpVersion.HTTP_1_1,
                headers,
                "req-1",
                Unpooled.copiedBuffer("a prompt", StandardCharsets.UTF_8),
                true,
                1,
                OptionalLong.empty(),
                ClientWishes.of(headers));
        AccessLog log = new AccessLog(lines::add, time::get, "chat", request, time.get());
        log.waited(20_000_000);
        log.attempt(
                new BackendRuntime(Bench.spot("spot-1", URI.create("http://127.0.0.1:1")), Bench.POLICY, 0, () -> {}));
        log.attempt(new BackendRuntime(
                Bench.serverless("cloud", URI.create("http://127.0.0.1:2")), Bench.POLICY, 0, () -> {}));
        log.firstToken(30_000_000);
        log.status(200);
        time.addAndGet(50_000_000);
        log.write();
        log.write();

        assertThat(lines)
                .containsExactly(
                        "deployment=chat method=POST path=/v1/chat/completions stream=true retry=true status=200"
                                + " outcome=answered backend=cloud tier=serverless attempts=2 waited_ms=20 first_token_ms=30"
                                + " total_ms=50 id=req-1");
    }
}
