package dev.tuna.testkit.vllm;

import java.util.Optional;

/**
 * What one step adds to one choice.
 *
 * @param ids the new token ids, possibly none
 * @param text what may be shown now, possibly nothing
 * @param reasoning whether the text is thought and not said
 * @param finishReason present on the last delta of the choice
 * @param stopReason the stop string or stop token id that ended it, if one did
 */
@SuppressWarnings("ArrayRecordComponent") // passed on and written out, never compared
record Delta(int[] ids, String text, boolean reasoning, Optional<String> finishReason, Optional<Object> stopReason) {

    static Delta more(int id, String text) {
        return new Delta(new int[] {id}, text, false, Optional.empty(), Optional.empty());
    }

    static Delta echo(String text) {
        return new Delta(new int[0], text, false, Optional.empty(), Optional.empty());
    }

    static Delta last(int id, String text, String reason) {
        return new Delta(new int[] {id}, text, false, Optional.of(reason), Optional.empty());
    }

    static Delta stopped(int id, String text, Object by) {
        return new Delta(new int[] {id}, text, false, Optional.of("stop"), Optional.of(by));
    }

    static Delta ended(String text, String reason) {
        return new Delta(new int[0], text, false, Optional.of(reason), Optional.empty());
    }

    Delta thought() {
        return new Delta(ids, text, true, finishReason, stopReason);
    }
}
