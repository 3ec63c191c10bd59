package dev.tuna.router.proxy;

import dev.tuna.router.BackendFailure;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.http.ForwardHeaders;
import dev.tuna.router.http.OpenAiError;
import dev.tuna.router.http.PathRules;
import dev.tuna.router.select.Choice;
import dev.tuna.router.select.Choice.Outcome;
import dev.tuna.spi.BackendAddress;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One client request: let in, tried on one backend after the other until one answers, settled exactly once. Confined to
 * the client's event loop.
 *
 * <p>Backends are tried until the answer has begun; from then on the client's stream hangs on the one that began it. An
 * attempt that reached no backend cost nothing and is not counted; one that was sent again costs the route's retry budget.
 */
final class Exchange extends Sweeper.Member {

    private final Loop loop;
    private final RouteRuntime route;
    private final RoutePolicy policy;
    private final ClientConnection client;
    private final ClientRequest request;
    private final ClientAnswer answer;
    private final MemoryBudget answerMemory;
    private final long arrivedAt;
    private final long deadlineAt;
    private final List<BackendRuntime> tried = new ArrayList<>(2);
    private final Predicate<BackendRuntime> isTried = tried::contains;
    private @Nullable Attempt attempt;
    private @Nullable HeldAnswer lastAnswer;
    private @Nullable BackendRuntime first;
    private int attempts;
    private boolean onlyUnreached = true;
    private boolean credentialRefused;
    private boolean bodyReleased;
    private boolean committed;
    private boolean over;
    private boolean waiting;
    private long ticket;
    private long waitUntil;

    Exchange(Loop loop, RouteRuntime route, ClientConnection client, ClientRequest request, MemoryBudget answerMemory) {
        this.loop = loop;
        this.route = route;
        this.policy = route.policy();
        this.client = client;
        this.request = request;
        this.answerMemory = answerMemory;
        this.arrivedAt = loop.now();
        this.deadlineAt = arrivedAt + policy.deadline().toNanos();
        this.answer = client.answerTo(request, arrivedAt);
    }

    // --- what an attempt needs ---

    Loop loop() {
        return loop;
    }

    RouteRuntime route() {
        return route;
    }

    RoutePolicy policy() {
        return policy;
    }

    ClientRequest request() {
        return request;
    }

    ClientAnswer answer() {
        return answer;
    }

    MemoryBudget answerMemory() {
        return answerMemory;
    }

    ByteBufAllocator allocator() {
        return client.allocator();
    }

    long now() {
        return loop.now();
    }

    /** The request as a backend gets it. */
    FullHttpRequest requestFor(BackendRuntime backend) {
        BackendAddress address = backend.backend().address();
        HttpHeaders headers = ForwardHeaders.toBackend(request.headers(), address, client.address(), client.isTls());
        headers.set(ClientAnswer.X_REQUEST_ID, request.id());
        if (request.stream()) {
            headers.remove(HttpHeaderNames.ACCEPT_ENCODING); // events must be readable, and are too small to gain
        }
        if (request.body().isReadable() || request.method().equals(HttpMethod.POST)) {
            headers.set(
                    HttpHeaderNames.CONTENT_LENGTH,
                    Integer.toString(request.body().readableBytes()));
        }
        return new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1,
                request.method(),
                PathRules.join(address.url(), request.target().target()),
                request.body().retainedDuplicate(),
                headers,
                EmptyHttpHeaders.INSTANCE);
    }

    // --- choosing ---

    void start() {
        if (route.admit()) {
            loop.exchanges().add(this);
            proceed();
        } else {
            over = true;
            releaseBody();
            answer.error(OpenAiError.tooManyRequests(policy.maxInFlight()));
        }
    }

    /** Goes on on its own loop, for instance because a backend has come up. */
    void call() {
        loop.executor().execute(this::proceed);
    }

    private void proceed() {
        if (over || attempt != null) {
            return;
        }
        if (route.isGone()) {
            giveUp(OpenAiError.closing());
            return;
        }
        long now = now();
        Choice<BackendRuntime> choice =
                route.choose(isTried, attempts > 0 && attempts + 1 >= policy.maxAttempts(), now);
        if (choice.outcome() != Outcome.REPLICA) {
            route.demand();
        }
        if (!choice.isPresent()) {
            standStill(choice.outcome(), now);
        } else if (choice.backend().start(now)) {
            begin(choice.backend(), now);
        } else {
            standStill(Outcome.FULL, now); // another request was faster
        }
    }

    private void begin(BackendRuntime backend, long now) {
        leaveRoom();
        if (attempts > 0) {
            route.retried(now);
        }
        if (first == null) {
            first = backend;
        }
        Attempt next = new Attempt(this, backend, now);
        attempt = next;
        next.start();
    }

    boolean hasOtherThan(BackendRuntime current, long now) {
        return attempts + 1 < policy.maxAttempts()
                && route.hasOther(backend -> backend == current || tried.contains(backend), now);
    }

    private void standStill(Outcome why, long now) {
        if (waiting) {
            return;
        }
        if (why == Outcome.EXHAUSTED && !(onlyUnreached && route.isWarming())) {
            giveUp(OpenAiError.backendsFailed(tried.size()));
            return;
        }
        if (waitUntil == 0) {
            waitUntil = now + policy.waitLimit().toNanos();
            ticket = route.room().ticket();
        }
        if (now - waitUntil >= 0) {
            giveUp(nothingCame(why));
        } else if (route.room().enter(ticket, this, policy.waitingRoom())) {
            waiting = true;
        } else {
            giveUp(OpenAiError.waitingRoomFull(policy.waitingRoom()));
        }
    }

    private OpenAiError nothingCame(Outcome why) {
        return switch (why) {
            case FULL -> OpenAiError.backendsFull();
            case RESTING -> OpenAiError.backendsResting(policy.breaker().openFor());
            default -> OpenAiError.noBackendInTime(policy.waitLimit());
        };
    }

    private void leaveRoom() {
        if (waiting) {
            waiting = false;
            route.room().leave(ticket);
        }
    }

    // --- what became of an attempt ---

    /** The attempt failed and the client has seen nothing of it. */
    void attemptFailed(Attempt failed, BackendFailure failure, Duration rest, @Nullable HeldAnswer last) {
        attempt = null;
        boolean rests = failure == BackendFailure.OVERLOADED
                && !rest.isZero()
                && !policy.breaker().maxCooldown().isZero();
        if (!rests) {
            tried.add(failed.backend()); // one that rests is skipped by its breaker, and may be tried again after it
        }
        if (failed.wasSent()) {
            onlyUnreached = false;
            attempts += rests ? 0 : 1;
        }
        remember(last);
        long now = now();
        if (attempts >= policy.maxAttempts() || (failed.wasSent() && !route.mayRetry(now)) || outlasts(rest, now)) {
            giveUp(OpenAiError.backendsFailed(Math.max(1, attempts)));
        } else {
            proceed();
        }
    }

    /** Whether waiting for a backend that rests is in vain, and there is no other. */
    private boolean outlasts(Duration rest, long now) {
        long most = Math.min(policy.waitLimit().toNanos(), deadlineAt - now);
        return !rest.isZero() && rest.toNanos() > most && !route.hasOther(isTried, now);
    }

    /** Keeps the last real answer, which says more than an error of our own. */
    private void remember(@Nullable HeldAnswer last) {
        if (last != null) {
            credentialRefused = ForwardHeaders.refusesCredential(last.status().code());
            HeldAnswer.drop(lastAnswer);
            lastAnswer = last;
        }
    }

    /** The backend gave a complete answer that is the client's. */
    void complete(Attempt done, HeldAnswer whole) {
        succeeded(done, whole.status().code());
        if (answer.hasBegun()) {
            answerInStream(whole);
        } else {
            answer.whole(whole);
        }
    }

    /** Signs of life have begun a stream of events, and the backend answered with something else. */
    private void answerInStream(HeldAnswer whole) {
        answer.data(InBand.event(whole.takeBody()), now());
        answer.end();
    }

    /** Settles; to be called before the last byte is written, so that who has read the answer finds it counted. */
    void succeeded(Attempt done, int status) {
        attempt = null;
        over();
        if (status >= 400) {
            route.settleClientError();
        } else {
            route.settleSuccess(done.backend(), first != done.backend());
        }
    }

    /** The client gets something of the answer: no other backend can be tried, so the body need not be kept. */
    void committed() {
        committed = true;
        releaseBody();
    }

    void firstContent(BackendRuntime backend) {
        route.firstToken(backend, now() - arrivedAt);
    }

    /** Whether the shape of a stream's end is known for the endpoint asked, so that anything less is a failure. */
    boolean endIsKnown() {
        return switch (request.target().path()) {
            case "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages" -> true;
            default -> false;
        };
    }

    void brokenAfterBegin(boolean cut) {
        attempt = null;
        over();
        route.settleFailure();
        if (cut) {
            answer.cut();
        } else {
            answer.error(OpenAiError.streamBroken());
        }
    }

    void streamFailedAndTold() {
        attempt = null;
        over();
        route.settleFailure();
        answer.end();
    }

    // --- ends ---

    private void giveUp(OpenAiError otherwise) {
        @Nullable HeldAnswer last = lastAnswer;
        lastAnswer = null;
        over();
        route.settleFailure();
        if (last == null || credentialRefused) {
            HeldAnswer.drop(last);
            answer.error(credentialRefused ? OpenAiError.backendRefusedCredential() : otherwise);
        } else if (answer.hasBegun()) {
            answerInStream(last);
        } else {
            answer.whole(last);
        }
    }

    /** The client has left. */
    void clientGone() {
        if (over) {
            return;
        }
        @Nullable Attempt current = attempt;
        if (current != null && current.isComplete()) {
            succeeded(current, 200);
            current.cancel();
        } else {
            cancelAttempt();
            over();
            route.settleClientError();
        }
    }

    /** The router closes and cannot wait. */
    void cut() {
        if (!over) {
            cancelAttempt();
            over();
            route.settleFailure();
            answer.cut();
        }
    }

    private void cancelAttempt() {
        @Nullable Attempt current = attempt;
        attempt = null;
        if (current != null) {
            current.cancel();
        }
    }

    private void over() {
        over = true;
        leaveRoom();
        loop.exchanges().remove(this);
        releaseBody();
        HeldAnswer.drop(lastAnswer);
        lastAnswer = null;
    }

    private void releaseBody() {
        if (!bodyReleased) {
            bodyReleased = true;
            client.release(request.body());
        }
    }

    // --- time and back-pressure ---

    void clientDrained() {
        if (attempt != null) {
            attempt.clientDrained();
        }
    }

    @Override
    void sweep(long now) {
        if (now - deadlineAt >= 0 && !isFlowingStream()) {
            deadlinePassed();
            return;
        }
        if (waiting) {
            if (now - waitUntil >= 0) {
                giveUp(nothingCame(Outcome.NO_BACKEND));
                return;
            }
            proceed();
        }
        if (!over && attempt != null) {
            if (attempt.isStuck(now)) {
                clientGone();
                answer.cut();
                return;
            }
            attempt.sweep(now);
        }
        if (!over && isHeartbeatDue(now)) {
            answer.signOfLife(now);
        }
    }

    /** Provokes a sign of whether the client still listens. */
    void ask(long now) {
        if (request.stream() && answer.isWritable() && (attempt == null || attempt.mayTakeComment())) {
            answer.signOfLife(now);
        }
    }

    private boolean isFlowingStream() {
        return request.stream() && attempt != null && attempt.isFlowing();
    }

    private void deadlinePassed() {
        cancelAttempt();
        if (committed) {
            brokenAfterBegin(true);
        } else {
            giveUp(OpenAiError.deadlinePassed(policy.deadline()));
        }
    }

    private boolean isHeartbeatDue(long now) {
        return request.stream()
                && !policy.heartbeat().isZero()
                && now - answer.lastWrite() >= policy.heartbeat().toNanos()
                && answer.isWritable()
                && (attempt == null || attempt.mayTakeComment());
    }
}
