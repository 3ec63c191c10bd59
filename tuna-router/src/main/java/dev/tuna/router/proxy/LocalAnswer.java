package dev.tuna.router.proxy;

import java.util.Map;

/**
 * An answer that the router makes itself.
 *
 * @param status HTTP status
 * @param contentType of the body
 * @param headers further header fields
 * @param body the body; not to be written to
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record LocalAnswer(int status, String contentType, Map<String, String> headers, byte[] body) {}
