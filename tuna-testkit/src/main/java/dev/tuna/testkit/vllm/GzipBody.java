package dev.tuna.testkit.vllm;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.zip.GZIPOutputStream;

/** Compresses what passes, flushed at every write so that a stream stays a stream. */
final class GzipBody implements Answer.Body {

    private final Answer.Body next;
    private final ByteArrayOutputStream buffer = new ByteArrayOutputStream();
    private final GZIPOutputStream gzip;

    GzipBody(Answer.Body next) {
        this.next = next;
        try {
            gzip = new GZIPOutputStream(buffer, 512, true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] whole(byte[] bytes) {
        ByteArrayOutputStream buffer = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(buffer)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return buffer.toByteArray();
    }

    @Override
    public void write(byte[] bytes) {
        try {
            gzip.write(bytes);
            gzip.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        passOn();
    }

    @Override
    public void end() {
        try {
            gzip.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        passOn();
        next.end();
    }

    private void passOn() {
        next.write(buffer.toByteArray());
        buffer.reset();
    }

    @Override
    public boolean writable() {
        return next.writable();
    }
}
