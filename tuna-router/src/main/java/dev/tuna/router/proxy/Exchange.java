package dev.tuna.router.proxy;

import static java.util.Objects.requireNonNull;

import dev.tuna.router.BackendFailure;
import dev.tuna.router.RoutePolicy;
import dev.tuna.router.http.ForwardHeaders;
import dev.tuna.router.http.OpenAiError;
import dev.tuna.router.http.PathRules;
import dev.tuna.router.http.SseScanner;
import dev.tuna.router.select.Choice;
import dev.tuna.router.select.Choice.Outcome;
import dev.tuna.router.stream.Departure;
import dev.tuna.router.stream.Method;
import dev.tuna.spi.BackendAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
    private final @Nullable AccessLog log;
    private final Memory memory;
    private @Nullable Continuation continuation;
    private final long arrivedAt;
    private final long patience;
    private long deadlineAt;
    private final List<BackendRuntime> tried = new ArrayList<>(2);
    private final Predicate<BackendRuntime> isTried = this::isTriedOrUnwanted;
    private @Nullable Attempt attempt;
    private @Nullable HeldAnswer lastAnswer;
    private @Nullable BackendRuntime first;
    private @Nullable BackendRuntime left;
    private Optional<BackendFailure> leftFor = Optional.empty();
    private int attempts;
    private boolean onlyUnreached = true;
    private boolean secondChance;
    private boolean credentialRefused;
    private boolean overloaded;
    private boolean bodyReleased;
    private boolean committed;
    private boolean over;
    private boolean waiting;
    private Outcome waitsFor = Outcome.NO_BACKEND;
    private boolean resorted;
    private @Nullable BackendRuntime resort;
    private long ticket;
    private long waitingSince;
    private long waitUntil;
    private long choosing;

    /** What all exchanges together may keep, for each purpose. */
    record Memory(MemoryBudget answers, MemoryBudget continuations) {}

    Exchange(Loop loop, RouteRuntime route, ClientConnection client, ClientRequest request, Memory memory) {
        this.loop = loop;
        this.route = route;
        this.policy = route.policy();
        this.client = client;
        this.request = request;
        this.memory = memory;
        this.arrivedAt = loop.now();
        this.patience = request.wishes().patience().map(Duration::toNanos).orElse(Long.MAX_VALUE);
        long limit = policy.deadline().toNanos();
        this.deadlineAt = arrivedAt + (request.stream() ? limit : Math.min(limit, patience));
        this.answer = client.answerTo(request, arrivedAt);
        this.log = AccessLog.of(loop.clock(), route.name(), request, arrivedAt);
        answer.tellIn(log);
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
        return memory.answers();
    }

    MemoryBudget continuationMemory() {
        return memory.continuations();
    }

    ByteBufAllocator allocator() {
        return client.allocator();
    }

    long now() {
        return loop.now();
    }

    /** Whether the backend is asked for more than the client asks for. */
    boolean asksForIds(BackendRuntime backend) {
        return continuation != null && continuation.addsIds(backend);
    }

    /**
     * The request as a backend gets it: the client's, or the one by which the backend goes on.
     *
     * @param withIds whether the client's also asks for token ids
     */
    FullHttpRequest requestFor(BackendRuntime backend, boolean withIds) {
        if (continuation == null) {
            return requestFor(
                    backend,
                    request.method(),
                    request.target().target(),
                    request.body().retainedDuplicate());
        }
        return continuation.isMoving()
                ? requestFor(backend, HttpMethod.POST, continuation.target(), continuation.resumeBody(backend))
                : requestFor(backend, request.method(), request.target().target(), continuation.recordedBody(withIds));
    }

    /** A question as a backend gets it. */
    FullHttpRequest requestFor(BackendRuntime backend, Question question) {
        boolean post = question.body().isReadable();
        return requestFor(backend, post ? HttpMethod.POST : HttpMethod.GET, question.path(), question.body());
    }

    /** Where on the backend the answer will be; null if this is it. */
    @Nullable
    String redirect(BackendRuntime backend, @Nullable String waitingAt, HttpResponse said) {
        BackendAddress address = backend.backend().address();
        String target = isMoving()
                ? requireNonNull(continuation).target()
                : request.target().target();
        return Redirects.follow(address.url(), PathRules.join(address.url(), target), waitingAt, said);
    }

    /** Asks for the answer at another place on the same backend. */
    FullHttpRequest redirected(BackendRuntime backend, String uri) {
        return request(backend.backend().address(), HttpMethod.GET, uri, Unpooled.EMPTY_BUFFER);
    }

    private FullHttpRequest requestFor(BackendRuntime backend, HttpMethod method, String target, ByteBuf body) {
        BackendAddress address = backend.backend().address();
        return request(address, method, PathRules.join(address.url(), target), body);
    }

    private FullHttpRequest request(BackendAddress address, HttpMethod method, String uri, ByteBuf body) {
        HttpHeaders headers = ForwardHeaders.toBackend(request.headers(), address, client.address(), client.isTls());
        headers.set(ClientAnswer.X_REQUEST_ID, request.id());
        if (request.stream() || !address.unserved().isEmpty()) {
            headers.remove(HttpHeaderNames.ACCEPT_ENCODING); // it must be readable, and is too small to gain
        }
        if (body.isReadable() || method.equals(HttpMethod.POST)) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(body.readableBytes()));
        }
        return new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, method, uri, body, headers, EmptyHttpHeaders.INSTANCE);
    }

    /** What a backend must be asked first; null for nothing. */
    @Nullable
    Question question(BackendRuntime backend) {
        return isMoving() ? requireNonNull(continuation).question(backend) : null;
    }

    /** Passes an event stream on. */
    Relay relay(Relay.Sink sink) {
        if (continuation == null) {
            return new StreamRelay(new SseScanner(request.choices()), sink, client.allocator(), null, endIsKnown());
        }
        if (continuation.isMoving()) {
            return continuation.relay(sink);
        }
        continuation.restart();
        SseScanner scanner = new SseScanner(request.choices(), continuation.recorder());
        return new StreamRelay(scanner, sink, client.allocator(), continuation, endIsKnown());
    }

    /** Whether a backend serves something else than the one that began the stream. */
    private boolean isForeign(BackendRuntime backend) {
        return continuation != null && !continuation.isAtHomeOn(backend);
    }

    private boolean isMoving() {
        return continuation != null && continuation.isMoving();
    }

    // --- choosing ---

    void start() {
        if (route.admit(request.wishes().retry())) {
            continuation = Continuation.of(request, policy.continuation(), memory.continuations());
            loop.exchanges().add(this);
            proceed(route.room().isAheadOf(this));
        } else {
            over = true;
            releaseBody();
            policy.refusal().ifPresent(reason -> answer.spent());
            answer.error(policy.refusal()
                    .map(OpenAiError::moneySpent)
                    .orElseGet(() -> OpenAiError.tooManyRequests(policy.maxInFlight())));
        }
    }

    /** It is this one's turn, for instance because a backend has come up: goes on on its own loop. */
    void call() {
        loop.executor().execute(() -> {
            boolean waited = waiting;
            proceed(false);
            if (waited && waiting && isChoosy()) {
                route.room().callAfter(ticket); // who comes next may be able to use what this one cannot
            }
        });
    }

    /** Whether there are backends that others may use and this request may not. */
    private boolean isChoosy() {
        return !tried.isEmpty() || request.wishes().tier().isPresent();
    }

    private boolean isTriedOrUnwanted(BackendRuntime backend) {
        return tried.contains(backend) || !request.wishes().allows(backend.tier()) || isForeign(backend);
    }

    private void proceed() {
        proceed(false);
    }

    /**
     * Goes on with what there is.
     *
     * @param afterOthers whether others wait whose turn comes before: then they are called, and this one stands in line
     */
    private void proceed(boolean afterOthers) {
        if (over || attempt != null) {
            return;
        }
        if (route.isGone()) {
            giveUp(OpenAiError.closing());
            return;
        }
        long now = now();
        Choice<BackendRuntime> choice = route.choose(
                isTried, request.conversation(), attempts > 0 && attempts + 1 >= policy.maxAttempts(), now);
        if (choice.outcome() == Outcome.EXHAUSTED && isMoving() && secondChance) {
            secondChance = false;
            tried.removeIf(backend -> !backend.isReplica()); // an endpoint outlives the machine that failed
            proceed();
            return;
        }
        if (choice.outcome() != Outcome.REPLICA && request.wishes().tier().isEmpty()) {
            route.demand();
        }
        boolean lastResort = choice.outcome() == Outcome.LAST_RESORT;
        if (!choice.isPresent() || (lastResort && resorted)) {
            standStill(lastResort ? Outcome.RESTING : choice.outcome(), now);
        } else if (afterOthers && standInLine(now)) {
            route.room().callOne();
        } else if (choice.backend().start(now, lastResort)) {
            if (lastResort) {
                resorted = true;
                resort = choice.backend();
            }
            begin(choice.backend(), now);
        } else {
            standStill(Outcome.FULL, now); // another request was faster
        }
    }

    private void begin(BackendRuntime backend, long now) {
        if (waiting) {
            leaveRoom();
            route.room().callOne(); // there may be room for more
        }
        if (isMoving() && !requireNonNull(continuation).borrow()) {
            backend.abandoned(now);
            giveUp(OpenAiError.streamBroken());
            return;
        }
        if (isMoving() && !requireNonNull(continuation).choose(backend)) {
            backend.abandoned(now);
            tried.add(backend);
            proceed();
            return;
        }
        if (attempts > 0) {
            route.retried(now);
        }
        if (first == null) {
            first = backend;
        }
        if (left != null && left != backend) {
            route.failover(leftFor);
        }
        left = null;
        answer.attempt();
        if (log != null) {
            log.attempt(backend);
        }
        choosing = !committed && waitUntil == 0 && tried.isEmpty() && attempts == 0 ? now - arrivedAt : -1;
        Attempt next = new Attempt(this, backend, now);
        attempt = next;
        next.start();
    }

    /** What it took to choose the first backend; negative if it was not the first, or not at once. */
    long choosing() {
        return choosing;
    }

    boolean hasOtherThan(BackendRuntime current, long now) {
        return request.wishes().failover()
                && attempts + 1 < policy.maxAttempts()
                && route.hasOther(backend -> backend == current || isTriedOrUnwanted(backend), now);
    }

    private void standStill(Outcome why, long now) {
        waitsFor = why;
        if (waiting) {
            return;
        }
        if (why == Outcome.EXHAUSTED && !tried.isEmpty() && !(onlyUnreached && route.isWarming())) {
            giveUp(OpenAiError.backendsFailed(tried.size()));
        } else if (isWaitOver(now)) {
            giveUp(nothingCame(why));
        } else if (!standInLine(now)) {
            giveUp(OpenAiError.waitingRoomFull(policy.waitingRoom()));
        }
    }

    /** Waits in the order of arrival; false if there is no seat left. A stream on its way is never turned away. */
    private boolean standInLine(long now) {
        int seats = isMoving() ? Integer.MAX_VALUE : policy.waitingRoom();
        if (!waiting && !isWaitOver(now) && route.room().enter(ticket, this, seats)) {
            waiting = true;
            waitingSince = now;
        }
        return waiting;
    }

    private boolean isWaitOver(long now) {
        if (waitUntil == 0) {
            waitUntil = now + policy.waitLimit().toNanos();
            ticket = ticket == 0 ? route.room().ticket() : ticket;
        }
        return now - waitUntil >= 0;
    }

    private OpenAiError nothingCame(Outcome why) {
        return switch (why) {
            case FULL -> OpenAiError.backendsFull();
            case RESTING -> OpenAiError.backendsResting(policy.breaker().openFor());
            default -> OpenAiError.noBackendInTime(Duration.ofNanos(now() - arrivedAt));
        };
    }

    private void leaveRoom() {
        if (waiting) {
            waiting = false;
            route.room().leave(ticket);
            long waited = now() - waitingSince;
            route.waited(waited);
            if (log != null) {
                log.waited(waited);
            }
        }
    }

    // --- what became of an attempt ---

    /** The attempt failed and the client has seen nothing of it. */
    void attemptFailed(Attempt failed, BackendFailure failure, Duration rest, @Nullable HeldAnswer last) {
        attempt = null;
        boolean rests = failure == BackendFailure.OVERLOADED
                && !rest.isZero()
                && !policy.breaker().maxCooldown().isZero();
        if (failed.backend() == resort) {
            resort = null; // it was tried before its time, which is no reason not to try it when its time has come
        } else if (!rests) {
            tried.add(failed.backend()); // one that rests is skipped by its breaker, and may be tried again after it
        }
        if (failed.wasSent()) {
            onlyUnreached = false;
            attempts += rests ? 0 : 1;
        }
        remember(last);
        overloaded = failure == BackendFailure.OVERLOADED;
        left = failed.backend();
        leftFor = Optional.of(failure);
        long now = now();
        if (isMoving()) {
            route.continuation(requireNonNull(continuation).method(), false);
            requireNonNull(continuation).giveBackBorrowed();
        }
        if (!request.wishes().failover()
                || attempts >= policy.maxAttempts()
                || (failed.wasSent() && !route.mayRetry(now))
                || outlasts(rest, now)) {
            giveUp(overloaded ? tooBusy(rest) : OpenAiError.backendsFailed(Math.max(1, attempts)));
        } else {
            proceed();
        }
    }

    private OpenAiError tooBusy(Duration rest) {
        return OpenAiError.backendsResting(rest.isZero() ? policy.breaker().openFor() : rest);
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
        if (isMoving()) {
            whole.release();
            didNotGoOn(done, "answered " + whole.status().code());
            return;
        }
        succeeded(done, whole.status().code());
        if (answer.hasBegun()) {
            answerInStream(whole);
        } else {
            answer.whole(whole);
        }
    }

    /** Signs of life have begun a stream of events, and the backend answered with something else. */
    private void answerInStream(HeldAnswer whole) {
        if (whole.status().code() >= 400) {
            answer.logOutcome("backend_error");
        }
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
            route.settleSuccess(done.backend(), first != done.backend(), now() - arrivedAt);
        }
    }

    /** The client gets something of the answer: it cannot be begun anew, so the body need not be kept for that. */
    void committed() {
        committed = true;
        if (continuation != null && !bodyReleased) {
            continuation.keepRequest();
        }
        releaseBody();
    }

    /** The client gets the first events of an answer, or the first of the rest of it. */
    void firstEvents(BackendRuntime backend, HttpResponse head) {
        if (isMoving()) {
            Continuation arrived = requireNonNull(continuation);
            answer.data(Unpooled.wrappedBuffer(arrived.comment()), now());
            route.continuation(arrived.arrived(), true);
            return;
        }
        committed();
        long sinceArrival = now() - arrivedAt;
        route.firstToken(backend, sinceArrival);
        if (log != null) {
            log.firstToken(sinceArrival);
        }
        if (continuation != null) {
            continuation.beganOn(backend);
        }
        answer.beginEvents(head.status(), ForwardHeaders.toClient(head.headers()), backend);
    }

    // --- going on elsewhere ---

    /** Whether a stream that breaks now can be continued. */
    boolean mayGoOn() {
        return continuation != null && continuation.mayGoOn();
    }

    /** The stream has broken, or is about to, and can be continued. */
    void goOn(Attempt broken) {
        goOn(broken, false);
    }

    /** The stream leaves, since the end of its backend, or of what that does for it, is near. */
    private void moveIfDue(Attempt current, long now) {
        if (continuation == null || !current.isFlowing() || current.isInsideEvent()) {
            return;
        }
        Optional<Departure> limit = current.limit();
        boolean gone = isDue(current.backend().departure(), current, now);
        boolean over = isDue(limit, current, now);
        // Another request to the same backend has its own time limit.
        if ((gone || over)
                && mayGoOn()
                && route.hasOther(backend -> isForeign(backend) || (gone && backend == current.backend()), now)
                && (continuation.needsNobody() || continuation.borrow())) {
            current.leave();
            if (gone) {
                tried.add(current.backend()); // whether it drains or not, the stream must not come back
            }
            goOn(current, true);
        }
    }

    private boolean isDue(Optional<Departure> departure, Attempt current, long now) {
        return departure.isPresent() && requireNonNull(continuation).isDue(departure.get(), now, current.sentAt());
    }

    private void goOn(Attempt broken, boolean planned) {
        attempt = null;
        Continuation next = requireNonNull(continuation);
        long now = now();
        if (next.needsNobody()) {
            answer.data(Unpooled.wrappedBuffer(next.ending()), now);
            route.continuation(Method.FINISH, true);
            over();
            route.settleSuccess(broken.backend(), first != broken.backend(), now() - arrivedAt);
            answer.end();
            return;
        }
        next.beginMove(planned);
        left = broken.backend();
        leftFor = planned ? Optional.empty() : Optional.of(BackendFailure.MID_STREAM);
        if (!planned) { // a backend with a time limit has nothing against another request
            tried.add(broken.backend());
        }
        secondChance = true;
        attempts = 0;
        onlyUnreached = true;
        resorted = false;
        waitUntil = 0;
        deadlineAt = now + policy.deadline().toNanos();
        proceed();
    }

    /** A backend was asked to go on and did not, which is no fault of its own. */
    void didNotGoOn(Attempt refusing, String why) {
        attempt = null;
        Continuation next = requireNonNull(continuation);
        route.continuation(next.method(), false);
        next.refused(refusing.backend());
        next.giveBackBorrowed();
        attempts++;
        if (attempts >= 2 * policy.maxAttempts()) {
            giveUp(OpenAiError.streamBroken());
        } else {
            proceed();
        }
    }

    /** How many tokens the servers say they have generated for this stream; zero if nobody keeps count. */
    int recordedTokens() {
        return continuation == null ? 0 : continuation.generated();
    }

    void generated(int tokens) {
        route.generated(tokens);
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
        if (request.stream()) {
            route.notContinued();
        }
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
        route.notContinued();
        over();
        route.settleFailure();
        answer.logOutcome("stream_broken");
        answer.end();
    }

    // --- ends ---

    private void giveUp(OpenAiError otherwise) {
        @Nullable HeldAnswer last = lastAnswer;
        lastAnswer = null;
        boolean moving = isMoving();
        if (attempts > 0 && !overloaded && request.wishes().failover()) {
            answer.spent();
        }
        over();
        route.settleFailure();
        if (moving) {
            route.notContinued();
            HeldAnswer.drop(last);
            answer.error(OpenAiError.streamBroken());
        } else if (last == null || credentialRefused) {
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
            answer.logOutcome("client_gone");
        }
        answer.logEnd();
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
        if (continuation != null) {
            continuation.release();
        }
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
                giveUp(nothingCame(waitsFor));
                return;
            }
            proceed(route.room().isAheadOf(this));
        }
        if (!over && attempt != null) {
            if (attempt.isStuck(now)) {
                clientGone();
                answer.cut();
                return;
            }
            attempt.sweep(now);
        }
        if (!over && attempt != null) {
            moveIfDue(attempt, now);
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
        if (committed && !isMoving()) {
            brokenAfterBegin(true);
        } else if (waiting) {
            giveUp(nothingCame(waitsFor));
        } else {
            giveUp(OpenAiError.deadlinePassed(Duration.ofNanos(deadlineAt - arrivedAt)));
        }
    }

    private boolean isHeartbeatDue(long now) {
        return request.stream()
                && !policy.heartbeat().isZero()
                && now - answer.lastWrite() >= Math.min(policy.heartbeat().toNanos(), patience / 2)
                && answer.isWritable()
                && (attempt == null || attempt.mayTakeComment());
    }
}
