package dev.tuna.testkit.vllm;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.util.concurrent.Future;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One request and its answer, from the last byte of the request to the settled outcome. Confined to the event loop. */
final class Exchange implements Answer.Ending {

    private final StandInServer server;
    private final Recording recording;
    private final Optional<Fault> fault;
    private final Answer answer;
    private final Runnable over;
    private @Nullable Generation generation;
    private @Nullable StreamSink stream;
    private @Nullable Future<?> comments;
    private boolean errorStatus;
    private boolean settled;

    Exchange(StandInServer server, Recording recording, Optional<Fault> fault, AnswerFactory answers, Runnable over) {
        this.server = server;
        this.recording = recording;
        this.fault = fault;
        this.over = over;
        answer = answers.create(fault, this);
    }

    /** Makes the answer of an exchange, given its fault and whom to tell of its end. */
    interface AnswerFactory {
        Answer create(Optional<Fault> fault, Answer.Ending ending);
    }

    RecordedRequest request() {
        return recording.received();
    }

    void handle() {
        try {
            if (server.draining()) {
                answer.closeAfterwards();
                throw ApiError.ofStatus(503, "The server is shutting down.");
            } else if (suffers(Fault.Kind.STATUS)) {
                throw ApiError.ofStatus(fault.orElseThrow().status(), "Injected fault.");
            } else if (cutsAt(Fault.Moment.BEFORE_HEADERS)) {
                interrupted();
            } else {
                server.routes().handle(this);
            }
        } catch (ApiError e) {
            refuse(e);
        }
    }

    JsonNode body() throws ApiError {
        return Json.parse(request().body());
    }

    boolean suffers(Fault.Kind kind) {
        return fault.isPresent() && fault.get().is(kind);
    }

    private boolean cutsAt(Fault.Moment moment) {
        return fault.isPresent() && fault.get().moment().equals(moment) && cuts();
    }

    private boolean cuts() {
        return suffers(Fault.Kind.RESET) || suffers(Fault.Kind.EOF) || suffers(Fault.Kind.STALL);
    }

    void refuse(ApiError error) {
        json(error.status(), Json.bytes(error.body()));
    }

    void json(int status, byte[] body) {
        whole(status, "application/json", body);
    }

    void whole(int status, String type, byte[] body) {
        errorStatus = status >= 400;
        answer.whole(status, type, body);
    }

    /** Sends the request through the engine; the head of a stream goes out at once, as uvicorn does it. */
    void generate(GenerationRequest request, String requestId) {
        if (cutsAt(Fault.Moment.AFTER_HEADERS)) {
            answer.headOnly(request.stream());
            interrupted();
            return;
        }
        AnswerFormat format = AnswerFormat.of(request, requestId, System.currentTimeMillis() / 1000);
        Generation.Sink sink;
        if (request.stream()) {
            answer.begin("text/event-stream; charset=utf-8");
            StreamSink events = new StreamSink(this, answer, format);
            stream = events;
            sink = events;
            keepAlive(events);
        } else {
            sink = new WholeSink(this, format);
        }
        boolean textLags = suffers(Fault.Kind.IDS_WITHOUT_TEXT);
        generation = new Generation(server.engine(), request, textLags, interruptAt(request), sink);
        server.engine().submit(generation);
    }

    private void keepAlive(StreamSink events) {
        long interval = server.config().keepAliveInterval().toNanos();
        if (interval > 0) {
            comments = server.engine().loop().scheduleAtFixedRate(events::keepAlive, interval, interval, NANOSECONDS);
        }
    }

    private void stopComments() {
        if (comments != null) {
            comments.cancel(false);
        }
    }

    private int interruptAt(GenerationRequest request) {
        if (suffers(Fault.Kind.RESET_WITHIN_STOP)) {
            return StopSeam.within(request);
        }
        boolean planned = cuts() || suffers(Fault.Kind.ABORT) || suffers(Fault.Kind.ERROR_EVENT);
        return planned ? Math.max(0, fault.orElseThrow().moment().token()) : -1;
    }

    /** The fault strikes; only a stall leaves the request where it is. */
    void interrupted() {
        stopComments();
        if (suffers(Fault.Kind.STALL)) {
            answer.flush();
            return;
        }
        settle(Outcome.FAULTED);
        if (generation != null && suffers(Fault.Kind.ABORT)) {
            generation.abort();
            return;
        }
        endGeneration();
        switch (fault.orElseThrow().kind()) {
            case RESET, RESET_WITHIN_STOP -> answer.reset();
            case ERROR_EVENT -> fail(ApiError.ofStatus(500, "Internal server error"));
            default -> answer.eof();
        }
    }

    private void fail(ApiError error) {
        if (stream != null) {
            stream.failed(error);
        } else {
            refuse(error);
        }
    }

    void tokens(int generated) {
        recording.tokens(generated);
    }

    /** The server goes away in the SIGTERM manner: what runs ends with the finish reason {@code abort}. */
    void abort() {
        settle(Outcome.KILLED);
        answer.closeAfterwards();
        if (generation != null) {
            generation.abort();
        }
    }

    void closeAfterwards() {
        answer.closeAfterwards();
    }

    /** The connection is gone before the answer was complete. */
    void disconnected(Outcome outcome) {
        endGeneration();
        settle(outcome);
    }

    void writabilityChanged() {
        if (generation != null) {
            generation.resume();
        }
    }

    private void endGeneration() {
        if (generation != null) {
            recording.tokens(generation.tokens());
            generation.end();
        }
    }

    @Override
    public void beforeLastByte() {
        if (generation != null) {
            recording.tokens(generation.tokens());
        }
        boolean spoiled = suffers(Fault.Kind.STATUS) && errorStatus;
        settle(spoiled ? Outcome.FAULTED : errorStatus ? Outcome.REJECTED : Outcome.COMPLETED);
    }

    @Override
    public void afterLastByte() {
        over.run();
    }

    private void settle(Outcome outcome) {
        stopComments();
        if (!settled) {
            settled = true;
            server.journal().ended(recording, outcome);
        }
    }
}
