package dev.tuna.router.http;

import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * Follows the JSON of one event byte by byte: strings, escapes and nesting, and the few fields that tell how a stream
 * goes. Everything else is passed over. Token ids are told as they come, and where their fields lie is noted, so that they
 * can be taken out.
 */
final class ChunkReader {

    /** Told when a choice of the chunk ends. */
    @FunctionalInterface
    interface FinishListener {
        void onFinish(int index, boolean well);
    }

    /** Finish reasons that are the model's, not a failure's: those of completions and those of messages. */
    private static final Set<String> FINISHED_WELL = Set.of(
            "stop",
            "length",
            "tool_calls",
            "function_call",
            "content_filter",
            "repetition",
            "end_turn",
            "max_tokens",
            "stop_sequence",
            "tool_use",
            "pause_turn",
            "refusal");

    /** Those by which a server says that it did not finish. */
    private static final Set<String> GIVEN_UP = Set.of("abort", "error");

    private static final Set<String> ENDS =
            Set.of("response.completed", "response.incomplete", "speech.audio.done", "transcript.text.done");
    private static final Set<String> FAILURES = Set.of("response.failed", "response.cancelled");
    private static final int LONGEST_WORD = 48;
    private static final int TRACKED_DEPTH = 6;

    /** A container whose fields matter. */
    private enum Place {
        OUTSIDE,
        ROOT,
        CHOICES,
        CHOICE,
        /** What a choice adds. */
        CHOICE_DELTA,
        /** What a message adds, in the Messages API. */
        MESSAGE_DELTA,
        /** A list that counts as content if anything is in it. */
        CONTENT_LIST,
        /** Tool calls. */
        TOOL_LIST,
        /** Ids of generated tokens. */
        TOKEN_IDS,
        /** Ids of the prompt's tokens. */
        PROMPT_IDS,
        OTHER
    }

    /** A field that matters in one place. */
    private enum Field {
        CHOICES(Place.ROOT, "choices"),
        ERROR(Place.ROOT, "error"),
        TYPE(Place.ROOT, "type"),
        USAGE(Place.ROOT, "usage"),
        DELTA(Place.ROOT, "delta"),
        PROMPT_IDS(Place.ROOT, "prompt_token_ids"),
        INDEX(Place.CHOICE, "index"),
        FINISH_REASON(Place.CHOICE, "finish_reason"),
        CHOICE_DELTA(Place.CHOICE, "delta"),
        TEXT(Place.CHOICE, "text"),
        TOKEN_IDS(Place.CHOICE, "token_ids"),
        CHOICE_PROMPT_IDS(Place.CHOICE, "prompt_token_ids"),
        ROLE(Place.CHOICE_DELTA, "role"),
        REASONING(Place.CHOICE_DELTA, "reasoning"),
        REASONING_CONTENT(Place.CHOICE_DELTA, "reasoning_content"),
        TOOL_CALLS(Place.CHOICE_DELTA, "tool_calls"),
        FUNCTION_CALL(Place.CHOICE_DELTA, "function_call"),
        STOP_REASON(Place.MESSAGE_DELTA, "stop_reason"),
        NONE(Place.OTHER, "");

        private static final List<Field> IN_ROOT = in(Place.ROOT);
        private static final List<Field> IN_CHOICE = in(Place.CHOICE);
        private static final List<Field> IN_CHOICE_DELTA = in(Place.CHOICE_DELTA);
        private static final List<Field> IN_MESSAGE_DELTA = in(Place.MESSAGE_DELTA);

        private final Place place;
        private final String name;

        Field(Place place, String name) {
            this.place = place;
            this.name = name;
        }

        private static List<Field> in(Place place) {
            return Stream.of(values()).filter(field -> field.place == place).toList();
        }

        static Field of(Place place, Word name) {
            List<Field> fields = switch (place) {
                case ROOT -> IN_ROOT;
                case CHOICE -> IN_CHOICE;
                case CHOICE_DELTA -> IN_CHOICE_DELTA;
                case MESSAGE_DELTA -> IN_MESSAGE_DELTA;
                default -> List.of();
            };
            for (int i = 0; i < fields.size(); i++) {
                if (name.is(fields.get(i).name)) {
                    return fields.get(i);
                }
            }
            return NONE;
        }

        boolean isIds() {
            return this == TOKEN_IDS || this == PROMPT_IDS || this == CHOICE_PROMPT_IDS;
        }
    }

    private enum Kind {
        STRING,
        NULL,
        SCALAR,
        OBJECT,
        ARRAY
    }

    private static final long NOWHERE = -1;

    private final FinishListener onFinish;
    private final IntConsumer onChoice;
    private final TokenListener onToken;
    private final Cuts cuts;
    private final Word word = new Word(LONGEST_WORD);
    private final Place[] places = new Place[TRACKED_DEPTH];
    private final boolean[] objects = new boolean[TRACKED_DEPTH];

    private int depth;
    private boolean inString;
    private boolean escaped;
    private boolean inScalar;
    private boolean nameExpected;
    private Field field = Field.NONE;

    private long index;
    private String finishReason = "";
    private boolean choice;
    private boolean role;
    private boolean shown;
    private boolean ids;
    private boolean reasoning;
    private boolean toolCall;
    private boolean error;
    private boolean usage;
    private boolean typed;
    private boolean end;
    private boolean failure;
    private boolean messageStop;
    private boolean gaveUp;

    private boolean inIds;
    private boolean inNumber;
    private int number;
    private long base;
    private long lastComma = NOWHERE;
    private long nameStart;
    private int cutDepth = -1;
    private boolean cutIsFirst;
    private boolean cutTakesComma;
    private boolean cutAtLineEnd;

    ChunkReader(FinishListener onFinish, IntConsumer onChoice, TokenListener onToken, Cuts cuts) {
        this.onFinish = onFinish;
        this.onChoice = onChoice;
        this.onToken = onToken;
        this.cuts = cuts;
        reset();
    }

    void reset() {
        depth = 0;
        places[0] = Place.OUTSIDE;
        inString = false;
        escaped = false;
        inScalar = false;
        nameExpected = false;
        field = Field.NONE;
        choice = false;
        role = false;
        shown = false;
        ids = false;
        reasoning = false;
        toolCall = false;
        inIds = false;
        inNumber = false;
        lastComma = NOWHERE;
        cutDepth = -1;
        cutTakesComma = false;
        cutAtLineEnd = false;
        error = false;
        usage = false;
        typed = false;
        end = false;
        failure = false;
        messageStop = false;
        gaveUp = false;
    }

    /** Whether it has a choice. */
    boolean choice() {
        return choice;
    }

    boolean role() {
        return role;
    }

    /** Whether it carries something generated, be it ids only. */
    boolean content() {
        return shown || ids;
    }

    /** Whether it carries something that a person would see: text, reasoning, a tool call. */
    boolean shown() {
        return shown;
    }

    /** Whether it carries ids of generated tokens. */
    boolean ids() {
        return ids;
    }

    boolean reasoning() {
        return reasoning;
    }

    boolean toolCall() {
        return toolCall;
    }

    boolean error() {
        return error;
    }

    boolean usage() {
        return usage;
    }

    /** Whether it is an event of an API whose events have types. */
    boolean typed() {
        return typed;
    }

    /** Whether its type says that the stream ended well. */
    boolean end() {
        return end;
    }

    /** Whether its type says that the request failed. */
    boolean failure() {
        return failure;
    }

    /** Whether it ends a message, whose stop reason came before. */
    boolean messageStop() {
        return messageStop;
    }

    /** Whether a choice was given up by the server. */
    boolean gaveUp() {
        return gaveUp;
    }

    /**
     * From where on bytes may yet have to be taken out: the beginning of a field of ids, or of what may become one.
     *
     * @param end where reading has come to
     */
    long safeUntil(long end) {
        if (cutDepth >= 0) {
            return cutAtLineEnd ? end : cuts.from(cuts.count() - 1);
        }
        boolean maybe = cutTakesComma || (nameExpected && mayBeIds(place()));
        return maybe ? Math.min(end, cutTakesComma || lastComma == NOWHERE ? nameStart : lastComma) : end;
    }

    private static boolean mayBeIds(Place place) {
        return place == Place.ROOT || place == Place.CHOICE;
    }

    /**
     * Reads on to the end of a line or of the bytes; returns the index of the first byte that was not read.
     *
     * @param position where in the stream the array's first byte lies
     */
    int read(byte[] bytes, int from, int to, long position) {
        base = position;
        if (cutAtLineEnd) {
            cutAtLineEnd = false;
            cuts.begin(base + from);
        }
        int at = from;
        while (at < to && !isLineEnd(bytes[at])) {
            if (!inString) {
                at = inIds ? overIds(bytes, at, to) : at;
                if (at < to && !isLineEnd(bytes[at])) {
                    outsideStrings(bytes[at], at);
                    at++;
                }
            } else if (escaped) {
                escaped = false;
                word.add(bytes[at++]);
            } else {
                at = inString(bytes, at, to);
            }
        }
        return at;
    }

    /**
     * A line of the event has ended, which may have been known only when more bytes came.
     *
     * @param position of the byte that ends it
     */
    void endLine(long position) {
        endNumber();
        if (cutDepth >= 0 && !cutAtLineEnd) { // lines stay lines; if the field goes on in the next one, so does the cut
            cuts.end(position);
            cutAtLineEnd = true;
        }
    }

    /** The digits of ids, of which a prompt can have many thousands. */
    private int overIds(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to) {
            int digit = bytes[at] - '0';
            if (digit >= 0 && digit <= 9) {
                number = inNumber ? number * 10 + digit : digit;
                inNumber = true;
            } else {
                endNumber();
                if (bytes[at] != ',') {
                    return at;
                }
            }
            at++;
        }
        return at;
    }

    private void endNumber() {
        if (inNumber) {
            inNumber = false;
            if (place() == Place.TOKEN_IDS) {
                ids = true;
                onToken.generated(number);
            } else {
                onToken.prompt(number);
            }
        }
    }

    private static boolean isLineEnd(byte b) {
        return b == '\n' || b == '\r';
    }

    private int inString(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && bytes[at] != '"' && bytes[at] != '\\' && !isLineEnd(bytes[at])) {
            at++;
        }
        word.add(bytes, from, at);
        if (at == to || isLineEnd(bytes[at])) {
            return at;
        }
        if (bytes[at] == '"') {
            endString();
        } else {
            escaped = true;
            word.add(bytes[at]);
        }
        return at + 1;
    }

    private void endString() {
        inString = false;
        if (nameExpected) {
            field = Field.of(place(), word);
            if (field.isIds() && cutDepth < 0) {
                beginCut();
            }
        } else {
            value(Kind.STRING);
        }
    }

    private void beginCut() {
        cutDepth = depth;
        cutIsFirst = lastComma == NOWHERE;
        cuts.begin(cutIsFirst ? nameStart : lastComma);
    }

    /** The value of a field of ids has ended before this byte. */
    private void endCut(long position) {
        cuts.end(position);
        cutDepth = -1;
        cutTakesComma = cutIsFirst; // a first field goes with the comma behind it
    }

    private void outsideStrings(byte b, int at) {
        if (cutDepth == depth && (b == ',' || b == '}' || b == ']')) { // the last one only where it is out of place
            endCut(base + at);
        }
        switch (b) {
            case '"' -> {
                inString = true;
                word.clear();
                if (nameExpected) {
                    nameStart = base + at;
                }
            }
            case '{' -> open(Kind.OBJECT);
            case '[' -> open(Kind.ARRAY);
            case '}', ']' -> close();
            case ',' -> {
                inScalar = false;
                nameExpected = depth < TRACKED_DEPTH && objects[depth];
                lastComma = base + at;
                if (cutTakesComma) {
                    cuts.begin(base + at);
                    cuts.end(base + at + 1);
                    cutTakesComma = false;
                    lastComma = NOWHERE;
                    nameStart = base + at + 1;
                }
            }
            case ':' -> nameExpected = false;
            case ' ', '\t' -> inScalar = false;
            default -> scalar(b);
        }
    }

    private void scalar(byte b) {
        if (!inScalar) {
            inScalar = true;
            index = field == Field.INDEX && place() == Place.CHOICE ? 0 : index;
            value(b == 'n' ? Kind.NULL : Kind.SCALAR);
        }
        if (field == Field.INDEX && place() == Place.CHOICE && b >= '0' && b <= '9') {
            index = Math.min(Integer.MAX_VALUE, index * 10 + (b - '0'));
        }
    }

    private void open(Kind kind) {
        Place inner = value(kind);
        depth++;
        if (depth < TRACKED_DEPTH) {
            places[depth] = inner;
            objects[depth] = kind == Kind.OBJECT;
        }
        nameExpected = kind == Kind.OBJECT && depth < TRACKED_DEPTH;
        nameStart = Long.MAX_VALUE;
        lastComma = NOWHERE;
        inIds = inner == Place.TOKEN_IDS || inner == Place.PROMPT_IDS;
        field = Field.NONE;
        if (inner == Place.CHOICE) {
            choice = true;
            index = 0;
            finishReason = "";
        }
    }

    private void close() {
        inScalar = false;
        nameExpected = false;
        inIds = false;
        cutTakesComma = false;
        if (place() == Place.CHOICE) {
            onChoice.accept((int) index);
            gaveUp |= GIVEN_UP.contains(finishReason);
            if (!finishReason.isEmpty()) {
                onFinish.onFinish((int) index, FINISHED_WELL.contains(finishReason));
            }
        }
        depth = Math.max(0, depth - 1);
    }

    private Place place() {
        return depth < TRACKED_DEPTH ? places[depth] : Place.OTHER;
    }

    /** A value begins (or, if it is a string, ends); returns the place inside it. */
    private Place value(Kind kind) {
        return switch (place()) {
            case OUTSIDE -> kind == Kind.OBJECT ? Place.ROOT : Place.OTHER;
            case ROOT -> inRoot(kind);
            case CHOICES -> kind == Kind.OBJECT ? Place.CHOICE : Place.OTHER;
            case CHOICE -> inChoice(kind);
            case CHOICE_DELTA -> inChoiceDelta(kind);
            case MESSAGE_DELTA -> inMessageDelta(kind);
            case CONTENT_LIST -> {
                shown = true;
                yield Place.OTHER;
            }
            case TOOL_LIST -> {
                shown = true;
                toolCall = true;
                yield Place.OTHER;
            }
            case TOKEN_IDS, PROMPT_IDS, OTHER -> Place.OTHER;
        };
    }

    private Place inRoot(Kind kind) {
        switch (field) {
            case CHOICES -> {
                return kind == Kind.ARRAY ? Place.CHOICES : Place.OTHER;
            }
            case DELTA -> {
                return kind == Kind.OBJECT ? Place.MESSAGE_DELTA : Place.OTHER;
            }
            case PROMPT_IDS -> {
                return kind == Kind.ARRAY ? Place.PROMPT_IDS : Place.OTHER;
            }
            case ERROR -> error |= kind != Kind.NULL;
            case USAGE -> usage |= kind == Kind.OBJECT;
            case TYPE -> {
                if (kind == Kind.STRING) {
                    type(word.text());
                }
            }
            default -> {}
        }
        return Place.OTHER;
    }

    private Place inChoice(Kind kind) {
        switch (field) {
            case CHOICE_DELTA -> {
                return kind == Kind.OBJECT ? Place.CHOICE_DELTA : Place.OTHER;
            }
            case TOKEN_IDS -> {
                return kind == Kind.ARRAY ? Place.TOKEN_IDS : Place.OTHER;
            }
            case CHOICE_PROMPT_IDS -> {
                return kind == Kind.ARRAY ? Place.PROMPT_IDS : Place.OTHER;
            }
            case TEXT -> shown |= kind == Kind.STRING && word.length() > 0;
            case FINISH_REASON -> {
                if (kind == Kind.STRING) {
                    finishReason = word.text();
                }
            }
            default -> {}
        }
        return Place.OTHER;
    }

    /** Servers differ in what they call reasoning, refusals and tool calls, so anything but the role is content. */
    private Place inChoiceDelta(Kind kind) {
        if (field == Field.ROLE) {
            role |= kind == Kind.STRING;
            return Place.OTHER;
        }
        boolean something = kind == Kind.OBJECT || (kind == Kind.STRING && word.length() > 0);
        shown |= something;
        reasoning |= something && (field == Field.REASONING || field == Field.REASONING_CONTENT);
        toolCall |= something && field == Field.FUNCTION_CALL;
        if (kind != Kind.ARRAY) {
            return Place.OTHER;
        }
        return field == Field.TOOL_CALLS ? Place.TOOL_LIST : Place.CONTENT_LIST;
    }

    private Place inMessageDelta(Kind kind) {
        if (field == Field.STOP_REASON && kind == Kind.STRING) {
            onChoice.accept(0);
            onFinish.onFinish(0, FINISHED_WELL.contains(word.text()));
        }
        return Place.OTHER;
    }

    private void type(String type) {
        typed = true;
        error |= type.equals("error");
        failure |= FAILURES.contains(type);
        end |= ENDS.contains(type);
        shown |= type.endsWith(".delta") || type.equals("content_block_delta");
        messageStop |= type.equals("message_stop");
    }
}
