package dev.tuna.router.proxy;

import java.util.function.Consumer;

/**
 * Something small to ask a backend before it can be told to go on.
 *
 * @param path where to ask
 * @param body JSON to post; empty to get
 * @param answer takes the JSON that came with status 200
 */
@SuppressWarnings("ArrayRecordComponent") // sent, never compared
record Question(String path, byte[] body, Consumer<byte[]> answer) {}
