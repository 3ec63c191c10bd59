package dev.tuna.testkit.vllm;

import io.netty.channel.Channel;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/** Lets a body out in small pieces with a pause between them. */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, which is noticed
final class SlowBody implements Answer.Body {

    private final Channel channel;
    private final Fault fault;
    private final Answer.Body next;
    private final ByteArrayOutputStream queue = new ByteArrayOutputStream();
    private boolean scheduled;
    private boolean ending;

    SlowBody(Channel channel, Fault fault, Answer.Body next) {
        this.channel = channel;
        this.fault = fault;
        this.next = next;
    }

    @Override
    public void write(byte[] bytes) {
        queue.writeBytes(bytes);
        schedule();
    }

    @Override
    public void end() {
        ending = true;
        schedule();
    }

    private void schedule() {
        if (!scheduled) {
            scheduled = true;
            channel.eventLoop().schedule(this::piece, fault.pause().toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    private void piece() {
        scheduled = false;
        if (!channel.isActive()) {
            return;
        }
        byte[] all = queue.toByteArray();
        int length = Math.min(fault.bytes(), all.length);
        if (length > 0) {
            next.write(Arrays.copyOf(all, length));
            channel.flush();
            queue.reset();
            queue.write(all, length, all.length - length);
        }
        if (queue.size() > 0) {
            schedule();
        } else if (ending) {
            next.end();
        }
    }

    /** The queue takes everything: it is the generation that must not wait for its own slow tail. */
    @Override
    public boolean writable() {
        return true;
    }
}
