package dev.tuna.router.proxy;

import dev.tuna.router.RoutePolicy;
import dev.tuna.router.http.SseScanner;
import dev.tuna.router.stream.Capabilities;
import dev.tuna.router.stream.ChunkText;
import dev.tuna.router.stream.Departure;
import dev.tuna.router.stream.Method;
import dev.tuna.router.stream.Questions;
import dev.tuna.router.stream.ResumeRequest;
import dev.tuna.router.stream.SeamFilter;
import dev.tuna.router.stream.StopSearch;
import dev.tuna.router.stream.StreamRequest;
import dev.tuna.router.stream.TokenRecorder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of one streamed answer so that another backend can go on with it, and how far going on has come. Confined to
 * the client's event loop.
 */
final class Continuation {

    /** The end mark of a stream. */
    static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);

    private static final String COMPLETIONS = "/v1/completions";
    private static final String CHAT = "/v1/chat/completions";
    private static final byte[] NOTHING = {};

    /** An id of up to seven digits, and its comma. */
    private static final long ID_TEXT_BYTES = 8;

    /** Of each character that was said: as text, and escaped in a buffer that grows by doubling. */
    private static final long PREFILL_BYTES = 6;

    /** What a request by which a backend goes on has besides. */
    private static final long REST_BYTES = 1024;

    private static final byte[] ASK_FOR_IDS = "{\"return_token_ids\":true,".getBytes(StandardCharsets.US_ASCII);

    private final ClientRequest request;
    private final StreamRequest asked;
    private final RoutePolicy.Continuation policy;
    private final MemoryBudget memory;
    /** Where what is kept comes from: not all of it, so that what has broken can be gone on with. */
    private final TokenRecorder.Room room;

    private final TokenRecorder recorder;
    private final Map<BackendRuntime, Set<Method>> refused = new HashMap<>();
    private byte[] body = NOTHING;
    private byte[] firstEvent = NOTHING;
    private Optional<String> revision = Optional.empty();
    private final StringBuilder said = new StringBuilder();
    private int saidKept;
    private int textLength;
    private boolean toolCall;
    private boolean reasoning;
    private boolean answering;
    private boolean finished;
    private boolean usageTold;
    private boolean uncounted;
    private int atSeam;
    private int moves;
    private long borrowed;
    private boolean moving;
    private Method method = Method.FINISH;
    private Optional<Capabilities> asking = Optional.empty();
    private Optional<String> beforeSeam = Optional.empty();

    private Continuation(
            ClientRequest request, StreamRequest asked, RoutePolicy.Continuation policy, MemoryBudget memory) {
        this.request = request;
        this.asked = asked;
        this.policy = policy;
        this.memory = memory;
        this.room = memory.upTo(memory.limit() / 4 * 3);
        this.recorder = new TokenRecorder(room);
    }

    /** For a request whose stream may be continued; null for any other. */
    static @Nullable Continuation of(ClientRequest request, RoutePolicy.Continuation policy, MemoryBudget memory) {
        String path = request.target().path();
        boolean chat = path.equals(CHAT);
        if (!request.stream()
                || request.choices() != 1
                || !request.wishes().continuation()
                || policy.mode() == RoutePolicy.Continuation.Mode.OFF
                || !(chat || path.equals(COMPLETIONS))) {
            return null;
        }
        StreamRequest asked = StreamRequest.read(request.body(), chat);
        boolean bestEffort = chat && policy.mode() == RoutePolicy.Continuation.Mode.BEST_EFFORT;
        return asked.ineligible()
                        .map(why -> bestEffort && why.allowsBestEffort())
                        .orElse(true)
                ? new Continuation(request, asked, policy, memory)
                : null;
    }

    // --- while nothing is broken ---

    /** Whether a backend is asked for token ids that the client has not asked for. */
    boolean addsIds(BackendRuntime backend) {
        return !moving && !asked.returnTokenIds() && !backend.capabilities().refusesIds();
    }

    /**
     * The client's body.
     *
     * @param withIds whether it also asks for token ids
     */
    ByteBuf recordedBody(boolean withIds) {
        ByteBuf all = request.body();
        if (!withIds) {
            return all.retainedDuplicate();
        }
        int behind = all.indexOf(all.readerIndex(), all.writerIndex(), (byte) '{') + 1;
        CompositeByteBuf whole = Unpooled.compositeBuffer(2);
        whole.addComponent(true, Unpooled.wrappedBuffer(ASK_FOR_IDS));
        whole.addComponent(true, all.retainedSlice(behind, all.writerIndex() - behind));
        return whole;
    }

    TokenRecorder recorder() {
        return recorder;
    }

    boolean stripsIds() {
        return !asked.returnTokenIds();
    }

    boolean wantsFirstEvent() {
        return firstEvent.length == 0;
    }

    /** The stream's first event says what all of them have in common; of a long one the beginning is enough. */
    void firstEvent(byte[] event) {
        firstEvent = SeamFilter.hasData(event) ? event : NOTHING;
    }

    /** Whether chunks that show text are read: to be kept, or because its length counts. */
    boolean readsText() {
        return keepsText() || (!asked.chat() && asked.logprobs());
    }

    /** Whether the text of the answer is kept, for methods that are not exact. */
    private boolean keepsText() {
        return asked.chat() && policy.mode() == RoutePolicy.Continuation.Mode.BEST_EFFORT && saidKept >= 0;
    }

    /** A chunk says something more. */
    void said(byte[] event) {
        try {
            if (asked.chat()) {
                keep(ChunkText.ofChat(event));
            } else {
                String more = ChunkText.ofCompletion(event);
                textLength += more.codePointCount(0, more.length());
            }
        } catch (UncheckedIOException e) {
            saidSomething(); // the client may make sense of it
        }
    }

    /** A chunk says something that the router cannot read: from here on it does not know the text. */
    void saidSomething() {
        if (asked.chat()) {
            forgetSaid();
        } else {
            recorder.missed();
        }
    }

    private void keep(String more) {
        if (room.take(2L * more.length())) {
            said.append(more);
            saidKept += 2 * more.length();
        } else {
            forgetSaid();
        }
    }

    private void forgetSaid() {
        room.giveBack(Math.max(0, saidKept));
        said.setLength(0);
        saidKept = -1;
    }

    /**
     * An event has ended.
     *
     * @param goes whether the client gets it, and what came before it, now
     */
    void passing(SseScanner scanner, boolean goes) {
        if (scanner.isShown()) {
            if (!scanner.hasTokenIds()) {
                recorder.missed();
                uncounted = true;
            }
            toolCall |= scanner.isToolCall();
            reasoning |= scanner.isReasoning();
            answering |= !scanner.isReasoning();
        }
        if (goes) {
            usageTold |= finished && !scanner.isDone() && !scanner.isComment();
            finished |= scanner.isFinish();
            recorder.settle();
        }
    }

    /** The client gets the first events of this backend's answer. */
    void beganOn(BackendRuntime backend) {
        revision = Optional.of(backend.backend().revision());
    }

    /** Whether a backend serves what the one serves that the stream began on, or it has not begun. */
    boolean isAtHomeOn(BackendRuntime backend) {
        return revision.isEmpty() || revision.get().equals(backend.backend().revision());
    }

    void settle() {
        recorder.settle();
    }

    /**
     * The answer has begun: the request is kept, if there is room, without the buffers that it came in. Ids of its prompt,
     * which can be had again, make room for it.
     */
    void keepRequest() {
        int length = request.body().readableBytes();
        boolean taken = room.take(length);
        if (!taken) {
            recorder.dropPrompt();
            taken = room.take(length);
        }
        if (taken) {
            body = new byte[length];
            request.body().getBytes(request.body().readerIndex(), body);
        }
    }

    /** Another attempt begins before anything has been shown. */
    void restart() {
        firstEvent = NOTHING;
        uncounted = false;
        textLength = 0;
        recorder.restart();
    }

    // --- once it has broken ---

    /** Whether somebody can go on; of an answer that is all there but its usage, whether the router can tell that. */
    boolean mayGoOn() {
        return isWanted() && SeamFilter.tellsHead(firstEvent);
    }

    private boolean isWanted() {
        if (finished) {
            return !owesUsage() || (!uncounted && recorder.promptTokens() > 0);
        }
        boolean requestIsKept = body.length > 0;
        return !toolCall && requestIsKept && moves < policy.maxMoves() && (mayBeExact() || mayBePrefilled());
    }

    /** Whether a stop string across the seam could not be told from what a parser makes of the text. */
    private boolean isAmbiguous() {
        return asked.heldBack() > 0 && (reasoning || asked.tools());
    }

    private boolean mayBeExact() {
        return asked.ineligible().isEmpty() && recorder.knowsAnswer() && recorder.settled() > 0 && !isAmbiguous();
    }

    private boolean mayBePrefilled() {
        return keepsText() && !said.isEmpty();
    }

    /** Whether all that matters has come, so that nobody need go on. */
    boolean needsNobody() {
        return finished || isFull();
    }

    private boolean isFull() {
        OptionalInt left = asked.tokensLeft(recorder.settled());
        return left.isPresent() && left.getAsInt() == 0;
    }

    /** What is missing of a stream that needs nobody. */
    byte[] ending() {
        SeamFilter filter = filter(Optional.empty());
        recorder.rollBack();
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        if (!finished) {
            events.writeBytes(filter.lengthReached());
        }
        events.writeBytes(ending(filter));
        return events.toByteArray();
    }

    private boolean owesUsage() {
        return asked.includeUsage() && !usageTold;
    }

    /** Usage, if it was asked for, and the end mark. */
    byte[] ending(SeamFilter filter) {
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        if (owesUsage()) {
            events.writeBytes(filter.usage(recorder.generated()));
        }
        events.writeBytes(DONE);
        return events.toByteArray();
    }

    /**
     * Begins to look for somebody who goes on.
     *
     * @param planned whether the stream leaves before it breaks, which may happen as often as need be
     */
    void beginMove(boolean planned) {
        moves += planned ? 0 : 1;
        moving = true;
        refused.clear();
        beforeSeam = Optional.empty();
        recorder.rollBack();
    }

    /**
     * Asks for the memory that it takes to ask a backend to go on, which is given back once one does or has failed; false if
     * there is not so much. What has been borrowed already counts.
     */
    boolean borrow() {
        long needed = body.length + ID_TEXT_BYTES * recorder.soFar() + PREFILL_BYTES * said.length() + REST_BYTES;
        return needed <= borrowed || borrow(needed - borrowed);
    }

    private boolean borrow(long bytes) {
        boolean lent = memory.take(bytes);
        borrowed += lent ? bytes : 0;
        return lent;
    }

    void giveBackBorrowed() {
        memory.giveBack(borrowed);
        borrowed = 0;
    }

    /** Ids for which there was no room, or that nobody has told. */
    private boolean relearn(int[] ids) {
        long uncounted = ID_TEXT_BYTES * (ids.length - recorder.promptTokens());
        return recorder.relearnPrompt(ids, memory) && borrow(uncounted);
    }

    /** Whether somebody is being looked for, or has not shown yet that he goes on. */
    boolean isMoving() {
        return moving;
    }

    /** Whether the stream should leave a backend now. */
    boolean isDue(Departure departure, long now, long begun) {
        double turn = (System.identityHashCode(this) & 0xFF) / 256.0;
        return !finished
                && departure.isDue(
                        now,
                        policy.moveBefore(),
                        turn,
                        begun,
                        recorder.settled() - atSeam,
                        asked.tokensLeft(recorder.settled()));
    }

    /** Somebody goes on. */
    Method arrived() {
        moving = false;
        giveBackBorrowed();
        recorder.forgetBorrowed();
        atSeam = recorder.settled();
        return method;
    }

    Method method() {
        return method;
    }

    /** Chooses how to ask a backend to go on; false if there is no way. */
    boolean choose(BackendRuntime backend) {
        recorder.rollBack();
        asking = Optional.of(backend.capabilities());
        Set<Method> no = refused.getOrDefault(backend, Set.of());
        for (Method next : Method.values()) {
            if (!no.contains(next) && fits(next) && backend.capabilities().mayUse(next)) {
                method = next;
                return true;
            }
        }
        return false;
    }

    private boolean fits(Method next) {
        return switch (next) {
            case CHAT_TOKENS -> asked.chat() && mayBeExact();
            // Plain text only: nobody there would tell reasoning and tool calls from it.
            case COMPLETION_TOKENS ->
                mayBeExact() && (!asked.chat() || (!asked.tools() && !asked.logprobs() && (!reasoning || answering)));
            case TEXT_PREFILL -> mayBePrefilled();
            case FINISH -> false;
        };
    }

    /** The backend did not go on when it was asked this way. */
    void refused(BackendRuntime backend) {
        refused.computeIfAbsent(backend, any -> EnumSet.noneOf(Method.class)).add(method);
    }

    /** What a backend must be asked before it can be told to go on. */
    @Nullable
    Question question(BackendRuntime backend) {
        if (method == Method.CHAT_TOKENS && backend.capabilities().askVersion()) {
            return Question.optional("/version", answer -> {
                backend.capabilities().sawVersion(Questions.version(answer));
                choose(backend);
            });
        }
        if (!method.isExact()) {
            return null;
        }
        if (!recorder.knowsPrompt()) {
            return new Question(
                    "/tokenize", Questions.tokenize(body), true, answer -> relearn(Questions.tokens(answer)));
        }
        if (asked.heldBack() > 0 && beforeSeam.isEmpty()) {
            int[] tail = recorder.tail(4 * asked.heldBack() + 16);
            return new Question("/detokenize", Questions.detokenize(body, tail), true, answer -> {
                beforeSeam = Optional.of(Questions.end(answer, asked.heldBack()));
                return true;
            });
        }
        if (method == Method.COMPLETION_TOKENS
                && asked.chat()
                && asked.maxTokens().isEmpty()
                && backend.capabilities().window().isEmpty()) {
            return new Question(
                    "/v1/models",
                    Unpooled.EMPTY_BUFFER,
                    true,
                    answer -> backend.capabilities().sawWindow(Questions.window(answer)));
        }
        return null;
    }

    String target() {
        return method == Method.COMPLETION_TOKENS && asked.chat()
                ? COMPLETIONS
                : request.target().target();
    }

    ByteBuf resumeBody(BackendRuntime backend) {
        if (!method.isExact()) {
            return new ResumeRequest(body, asked, recorder, true).prefill(said.toString());
        }
        ResumeRequest resume = new ResumeRequest(body, asked, recorder, asked.heldBack() == 0);
        return method == Method.CHAT_TOKENS
                ? resume.chat()
                : resume.completion(backend.capabilities().window());
    }

    Relay relay(Relay.Sink sink) {
        if (!method.isExact()) {
            recorder.missed(); // from here on the tokens are not those of one prompt any more
            return new SeamRelay(this, new Echo(recorder, false, false), filter(Optional.empty()), sink);
        }
        Echo echo = new Echo(recorder, true, method == Method.CHAT_TOKENS);
        return new SeamRelay(this, echo, filter(beforeSeam.map(text -> new StopSearch(asked, text))), sink);
    }

    /** The server has told which ids it read, or shown that it does not tell. */
    void echoed(boolean right) {
        if (method == Method.CHAT_TOKENS) {
            asking.ifPresent(capabilities -> capabilities.sawChatTokens(right));
        }
    }

    private SeamFilter filter(Optional<StopSearch> stops) {
        return new SeamFilter(asked, firstEvent, recorder.promptTokens(), recorder.settled(), textLength, stops);
    }

    int generated() {
        return recorder.generated();
    }

    /** Tells the client how its stream goes on, if it cares to look. */
    byte[] comment() {
        String how = method.label() + (method.isExact() ? "" : ", best effort");
        return (": continued by " + how + "\n\n").getBytes(StandardCharsets.US_ASCII);
    }

    MemoryBudget memory() {
        return memory;
    }

    void release() {
        giveBackBorrowed();
        recorder.release();
        forgetSaid();
        room.giveBack(body.length);
        body = NOTHING;
    }
}
