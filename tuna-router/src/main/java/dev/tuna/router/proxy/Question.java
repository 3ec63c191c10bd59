package dev.tuna.router.proxy;

import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Something small to ask a backend before it can be told to go on.
 *
 * @param path where to ask
 * @param body JSON to post; empty to get
 * @param needed whether nothing can be done without an answer
 * @param answer takes the JSON that came with status 200; returns whether it is an answer
 */
@SuppressWarnings("ArrayRecordComponent") // sent, never compared
record Question(String path, byte[] body, boolean needed, Predicate<byte[]> answer) {

    static Question optional(String path, Consumer<byte[]> answer) {
        return new Question(path, new byte[0], false, json -> {
            answer.accept(json);
            return true;
        });
    }
}
