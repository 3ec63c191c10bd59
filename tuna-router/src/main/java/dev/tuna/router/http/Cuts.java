package dev.tuna.router.http;

import java.util.Arrays;

/**
 * Stretches of a stream that are to be taken out, in order: positions counted from the stream's first byte. The last one
 * may be open: its end has not come yet. Confined to the stream's thread.
 */
public final class Cuts {

    private static final long OPEN = Long.MAX_VALUE;

    private long[] ends = new long[8];
    private int count;

    /** None yet. */
    Cuts() {}

    /**
     * How many there are.
     *
     * @return zero or more, an open one included
     */
    public int count() {
        return count;
    }

    /**
     * Where one begins.
     *
     * @param index from 0
     * @return the position of its first byte
     */
    public long from(int index) {
        return ends[2 * index];
    }

    /**
     * Where one ends.
     *
     * @param index from 0
     * @return the position behind its last byte; {@link Long#MAX_VALUE} if its end has not come yet
     */
    public long to(int index) {
        return ends[2 * index + 1];
    }

    /** Forgets those that have ended. */
    public void clear() {
        boolean open = count > 0 && to(count - 1) == OPEN;
        if (open) {
            ends[0] = from(count - 1);
            ends[1] = OPEN;
        }
        count = open ? 1 : 0;
    }

    void begin(long position) {
        if (2 * count == ends.length) {
            ends = Arrays.copyOf(ends, 2 * ends.length);
        }
        ends[2 * count] = position;
        ends[2 * count + 1] = OPEN;
        count++;
    }

    /** Ends the last one. */
    void end(long position) {
        ends[2 * count - 1] = position;
    }
}
