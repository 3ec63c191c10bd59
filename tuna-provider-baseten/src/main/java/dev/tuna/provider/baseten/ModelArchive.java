package dev.tuna.provider.baseten;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/** A tar of one file, {@code config.yaml}; a model that is nothing but an image and weights has no other. Pure. */
final class ModelArchive {

    private static final int BLOCK = 512;
    private static final int CHECKSUM_AT = 148;
    private static final int CHECKSUM_LENGTH = 8;

    private ModelArchive() {}

    /**
     * The archive: uncompressed, as Baseten's own clients for Go and Python write it, and the same for the same content.
     *
     * @param config content of {@code config.yaml}
     */
    static byte[] of(String config) {
        byte[] content = config.getBytes(StandardCharsets.UTF_8);
        int blocks = (content.length + BLOCK - 1) / BLOCK;
        byte[] archive = new byte[BLOCK * (1 + blocks + 2)]; // header, content, and an end of two empty blocks
        put(archive, 0, "config.yaml");
        put(archive, 100, "0000644");
        put(archive, 108, "0000000"); // owner
        put(archive, 116, "0000000"); // group
        put(archive, 124, String.format(Locale.ROOT, "%011o", content.length));
        put(archive, 136, "00000000000"); // time
        put(archive, 156, "0"); // a regular file
        put(archive, 257, "ustar");
        put(archive, 263, "00");
        put(archive, CHECKSUM_AT, String.format(Locale.ROOT, "%06o\0 ", checksum(archive)));
        System.arraycopy(content, 0, archive, BLOCK, content.length);
        return archive;
    }

    private static void put(byte[] archive, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, archive, at, bytes.length);
    }

    /** The sum of the header's bytes, with blanks in place of the sum. */
    private static int checksum(byte[] archive) {
        byte[] header = Arrays.copyOf(archive, BLOCK);
        Arrays.fill(header, CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_LENGTH, (byte) ' ');
        int sum = 0;
        for (byte each : header) {
            sum += each & 0xff;
        }
        return sum;
    }
}
