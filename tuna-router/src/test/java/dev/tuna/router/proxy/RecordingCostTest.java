package dev.tuna.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.http.SseScanner;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What it costs to be able to continue a stream that never breaks. Prints CPU time, which other processes do not change. */
@Tag("full")
class RecordingCostTest {

    private static final int EVENTS = 100_000;
    private static final int STREAM = 100;
    private static final int ROUNDS = 15;

    private static final class Count implements Relay.Sink {
        private long bytes;

        @Override
        public void firstEvents() {}

        @Override
        public void events(ByteBuf data) {
            bytes += data.readableBytes();
            data.release();
        }

        @Override
        public void backendFailed(ByteBuf lastWords, boolean told) {
            throw new AssertionError();
        }

        @Override
        public void streamComplete() {}

        @Override
        public void didNotGoOn(String why) {
            throw new AssertionError(why);
        }
    }

    private static byte[] event(String ids) {
        String event = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                + "\"model\":\"Qwen/Qwen3-0.6B\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token17\"},"
                + "\"logprobs\":null,\"finish_reason\":null" + ids + "}]}\n\n";
        return event.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    @DisplayName("the cost of recording an event, beside relaying it")
    void cost() {
        byte[] plain = event("");
        byte[] withIds = event(",\"token_ids\":[1017]");
        double[] relayed = new double[ROUNDS];
        double[] recorded = new double[ROUNDS];
        long plainBytes = 0;
        long recordedBytes = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Count off = new Count();
            relayed[round] = nanosPerEvent(plain, off, false);
            Count on = new Count();
            recorded[round] = nanosPerEvent(withIds, on, true);
            plainBytes = off.bytes;
            recordedBytes = on.bytes;
        }
        Arrays.sort(relayed);
        Arrays.sort(recorded);
        System.out.printf(
                "scanning and relaying an event: %.0f ns CPU; with ids recorded and taken out: %.0f ns%n",
                relayed[ROUNDS / 2], recorded[ROUNDS / 2]);
        assertThat(recordedBytes).as("the client gets the same").isEqualTo(plainBytes);
    }

    private static double nanosPerEvent(byte[] event, Count sink, boolean recording) {
        var threads = ManagementFactory.getThreadMXBean();
        long begin = threads.getCurrentThreadCpuTime();
        for (int stream = 0; stream < EVENTS / STREAM; stream++) {
            @Nullable Continuation continuation = recording ? StreamRelayTest.continuation() : null;
            SseScanner scanner = continuation == null ? new SseScanner(1) : new SseScanner(1, continuation.recorder());
            StreamRelay relay = new StreamRelay(scanner, sink, ByteBufAllocator.DEFAULT, continuation, true);
            for (int i = 0; i < STREAM; i++) {
                ByteBuf read = ByteBufAllocator.DEFAULT.directBuffer(event.length);
                relay.accept(read.writeBytes(event));
            }
            relay.release();
            if (continuation != null) {
                continuation.release();
            }
        }
        return (threads.getCurrentThreadCpuTime() - begin) / (double) EVENTS;
    }
}
