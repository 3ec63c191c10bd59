package dev.tuna.router.stream;

import dev.tuna.router.http.TokenListener;
import java.util.Arrays;

/**
 * Writes down the token ids of one stream as they pass: the prompt's and the answer's. Four bytes a token, at most eight
 * while the list has room to grow. Confined to the stream's event loop.
 *
 * <p>Ids run ahead of text: those that came since the last text the client got are not {@linkplain #settle settled}, and a
 * continuation generates them again.
 */
public final class TokenRecorder implements TokenListener {

    /** What all streams together may keep; takes all of it or nothing. */
    public interface Room {

        /**
         * Asks for memory.
         *
         * @param bytes how much
         * @return false if there is not so much left
         */
        boolean take(long bytes);

        /**
         * Gives memory back.
         *
         * @param bytes how much
         */
        void giveBack(long bytes);
    }

    private static final int[] NONE = {};
    private static final int FIRST_SIZE = 64;

    private final Room room;
    private int[] prompt = NONE;
    private int[] answer = NONE;
    private long promptRoom;
    private int promptTokens;
    private int generated;
    private int settled;
    private boolean promptDropped;
    private boolean borrowed;
    private boolean answerDropped;

    /**
     * Nothing recorded yet.
     *
     * @param room what may be kept
     */
    public TokenRecorder(Room room) {
        this.room = room;
    }

    @Override
    public void prompt(int id) {
        if (!promptDropped) {
            if (promptTokens == prompt.length) {
                growPrompt();
            }
            if (!promptDropped) {
                prompt[promptTokens] = id;
            }
        }
        promptTokens++;
    }

    @Override
    public void generated(int id) {
        if (!answerDropped) {
            if (generated == answer.length) {
                growAnswer();
            }
            if (!answerDropped) {
                answer[generated] = id;
            }
        }
        generated++;
    }

    private void growPrompt() {
        int size = Math.max(FIRST_SIZE, 2 * prompt.length);
        if (room.take(4L * size - promptRoom)) {
            promptRoom = 4L * size;
            prompt = Arrays.copyOf(prompt, size);
        } else {
            dropPrompt();
        }
    }

    /** Forgets the prompt's ids, for want of room or to make some; how many they are is known still. */
    public void dropPrompt() {
        room.giveBack(promptRoom);
        promptRoom = 0;
        prompt = NONE;
        promptDropped = true;
    }

    private void growAnswer() {
        int size = Math.max(FIRST_SIZE, 2 * answer.length);
        if (room.take(4L * (size - answer.length))) {
            answer = Arrays.copyOf(answer, size);
        } else {
            dropAnswer();
        }
    }

    /** Something was generated whose ids were not told: the answer cannot be known any more. */
    public void missed() {
        dropAnswer();
    }

    private void dropAnswer() {
        room.giveBack(4L * answer.length);
        answer = NONE;
        answerDropped = true;
    }

    /** What has come so far is with the client; room for a longer prompt is given back. */
    public void settle() {
        settled = generated;
        if (prompt.length > promptTokens) {
            prompt = Arrays.copyOf(prompt, promptTokens);
            room.giveBack(promptRoom - 4L * promptTokens);
            promptRoom = 4L * promptTokens;
        }
    }

    /** The stream begins anew, on another backend. */
    public void restart() {
        promptDropped = false;
        promptTokens = 0;
        generated = 0;
        settled = 0;
    }

    /** Forgets the tokens that have come since {@link #settle}: they will be generated again. */
    public void rollBack() {
        generated = settled;
    }

    /**
     * How many tokens the prompt has.
     *
     * @return zero if nobody has told yet
     */
    public int promptTokens() {
        return promptTokens;
    }

    /**
     * How many tokens have been generated, as far as the client has got their text.
     *
     * @return zero or more
     */
    public int settled() {
        return settled;
    }

    /**
     * How many tokens have been generated.
     *
     * @return zero or more
     */
    public int generated() {
        return generated;
    }

    /**
     * Whether every generated token is known.
     *
     * @return false once there was no room for them, or they were not told
     */
    public boolean knowsAnswer() {
        return !answerDropped;
    }

    /**
     * Whether every token of the prompt is known.
     *
     * @return false if none was told, or there was no room for them
     */
    public boolean knowsPrompt() {
        return promptTokens > 0 && !promptDropped;
    }

    /**
     * The prompt was learnt anew. It is kept until {@link #forgetBorrowed}, and beyond if there is room.
     *
     * @param ids all of it; belongs to this object from now on
     * @param reserve where memory for it comes from; gives back what the usual room takes back, and the other way round
     * @return false if they are not those of the prompt that was recorded, or there is no memory for them
     */
    public boolean relearnPrompt(int[] ids, Room reserve) {
        if (ids.length == 0 || (promptTokens > 0 && ids.length != promptTokens)) {
            return false;
        }
        dropPrompt();
        if (!reserve.take(4L * ids.length)) {
            return false;
        }
        promptDropped = false;
        borrowed = true;
        prompt = ids;
        promptTokens = ids.length;
        promptRoom = 4L * ids.length;
        return true;
    }

    /** A prompt that was learnt anew has served its purpose. */
    public void forgetBorrowed() {
        if (borrowed && room.take(promptRoom)) {
            room.giveBack(promptRoom);
        } else if (borrowed) {
            dropPrompt();
        }
        borrowed = false;
    }

    /**
     * How many tokens the prompt and the settled part of the answer have together.
     *
     * @return zero or more
     */
    public int soFar() {
        return promptTokens + settled;
    }

    /**
     * A token of the prompt or the settled part of the answer, both being known.
     *
     * @param index from zero to {@link #soFar}, exclusive
     * @return its id
     */
    public int soFar(int index) {
        return index < promptTokens ? prompt[index] : answer[index - promptTokens];
    }

    /**
     * The last settled tokens of the answer.
     *
     * @param atMost how many are wanted
     * @return a new array
     */
    public int[] tail(int atMost) {
        return Arrays.copyOfRange(answer, Math.max(0, settled - atMost), settled);
    }

    /** Gives all memory back. May be called twice. */
    public void release() {
        dropPrompt();
        dropAnswer();
    }
}
