package dev.tuna.router.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the fields {@code model} and {@code stream} of a form with files (RFC 7578), reading over the files. */
final class MultipartForm {

    private static final Pattern BOUNDARY =
            Pattern.compile("(?i);\\s*boundary=(?:\"([^\"]{1,70})\"|([^\\s;\"]{1,70}))");
    private static final Pattern NAME = Pattern.compile(
            "(?im)^content-disposition:[ \\t]*form-data\\b(?:[^\\r\\n]*?;)?[ \\t]*name=(?:\"([^\"\\r\\n]*)\"|([^\\s;\"]+))");
    private static final Set<String> TRUE = Set.of("true", "t", "yes", "y", "on", "1");
    private static final int LONGEST_PART_HEADER = 8192;
    private static final int LONGEST_FIELD = 1024;
    private static final ByteBuf HEADER_END = Unpooled.unreleasableBuffer(
                    Unpooled.copiedBuffer("\r\n\r\n", StandardCharsets.US_ASCII))
            .asReadOnly();

    private final ByteBuf body;
    private final ByteBuf delimiter;
    private String model = "";
    private boolean modelSeen;
    private boolean stream;
    private boolean streamSeen;

    private MultipartForm(ByteBuf body, String boundary) {
        this.body = body;
        this.delimiter = Unpooled.copiedBuffer("\r\n--" + boundary, StandardCharsets.US_ASCII);
    }

    static RequestBody scan(ByteBuf body, String contentType) throws RefusedException {
        Matcher boundary = BOUNDARY.matcher(contentType);
        if (!boundary.find()) {
            throw malformed("Content-Type names no boundary");
        }
        return new MultipartForm(body, boundary.group(1) == null ? boundary.group(2) : boundary.group(1)).scan();
    }

    private RequestBody scan() throws RefusedException {
        int from = firstPart();
        while (!isLast(from)) {
            int header = afterLine(from) - 2; // the line's end may be the empty header's first half
            int headerEnd = indexOf(HEADER_END, header);
            if (headerEnd < 0 || headerEnd - header > LONGEST_PART_HEADER) {
                throw malformed("a part has no end of its header");
            }
            int content = headerEnd + HEADER_END.readableBytes();
            int end = indexOf(delimiter, content - 2);
            if (end < 0) {
                throw malformed("the last boundary is missing");
            }
            part(text(header, headerEnd), content, end);
            from = end + delimiter.readableBytes();
        }
        if (!modelSeen) {
            throw RequestBody.noModel();
        }
        return new RequestBody(model, stream, 1, false, OptionalLong.empty());
    }

    private int firstPart() throws RefusedException {
        ByteBuf opening = delimiter.slice(2, delimiter.readableBytes() - 2);
        int start = body.readerIndex();
        boolean atStart = body.readableBytes() >= opening.readableBytes()
                && ByteBufUtil.equals(body, start, opening, opening.readerIndex(), opening.readableBytes());
        if (atStart) {
            return start + opening.readableBytes();
        }
        int found = indexOf(delimiter, start);
        if (found < 0) {
            throw malformed("the boundary named in Content-Type is not in it");
        }
        return found + delimiter.readableBytes();
    }

    private boolean isLast(int from) {
        return from + 2 <= body.writerIndex() && body.getByte(from) == '-' && body.getByte(from + 1) == '-';
    }

    private int afterLine(int from) throws RefusedException {
        int end = body.indexOf(from, body.writerIndex(), (byte) '\n');
        if (end < from + 1 || body.getByte(end - 1) != '\r') {
            throw malformed("a boundary line has no end");
        }
        return end + 1;
    }

    private void part(String header, int content, int end) throws RefusedException {
        Matcher name = NAME.matcher(header);
        if (!name.find()) {
            return;
        }
        switch (name.group(1) == null ? name.group(2) : name.group(1)) {
            case "model" -> {
                if (modelSeen) {
                    throw RequestBody.repeated("model");
                }
                modelSeen = true;
                model = field("model", content, end);
            }
            case "stream" -> {
                if (streamSeen) {
                    throw RequestBody.repeated("stream");
                }
                streamSeen = true;
                stream = TRUE.contains(field("stream", content, end).toLowerCase(Locale.ROOT));
            }
            default -> {}
        }
    }

    private String field(String name, int content, int end) throws RefusedException {
        if (end < content || end - content > LONGEST_FIELD) {
            throw RequestBody.refused(OpenAiError.badField(
                    name, "invalid_" + name, "'" + name + "' is longer than " + LONGEST_FIELD + " bytes."));
        }
        return text(content, end);
    }

    private String text(int from, int to) {
        return body.toString(from, to - from, StandardCharsets.UTF_8);
    }

    private int indexOf(ByteBuf needle, int from) {
        return from >= body.writerIndex()
                ? -1
                : absolute(from, ByteBufUtil.indexOf(needle, body.slice(from, body.writerIndex() - from)));
    }

    private static int absolute(int from, int found) {
        return found < 0 ? -1 : from + found;
    }

    private static RefusedException malformed(String what) {
        return RequestBody.refused(OpenAiError.badRequest(
                "invalid_form", "The body is not a well-formed multipart/form-data form: " + what + "."));
    }
}
