package dev.tuna.router.proxy;

import dev.tuna.router.admin.AdminAnswer;
import dev.tuna.router.admin.EventLog;
import dev.tuna.router.admin.RouterEvent;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.OptionalLong;

/**
 * One reader of {@code /router/events}: first the present state, then what a returning reader has missed, then every change.
 * Confined to the reader's event loop.
 *
 * <p>Nothing is kept for a slow reader: it is behind in the {@link EventLog} that all share, and is cut once the log has
 * forgotten what comes next.
 */
final class EventStream {

    /** As {@link dev.tuna.router.RoutePolicy#heartbeat()}: well below the 60 s after which usual load balancers cut. */
    static final Duration HEARTBEAT = Duration.ofSeconds(10);

    /** After this long without taking anything a reader is gone. */
    static final Duration STUCK = HEARTBEAT.multipliedBy(3);

    private final Loop loop;
    private final RouterEvents events;
    private final ClientAnswer answer;
    private final AdminAnswer.Events wanted;
    private long told;
    private boolean over;

    EventStream(Loop loop, RouterEvents events, ClientAnswer answer, AdminAnswer.Events wanted) {
        this.loop = loop;
        this.events = events;
        this.answer = answer;
        this.wanted = wanted;
    }

    /** Begins; to be called after it has joined, so that nothing is missed between the state and the first event. */
    void start() {
        EventLog log = events.log();
        OptionalLong seen = wanted.after().map(log::number).orElse(OptionalLong.empty()).stream()
                .filter(log::goesBackTo)
                .findFirst();
        told = seen.orElse(log.last());
        answer.beginEvents();
        // A state in front of missed events has no id, which would make the reader miss them if it had to come back
        // now.
        write((seen.isPresent() ? "" : "id: " + log.id(told) + "\n") + "event: state\ndata: "
                + wanted.state().get() + "\n\n");
        if (wanted.after().isPresent() && seen.isEmpty()) {
            write("event: gap\ndata: {}\n\n");
        }
        goOn();
    }

    /** There are further events. For any thread. */
    void call() {
        loop.executor().execute(this::goOn);
    }

    /** Writes what there is, as far as the reader takes it. */
    void goOn() {
        EventLog log = events.log();
        if (!over && !log.goesBackTo(told)) {
            cut();
        }
        while (!over && told < log.last() && answer.isWritable()) {
            told++;
            RouterEvent event = log.event(told);
            if (wanted.wants(event)) {
                write("id: " + log.id(told) + "\nevent: " + event.type().label() + "\ndata: " + event.json() + "\n\n");
            }
        }
        if (!over) {
            answer.flush();
        }
    }

    private void write(String text) {
        ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
        answer.data(bytes, loop.now());
    }

    void sweep(long now) {
        long silent = now - answer.lastWrite();
        if (!answer.isWritable()) {
            if (silent >= STUCK.toNanos()) {
                cut();
            }
        } else if (silent >= HEARTBEAT.toNanos()) {
            answer.signOfLife(now);
        }
    }

    /** Provokes a sign of whether the reader still listens. */
    void ask(long now) {
        if (answer.isWritable()) {
            answer.signOfLife(now);
        }
    }

    /** The router closes. */
    void end() {
        leave();
        answer.end();
    }

    private void cut() {
        leave();
        answer.cut();
    }

    /** The reader has left. */
    void leave() {
        over = true;
        events.leave(this);
    }
}
