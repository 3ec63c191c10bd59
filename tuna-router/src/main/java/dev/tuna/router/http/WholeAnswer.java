package dev.tuna.router.http;

import io.netty.buffer.ByteBuf;

/**
 * Reads along an answer that is not streamed: a server that is told to stop ends it early, with status 200, and says so only
 * in a choice's finish reason. Allocates nothing per piece; to be used by one thread.
 */
public final class WholeAnswer {

    private static final int BLOCK = 512;

    private final byte[] block = new byte[BLOCK];
    private final Cuts cuts = new Cuts();
    private final ChunkReader json = new ChunkReader((index, well) -> {}, index -> {}, TokenListener.NONE, cuts);
    private long position;

    /**
     * Reads on.
     *
     * @param piece of the body; its indices are not moved
     */
    public void read(ByteBuf piece) {
        int to = piece.writerIndex();
        for (int at = piece.readerIndex(); at < to; at += BLOCK) {
            int length = Math.min(BLOCK, to - at);
            piece.getBytes(at, block, 0, length);
            int read = json.read(block, 0, length, position);
            while (read < length) { // to the end of a line, which means nothing here
                read = json.read(block, read + 1, length, position);
            }
            position += length;
        }
        cuts.clear();
    }

    /**
     * Whether the server gave a choice up: what it says is not all that was to be said.
     *
     * @return true for the finish reasons {@code abort} and {@code error}
     */
    public boolean isGivenUp() {
        return json.gaveUp();
    }
}
