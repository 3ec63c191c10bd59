package dev.tuna.router.proxy;

import static java.util.Objects.requireNonNull;

import dev.tuna.router.BackendFailure;
import dev.tuna.router.http.ForwardHeaders;
import dev.tuna.router.http.SseScanner.Verdict;
import dev.tuna.router.http.WholeAnswer;
import dev.tuna.router.stream.Departure;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.UnservedAnswer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import java.io.UncheckedIOException;
import java.net.ProtocolException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One try of one request on one backend: connects, sends, judges what comes back. Ends exactly once, by telling both the
 * backend's breaker and the {@link Exchange}. Confined to the client's event loop.
 */
final class Attempt implements UpstreamPool.Waiter, UpstreamConnection.User, Relay.Sink {

    private static final String EVENT_STREAM = "text/event-stream";

    /** A server that sends in circles is given up; Modal sends on every 150 s. */
    private static final int MOST_REDIRECTS = 100;

    /** An answer to a question that is longer than this is no answer; a prompt's ids fit a hundred thousand times. */
    private static final int MOST_ANSWER_BYTES = 8 << 20;

    /** An answer to a question is held in a buffer that grows by doubling, as bytes, and as the ids that it tells. */
    private static final long ANSWER_COPIES = 4;

    private final Exchange exchange;
    private final BackendRuntime backend;
    private final long startedAt;
    private UpstreamPool.@Nullable Pending pending;
    private @Nullable UpstreamConnection connection;
    private @Nullable HeldAnswer held;
    private @Nullable WholeAnswer whole;
    private @Nullable Relay relay;
    private @Nullable HttpResponse head;
    private @Nullable String redirect;
    private @Nullable Asking asking;
    private @Nullable UnservedAnswer unserved;
    private boolean redirecting;
    private int redirects;
    private boolean passing;
    private boolean sent;
    private boolean over;
    private boolean late;
    private boolean measured;
    private boolean slow;
    /** Sent without asking for token ids, since the backend has refused the request that did. */
    private boolean plain;

    private boolean asksForIds;
    private boolean paused;
    private long askedAt;
    private long sentAt;
    private long sending;
    private int tokens;
    private long firstTokenAt;
    private long heardAt;
    private long pausedAt;
    private long pausedFor;
    private int idsAtFirst;

    Attempt(Exchange exchange, BackendRuntime backend, long startedAt) {
        this.exchange = exchange;
        this.backend = backend;
        this.startedAt = startedAt;
    }

    BackendRuntime backend() {
        return backend;
    }

    /** Whether a request went out, so that the backend may have worked on it. */
    boolean wasSent() {
        return sent;
    }

    void start() {
        @Nullable UpstreamConnection idle = exchange.loop().pool().idle(backend.endpoint());
        if (idle != null) {
            connected(idle);
        } else {
            connect();
        }
    }

    private void connect() {
        pending = exchange.loop()
                .pool()
                .connect(backend.endpoint(), exchange.policy().connectTimeout(), this);
    }

    @Override
    public void connected(UpstreamConnection made) {
        pending = null;
        connection = made;
        if (redirect != null) {
            sent = true;
            heardAt = exchange.now();
            made.send(exchange.redirected(backend, redirect), this);
            return;
        }
        @Nullable Question question = exchange.question(backend);
        if (question != null) {
            askedAt = exchange.now();
            Asking asks = new Asking(question);
            asking = asks;
            made.send(exchange.requestFor(backend, question), asks);
            return;
        }
        sent = true;
        sentAt = exchange.now();
        heardAt = sentAt;
        asksForIds = !plain && exchange.asksForIds(backend);
        made.send(exchange.requestFor(backend, asksForIds), this);
        sending = exchange.now() - sentAt;
    }

    @Override
    public void notConnected(Throwable why) {
        pending = null;
        fail(BackendFailure.CONNECT, "cannot connect: " + why.getMessage());
    }

    // --- the answer ---

    @Override
    public void onHead(HttpResponse answer) {
        heardAt = exchange.now();
        head = answer;
        @Nullable String next = exchange.redirect(backend, redirect, answer);
        redirecting = next != null && ++redirects <= MOST_REDIRECTS;
        if (redirecting) {
            redirect = next;
        } else if (isEventStream(answer)) {
            if (plain) {
                backend.capabilities().sawIdsRefused();
            }
            relay = exchange.relay(this);
        } else {
            held = new HeldAnswer(
                    answer.status(), ForwardHeaders.toClient(answer.headers()), backend, exchange.answerMemory());
            boolean readable = exchange.endIsKnown() && !answer.headers().contains(HttpHeaderNames.CONTENT_ENCODING);
            whole = readable ? new WholeAnswer() : null;
        }
    }

    /** A compressed stream cannot be read along; it is passed on like any other body. */
    private static boolean isEventStream(HttpResponse answer) {
        String type = answer.headers().get(HttpHeaderNames.CONTENT_TYPE, "");
        return answer.status().codeClass() == HttpStatusClass.SUCCESS
                && type.regionMatches(true, 0, EVENT_STREAM, 0, EVENT_STREAM.length())
                && !answer.headers().contains(HttpHeaderNames.CONTENT_ENCODING);
    }

    @Override
    public void onBody(ByteBuf data) {
        heardAt = exchange.now();
        if (redirecting) {
            data.release();
        } else if (relay != null) {
            relay.accept(data);
        } else {
            onPiece(data);
        }
        if (!over && !exchange.answer().isWritable()) {
            pause();
        }
    }

    private void onPiece(ByteBuf data) {
        if (whole != null) {
            whole.read(data);
        }
        if (passing) {
            exchange.answer().data(data, heardAt);
        } else if (held != null && !held.add(data, exchange.allocator())) {
            passOn(held, data);
        }
    }

    /** Too long to be held: from here on the client gets it as it comes, and a failure can only be shown by cutting. */
    private void passOn(HeldAnswer answer, ByteBuf data) {
        @Nullable BackendFailure failure = failure(answer.status().code());
        if (failure != null || exchange.answer().hasBegun()) {
            data.release();
            fail(
                    failure != null ? failure : BackendFailure.PROTOCOL,
                    "status " + answer.status().code());
            return;
        }
        passing = true;
        exchange.committed();
        exchange.answer().begin(answer.status(), answer.headers(), backend);
        exchange.answer().data(answer.takeBody(), heardAt);
        exchange.answer().data(data, heardAt);
        exchange.answer().flush();
    }

    @Override
    public void onReadComplete() {
        if (!over && exchange.answer().hasBegun()) {
            exchange.answer().flush();
            measure();
        }
    }

    @Override
    public void onEnd() {
        connection = null;
        if (redirecting) {
            redirecting = false;
            start();
        } else if (relay != null) {
            streamEnded(relay, "ended before its end");
        } else if (held != null) {
            heldComplete(held);
        }
    }

    private void heldComplete(HeldAnswer answer) {
        int status = answer.status().code();
        @Nullable BackendFailure failure = failure(status);
        @Nullable UnservedAnswer said = passing ? null : Unserved.in(address(), status, answer.body());
        if (said != null) {
            HeldAnswer.drop(takeHeld()); // it is for the router; the client would take it for an answer
            notServed(said);
        } else if (whole != null && whole.isGivenUp()) {
            HeldAnswer.drop(takeHeld()); // it looks like an answer, and must not be taken for one later
            fail(passing ? BackendFailure.MID_STREAM : BackendFailure.SERVER_ERROR, "the answer was given up");
        } else if (passing) {
            succeed();
            exchange.succeeded(this, status);
            exchange.answer().end();
        } else if ((status == 400 || status == 422) && asksForIds) {
            plain = true;
            HeldAnswer.drop(takeHeld());
            start();
        } else if (failure == null) {
            HeldAnswer whole = takeHeld();
            succeed();
            exchange.complete(this, whole);
            measure();
        } else {
            fail(failure, "status " + status);
        }
    }

    private @Nullable BackendFailure failure(int status) {
        if (status == 408 || status == 425 || status == 429 || status == 529) {
            return BackendFailure.OVERLOADED;
        }
        if (status == 503 && head != null && head.headers().contains(HttpHeaderNames.RETRY_AFTER)) {
            return BackendFailure.OVERLOADED;
        }
        if (status == 303) {
            return BackendFailure
                    .SERVER_ERROR; // to nowhere, or to another server, which is none of the client's business
        }
        return status >= 500 || ForwardHeaders.refusesCredential(status) ? BackendFailure.SERVER_ERROR : null;
    }

    private void notServed(UnservedAnswer said) {
        unserved = said;
        fail(Unserved.failure(said), Unserved.detail(said));
    }

    private BackendAddress address() {
        return backend.backend().address();
    }

    private HeldAnswer takeHeld() {
        HeldAnswer taken = requireNonNull(held);
        held = null;
        return taken;
    }

    /** What the router has added, once the first of the answer has been written. */
    private void measure() {
        if (!measured) {
            measured = true;
            long choosing = exchange.choosing();
            if (choosing >= 0) {
                exchange.route().overhead(choosing + sending + exchange.now() - heardAt);
            }
        }
    }

    // --- streams ---

    @Override
    public void firstEvents() {
        firstTokenAt = heardAt;
        idsAtFirst = exchange.recordedTokens();
        if (!late) {
            backend.firstToken(startedAt, heardAt - sentAt, heardAt);
        }
        exchange.firstEvents(backend, requireNonNull(head));
    }

    @Override
    public void generated(int events) {
        tokens += events;
        exchange.generated(events);
    }

    @Override
    public void events(ByteBuf data) {
        exchange.answer().data(data, heardAt);
    }

    @Override
    public void backendFailed(ByteBuf lastWords, boolean told) {
        boolean flowing = relay != null && relay.isFlowing();
        if (flowing && !exchange.mayGoOn()) {
            events(lastWords);
        } else {
            lastWords.release();
        }
        if (told && !exchange.mayGoOn()) {
            failed(BackendFailure.MID_STREAM, "error in the stream");
            exchange.streamFailedAndTold();
        } else {
            fail(flowing ? BackendFailure.MID_STREAM : BackendFailure.SERVER_ERROR, "the stream says that it failed");
        }
    }

    @Override
    public void didNotGoOn(String why) {
        backend.abandoned(startedAt);
        finish();
        exchange.didNotGoOn(this, why);
    }

    @Override
    public void streamComplete() {
        if (connection != null) {
            connection.finishUnread();
            connection = null;
        }
        succeed();
        exchange.succeeded(this, 200);
        exchange.answer().end();
        measure();
    }

    private void streamEnded(Relay stream, String how) {
        Verdict verdict = stream.verdict();
        if (verdict == Verdict.COMPLETE
                || (verdict == Verdict.TRUNCATED && !exchange.endIsKnown() && connection == null)) {
            stream.finish();
            succeed();
            exchange.succeeded(this, 200);
            exchange.answer().end();
        } else if (verdict == Verdict.FAILED && stream.isFlowing()) {
            stream.finish();
            backendFailed(Unpooled.EMPTY_BUFFER, true); // by an event of its own, such as response.failed
        } else {
            fail(stream.isFlowing() ? BackendFailure.MID_STREAM : BackendFailure.NO_ANSWER, "the stream " + how);
        }
    }

    // --- failures ---

    @Override
    public void onBroken(Throwable why) {
        @Nullable UpstreamConnection broken = connection;
        connection = null;
        if (over) {
            return;
        }
        if (wasStale(broken)) {
            resend();
        } else if (relay != null) {
            if (relay.verdict() == Verdict.COMPLETE) {
                streamEnded(relay, "");
            } else {
                fail(
                        relay.isFlowing() ? BackendFailure.MID_STREAM : BackendFailure.NO_ANSWER,
                        "the stream broke: " + why.getMessage());
            }
        } else if (passing) {
            fail(BackendFailure.MID_STREAM, "the body broke: " + why.getMessage());
        } else {
            fail(
                    why instanceof ProtocolException ? BackendFailure.PROTOCOL : BackendFailure.NO_ANSWER,
                    String.valueOf(why.getMessage()));
        }
    }

    /**
     * Whether a connection had been idle and the backend closed it before the request reached it, as servers do after some
     * seconds. Nothing of it was processed, so the same backend gets it again on a fresh connection, once.
     */
    private static boolean wasStale(@Nullable UpstreamConnection broken) {
        return broken != null && broken.isReused() && !broken.hasAnswered();
    }

    private void resend() {
        sent = false;
        connect();
    }

    private void fail(BackendFailure failure, String detail) {
        if (over) {
            return;
        }
        boolean flowing = isFlowing();
        boolean cut = isInsideEvent();
        boolean goesOn = flowing && !cut && exchange.mayGoOn();
        if (flowing && !goesOn && relay != null) {
            relay.flush();
        }
        Duration rest = failure == BackendFailure.OVERLOADED ? retryAfter() : Duration.ZERO;
        @Nullable HeldAnswer answer = passing ? null : held;
        held = null;
        failed(failure, detail);
        if (goesOn) {
            exchange.goOn(this);
        } else if (flowing) {
            exchange.brokenAfterBegin(cut);
        } else {
            exchange.attemptFailed(this, failure, rest, answer);
        }
    }

    private Duration retryAfter() {
        String value = head == null ? null : head.headers().get(HttpHeaderNames.RETRY_AFTER);
        Duration otherwise = unserved == null ? Duration.ZERO : unserved.retryAfter();
        try {
            return value == null ? otherwise : Duration.ofSeconds(Math.max(0, Integer.parseInt(value.strip())));
        } catch (NumberFormatException e) {
            return Duration.ofSeconds(1); // an HTTP date; the breaker's clock is not the wall's
        }
    }

    /** Settles with the backend. */
    private void failed(BackendFailure failure, String detail) {
        long now = exchange.now();
        if (failure == BackendFailure.OVERLOADED) {
            backend.overloaded(retryAfter(), startedAt, now);
        } else {
            backend.failed(failure, startedAt, now);
        }
        exchange.route().attemptFailed(backend, failure, detail);
        finish();
    }

    private void succeed() {
        backend.succeeded(startedAt, exchange.now());
        int ids = exchange.recordedTokens() - idsAtFirst;
        int further = ids > 0 ? ids : tokens - 1;
        if (further > 0 && relay != null && relay.isFlowing()) {
            long each = (heardAt - firstTokenAt - pausedFor) / further;
            backend.tokens(startedAt, each, heardAt);
            exchange.route().tokens(backend, each);
        }
        finish();
    }

    /** The stream goes elsewhere before it breaks; up to here all was well. */
    void leave() {
        succeed();
    }

    /** Hangs up: the client has left, or its time is up. */
    void cancel() {
        if (!over) {
            backend.abandoned(startedAt);
            finish();
        }
    }

    private void finish() {
        over = true;
        if (pending != null) {
            pending.cancel();
            pending = null;
        }
        if (connection != null) {
            connection.abort();
            connection = null;
        }
        if (relay != null) {
            relay.release();
        }
        HeldAnswer.drop(held);
        held = null;
        if (asking != null) {
            asking.forget();
        }
        exchange.route().room().callOne();
    }

    /** Waits for the answer to a question, and then goes on with the request proper. */
    private final class Asking implements UpstreamConnection.User {
        private final Question question;
        private ByteBuf body = Unpooled.EMPTY_BUFFER;
        private int status;
        private boolean tooLong;

        Asking(Question question) {
            this.question = question;
        }

        @Override
        public void onHead(HttpResponse answer) {
            status = answer.status().code();
            head = answer;
        }

        @Override
        public void onBody(ByteBuf data) {
            if (!tooLong && (status == 200 || Unserved.mayBe(address(), status))) {
                hold(data);
            }
            data.release();
        }

        private void hold(ByteBuf data) {
            int length = data.readableBytes();
            tooLong = body.readableBytes() + length > MOST_ANSWER_BYTES
                    || !exchange.continuationMemory().take(ANSWER_COPIES * length);
            if (tooLong) {
                forget();
            } else {
                body = body.capacity() == 0 ? Unpooled.buffer(length) : body;
                body.writeBytes(data);
            }
        }

        /** Gives back what the answer has taken. May be called twice. */
        void forget() {
            exchange.continuationMemory().giveBack(ANSWER_COPIES * body.writerIndex());
            body.release();
            body = Unpooled.EMPTY_BUFFER;
        }

        @Override
        public void onReadComplete() {}

        @Override
        public void onEnd() {
            connection = null;
            @Nullable UnservedAnswer said = Unserved.in(address(), status, body);
            boolean understood = said == null && status == 200 && !tooLong && isUnderstood();
            forget();
            if (understood || !question.needed()) {
                start();
                return;
            }
            if (said != null) {
                notServed(said);
                return;
            }
            String detail = question.path() + " answered " + status + (tooLong ? " and more than can be held" : "");
            @Nullable BackendFailure failure = failure(status);
            if (failure == BackendFailure.OVERLOADED || (failure != null && status >= 500 && status != 501)) {
                fail(failure, detail); // not now, which does not mean never
            } else {
                didNotGoOn(detail);
            }
        }

        private boolean isUnderstood() {
            byte[] json = ByteBufUtil.getBytes(body);
            try {
                return question.answer().test(json);
            } catch (UncheckedIOException e) {
                return false;
            }
        }

        @Override
        public void onBroken(Throwable why) {
            @Nullable UpstreamConnection broken = connection;
            connection = null;
            if (over) {
                return;
            }
            forget();
            if (wasStale(broken)) {
                connect();
            } else if (!question.needed()) {
                start();
            } else {
                fail(BackendFailure.NO_ANSWER, String.valueOf(why.getMessage()));
            }
        }
    }

    // --- time and back-pressure ---

    private void pause() {
        if (connection != null && !paused) {
            paused = true;
            pausedAt = heardAt;
            connection.reading(false);
        }
    }

    void clientDrained() {
        if (paused && connection != null) {
            paused = false;
            heardAt = exchange.now();
            pausedFor += heardAt - pausedAt;
            connection.reading(true);
        }
    }

    /** Whether the client has taken nothing for as long as a request may last. */
    boolean isStuck(long now) {
        return paused && now - pausedAt >= exchange.policy().deadline().toNanos();
    }

    /** Whether the client has got something that only this backend can go on with. */
    boolean isFlowing() {
        return passing || (relay != null && relay.isFlowing());
    }

    /** Whether the client has got all that matters, should it leave now. */
    boolean isComplete() {
        return relay != null && relay.isFlowing() && relay.verdict() == Verdict.COMPLETE;
    }

    boolean isInsideEvent() {
        return passing || (relay != null && relay.isInsideEvent());
    }

    long sentAt() {
        return sentAt;
    }

    /** When the backend's provider cuts the request, whatever it is doing. */
    Optional<Departure> limit() {
        return address().hardLimit().map(limit -> new Departure(sentAt, sentAt + limit.toNanos()));
    }

    boolean mayTakeComment() {
        return !isInsideEvent();
    }

    void sweep(long now) {
        if (over || paused) {
            return;
        }
        if (!sent) {
            if (askedAt != 0
                    && backend.isReplica() // an endpoint may have to start first
                    && now - askedAt >= exchange.policy().firstTokenTimeout().toNanos()) {
                fail(BackendFailure.SLOW_FIRST_TOKEN, "did not say in time what was asked before going on");
            }
            return;
        }
        if (isFlowing()) {
            if (now - heardAt >= exchange.policy().idleTimeout().toNanos()) {
                stalled();
            }
        } else if (exchange.request().stream() && backend.isReplica()) {
            awaitFirstToken(now);
        }
    }

    private void awaitFirstToken(long now) {
        long waited = now - sentAt;
        if (!late && waited > exchange.policy().spill().firstToken().toNanos()) {
            late = true;
            backend.firstToken(startedAt, waited, now);
        }
        if (waited >= exchange.policy().firstTokenTimeout().toNanos()) {
            slowFirstToken(now);
        }
    }

    private void stalled() {
        if (relay != null && relay.verdict() == Verdict.COMPLETE) {
            streamEnded(relay, "");
        } else {
            fail(
                    BackendFailure.MID_STREAM,
                    "silent for " + exchange.policy().idleTimeout().toMillis() + " ms");
        }
    }

    /** Without another backend there is nothing to gain by giving this one up. */
    private void slowFirstToken(long now) {
        String detail =
                "no first token within " + exchange.policy().firstTokenTimeout().toMillis() + " ms";
        if (exchange.hasOtherThan(backend, now)) {
            fail(BackendFailure.SLOW_FIRST_TOKEN, detail);
        } else if (!slow) {
            slow = true;
            exchange.route().attemptFailed(backend, BackendFailure.SLOW_FIRST_TOKEN, detail);
        }
    }
}
