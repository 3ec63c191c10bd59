package dev.tuna.provider.support.tls;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Writes ASN.1 in DER (X.690): the few types that a certificate is made of. Pure functions; nothing here reads. */
final class Der {

    private static final DateTimeFormatter TWO_DIGIT_YEAR =
            DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter FOUR_DIGIT_YEAR =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    /** From here on years have four digits (RFC 5280, 4.1.2.5). */
    private static final Instant YEAR_2050 = Instant.parse("2050-01-01T00:00:00Z");

    private Der() {}

    static byte[] sequence(byte[]... parts) {
        return element(0x30, parts);
    }

    static byte[] set(byte[]... parts) {
        return element(0x31, parts);
    }

    static byte[] integer(BigInteger value) {
        return element(0x02, value.toByteArray());
    }

    static byte[] yes() {
        return element(0x01, new byte[] {(byte) 0xff});
    }

    static byte[] octets(byte[] content) {
        return element(0x04, content);
    }

    /**
     * A bit string.
     *
     * @param unused how many of the last bits do not count
     */
    static byte[] bits(int unused, byte[] content) {
        return element(0x03, new byte[] {(byte) unused}, content);
    }

    static byte[] utf8(String text) {
        return element(0x0c, text.getBytes(StandardCharsets.UTF_8));
    }

    /** An object identifier such as {@code 2.5.4.3}. */
    static byte[] oid(String dotted) {
        String[] arcs = dotted.split("\\.", -1);
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        base128(content, Long.parseLong(arcs[0]) * 40 + Long.parseLong(arcs[1]));
        for (int i = 2; i < arcs.length; i++) {
            base128(content, Long.parseLong(arcs[i]));
        }
        return element(0x06, content.toByteArray());
    }

    private static void base128(ByteArrayOutputStream out, long value) {
        for (int shift = 63 / 7 * 7; shift > 0; shift -= 7) {
            if (value >>> shift != 0) {
                out.write((int) (((value >>> shift) & 0x7f) | 0x80));
            }
        }
        out.write((int) (value & 0x7f));
    }

    static byte[] time(Instant at) {
        return at.isBefore(YEAR_2050)
                ? element(0x17, TWO_DIGIT_YEAR.format(at).getBytes(StandardCharsets.US_ASCII))
                : element(0x18, FOUR_DIGIT_YEAR.format(at).getBytes(StandardCharsets.US_ASCII));
    }

    /** {@code [tag] EXPLICIT}: wraps whole elements. */
    static byte[] explicit(int tag, byte[]... elements) {
        return element(0xa0 | tag, elements);
    }

    /** {@code [tag] IMPLICIT} of a type without parts: takes the place of its tag. */
    static byte[] implicit(int tag, byte[] content) {
        return element(0x80 | tag, content);
    }

    private static byte[] element(int tag, byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(length + 6);
        out.write(tag);
        length(out, length);
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private static void length(ByteArrayOutputStream out, int length) {
        if (length < 0x80) {
            out.write(length);
            return;
        }
        byte[] bytes = BigInteger.valueOf(length).toByteArray();
        int from = bytes[0] == 0 ? 1 : 0;
        out.write(0x80 | (bytes.length - from));
        out.write(bytes, from, bytes.length - from);
    }
}
