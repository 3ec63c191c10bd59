package dev.tuna.router.proxy;

import dev.tuna.router.http.ForwardHeaders;
import dev.tuna.router.http.PathRules;
import dev.tuna.router.select.EngineLoad;
import dev.tuna.spi.BackendAddress;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Asks replicas that are at work how busy they are, by vLLM's metrics. A replica that has nothing to do is not asked, nor is
 * one whose server has no such page; serverless endpoints never are. Confined to one event loop.
 */
final class EngineWatch {

    static final Duration PERIOD = Duration.ofSeconds(1);

    /** What a server said this long ago says nothing about now. */
    static final Duration STALE = PERIOD.multipliedBy(3);

    private static final String PATH = "/metrics";
    private static final int MOST_BYTES = 1 << 20;

    private final Loop loop;
    private final RouteTable routes;
    private final Map<BackendRuntime, Question> asking = new HashMap<>();
    private Set<BackendRuntime> busy = new HashSet<>();

    EngineWatch(Loop loop, RouteTable routes) {
        this.loop = loop;
        this.routes = routes;
    }

    /** To be called every {@link #PERIOD}: asks every replica that is at work and was so the last time. */
    void look() {
        List.copyOf(asking.values()).forEach(Question::giveUpIfStale);
        Set<BackendRuntime> now = new HashSet<>();
        for (RouteRuntime route : routes.all()) {
            for (BackendRuntime replica : route.replicas()) {
                if (replica.inFlight() > 0) {
                    now.add(replica);
                }
            }
        }
        for (BackendRuntime replica : now) {
            if (busy.contains(replica) && replica.tellsLoad() && !asking.containsKey(replica)) {
                new Question(replica).ask();
            }
        }
        busy = now;
    }

    /** One question to one replica. Its failing is no failure of the replica's: the last answer just becomes stale. */
    private final class Question implements UpstreamPool.Waiter, UpstreamConnection.User {
        private final BackendRuntime replica;
        private final StringBuilder text = new StringBuilder();
        private UpstreamPool.@Nullable Pending pending;
        private @Nullable UpstreamConnection connection;
        private int status;
        private long askedAt;

        Question(BackendRuntime replica) {
            this.replica = replica;
        }

        void ask() {
            asking.put(replica, this);
            askedAt = loop.now();
            @Nullable UpstreamConnection idle = loop.pool().idle(replica.endpoint());
            if (idle != null) {
                connected(idle);
            } else {
                pending = loop.pool().connect(replica.endpoint(), PERIOD, this);
            }
        }

        /** A busy server may take its time, but not so long that its answer is old news. */
        void giveUpIfStale() {
            if (loop.now() - askedAt >= STALE.toNanos()) {
                giveUp();
            }
        }

        void giveUp() {
            asking.remove(replica);
            if (pending != null) {
                pending.cancel();
            }
            if (connection != null) {
                connection.abort();
            }
        }

        @Override
        public void connected(UpstreamConnection made) {
            pending = null;
            connection = made;
            made.send(request(replica.backend().address()), this);
        }

        @Override
        public void notConnected(Throwable why) {
            pending = null;
            asking.remove(replica);
        }

        @Override
        public void onHead(HttpResponse head) {
            status = head.status().code();
        }

        @Override
        public void onBody(ByteBuf data) {
            text.append(data.toString(StandardCharsets.ISO_8859_1));
            data.release();
            if (text.length() > MOST_BYTES) {
                giveUp();
            }
        }

        @Override
        public void onReadComplete() {}

        @Override
        public void onEnd() {
            connection = null;
            asking.remove(replica);
            if (status == 200) {
                EngineLoad.parse(text.toString()).ifPresentOrElse(this::tell, replica::tellsNoLoad);
            } else if (status == 404 || status == 405) {
                replica.tellsNoLoad();
            }
        }

        private void tell(EngineLoad load) {
            replica.engineLoad(load, loop.now());
        }

        @Override
        public void onBroken(Throwable why) {
            connection = null;
            asking.remove(replica);
        }
    }

    private static FullHttpRequest request(BackendAddress address) {
        FullHttpRequest request =
                new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, PathRules.join(address.url(), PATH));
        ForwardHeaders.address(request.headers(), address);
        return request;
    }
}
