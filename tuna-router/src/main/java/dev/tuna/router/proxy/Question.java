package dev.tuna.router.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Something small to ask a backend before it can be told to go on.
 *
 * @param path where to ask
 * @param body JSON to post; empty to get. Belongs to who sends it
 * @param needed whether nothing can be done without an answer
 * @param answer takes the JSON that came with status 200; returns whether it is an answer
 */
record Question(String path, ByteBuf body, boolean needed, Predicate<byte[]> answer) {

    static Question optional(String path, Consumer<byte[]> answer) {
        return new Question(path, Unpooled.EMPTY_BUFFER, false, json -> {
            answer.accept(json);
            return true;
        });
    }
}
