package dev.tuna.router.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An answer of the router's own that is not a success, in the shape that OpenAI's clients understand:
 * {@code {"error":{"message","type","param","code"}}}. All of them are made here. Immutable.
 *
 * @param status HTTP status
 * @param type the family, such as {@code invalid_request_error}
 * @param param the field at fault; empty if it is no field's fault
 * @param code stable, for programs
 * @param message for people: what is wrong, what is allowed, what to do
 * @param retryAfter for a {@code Retry-After} header, in seconds; empty for none
 * @param allow for an {@code Allow} header; empty for none
 */
public record OpenAiError(
        int status,
        String type,
        Optional<String> param,
        String code,
        String message,
        OptionalLong retryAfter,
        Optional<String> allow) {

    private static final JsonFactory JSON = new JsonFactory();
    private static final String INVALID = "invalid_request_error";
    private static final String AUTHENTICATION = "authentication_error";
    private static final String RATE_LIMIT = "rate_limit_error";
    private static final String SERVER = "server_error";
    private static final String QUOTA = "insufficient_quota";

    /** Checks that every part is there. */
    public OpenAiError {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(param, "param");
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(message, "message");
        Objects.requireNonNull(retryAfter, "retryAfter");
        Objects.requireNonNull(allow, "allow");
    }

    // --- the client's fault ---

    /**
     * 400: a field is missing or wrong.
     *
     * @param param the field
     * @param code stable code
     * @param message what is wrong and what is allowed
     * @return the error
     */
    public static OpenAiError badField(String param, String code, String message) {
        return of(400, INVALID, code, message).about(param);
    }

    /**
     * 400: the request as a whole is wrong.
     *
     * @param code stable code
     * @param message what is wrong and what is allowed
     * @return the error
     */
    public static OpenAiError badRequest(String code, String message) {
        return of(400, INVALID, code, message);
    }

    /**
     * 400: the message's framing or header could be read in two ways; the connection must be closed after it.
     *
     * @param message what is wrong
     * @return the error
     */
    public static OpenAiError malformedHttp(String message) {
        return of(400, INVALID, "malformed_http", message);
    }

    /**
     * 401: no key, or an unknown one.
     *
     * @return the error
     */
    public static OpenAiError unauthorized() {
        return of(
                401,
                AUTHENTICATION,
                "invalid_api_key",
                "No valid key was sent. Send 'Authorization: Bearer KEY' or 'x-api-key: KEY'.");
    }

    /**
     * 403: the key is known but not for this.
     *
     * @return the error
     */
    public static OpenAiError adminKeyNeeded() {
        return of(
                403, "permission_error", "admin_key_needed", "This needs an admin key; the key sent is a traffic key.");
    }

    /**
     * 403: changes over HTTP are switched off.
     *
     * @return the error
     */
    public static OpenAiError noAdminKeys() {
        return of(
                403,
                "permission_error",
                "admin_disabled",
                "This router has no admin keys, so over HTTP nothing can be changed and no event read. Start it with an"
                        + " admin key.");
    }

    /**
     * 404: no such path.
     *
     * @param path the path asked for
     * @return the error
     */
    public static OpenAiError unknownPath(String path) {
        return of(
                404,
                INVALID,
                "unknown_path",
                "There is nothing at '" + quoted(path) + "'. Model calls live under /v1/,"
                        + " for instance /v1/chat/completions; the router's own pages under /router/.");
    }

    /**
     * 404: no deployment serves the model.
     *
     * @param model the model asked for
     * @param served the models that the caller may use
     * @return the error
     */
    public static OpenAiError unknownModel(String model, Collection<String> served) {
        String known =
                served.isEmpty() ? "no model is served at the moment" : "served are: " + String.join(", ", served);
        return of(404, INVALID, "model_not_found", "The model '" + quoted(model) + "' does not exist; " + known + ".")
                .about("model");
    }

    /**
     * 405: the path exists, the method does not.
     *
     * @param method the method used
     * @param path the path
     * @param allow the methods there are, comma separated
     * @return the error
     */
    public static OpenAiError methodNotAllowed(String method, String path, String allow) {
        OpenAiError error = of(
                405,
                INVALID,
                "method_not_allowed",
                "'" + quoted(path) + "' takes " + allow + ", not '" + quoted(method) + "'.");
        return new OpenAiError(
                error.status, error.type, error.param, error.code, error.message, error.retryAfter, Optional.of(allow));
    }

    /**
     * 409: the route belongs to a deployment, whose owner alone changes it.
     *
     * @param deployment the deployment
     * @return the error
     */
    public static OpenAiError managedRoute(String deployment) {
        return of(
                409,
                INVALID,
                "managed_deployment",
                "The backends of '" + quoted(deployment)
                        + "' are managed by Tuna and cannot be set here. Change the deployment instead.");
    }

    /**
     * 413: the body is longer than is accepted.
     *
     * @param limit bytes accepted
     * @return the error
     */
    public static OpenAiError bodyTooLarge(long limit) {
        return of(413, INVALID, "body_too_large", "The body is longer than the " + limit + " bytes accepted here.");
    }

    /**
     * 414: the request line is too long.
     *
     * @return the error
     */
    public static OpenAiError uriTooLong() {
        return of(414, INVALID, "uri_too_long", "The request line is too long.");
    }

    /**
     * 417: an expectation other than {@code 100-continue}.
     *
     * @param expectation what was expected
     * @return the error
     */
    public static OpenAiError expectationFailed(String expectation) {
        return of(
                417,
                INVALID,
                "expectation_failed",
                "The only expectation met here is '100-continue', not '" + quoted(expectation) + "'.");
    }

    /**
     * 431: the header is too long.
     *
     * @return the error
     */
    public static OpenAiError headerTooLarge() {
        return of(431, INVALID, "header_too_large", "The request's header fields are too long.");
    }

    /**
     * 505: a version of HTTP that is not spoken here.
     *
     * @param version the version asked for
     * @return the error
     */
    public static OpenAiError unknownVersion(String version) {
        return of(
                505,
                INVALID,
                "http_version_not_supported",
                "HTTP/1.1 and HTTP/1.0 are spoken here, not '" + quoted(version) + "'.");
    }

    // --- overload and waiting ---

    /**
     * 429: as many requests are being served as may be.
     *
     * @param limit requests let in at once
     * @return the error
     */
    public static OpenAiError tooManyRequests(int limit) {
        return of(429, RATE_LIMIT, "too_many_requests", "All " + limit + " places are taken. Try again in a second.")
                .after(Duration.ofSeconds(1));
    }

    /**
     * 429: no money is left for further requests. OpenAI's clients know the code; nothing is gained by trying again.
     *
     * @param reason which budget is spent, and until when
     * @return the error
     */
    public static OpenAiError moneySpent(String reason) {
        return of(429, QUOTA, QUOTA, reason);
    }

    /**
     * 429: every backend has as many requests as it may get.
     *
     * @return the error
     */
    public static OpenAiError backendsFull() {
        return of(
                        429,
                        RATE_LIMIT,
                        "backends_full",
                        "Every backend has as many requests as it takes. Try again in a second.")
                .after(Duration.ofSeconds(1));
    }

    /**
     * 503: too many requests wait for a backend to come up.
     *
     * @param limit requests that may wait
     * @return the error
     */
    public static OpenAiError waitingRoomFull(int limit) {
        return of(
                        503,
                        SERVER,
                        "waiting_room_full",
                        "No backend is up yet and " + limit
                                + " requests wait for one already. Try again in a few seconds.")
                .after(Duration.ofSeconds(5));
    }

    /**
     * 503: no backend came up in time.
     *
     * @param waited how long was waited
     * @return the error
     */
    public static OpenAiError noBackendInTime(Duration waited) {
        return of(
                        503,
                        SERVER,
                        "no_backend",
                        "No backend came up within " + waited.toSeconds()
                                + " s. Backends may still be starting: try again.")
                .after(Duration.ofSeconds(10));
    }

    /**
     * 503: every backend rests after failures.
     *
     * @param rest how long until one is tried again
     * @return the error
     */
    public static OpenAiError backendsResting(Duration rest) {
        return of(
                        503,
                        SERVER,
                        "backends_resting",
                        "Every backend has failed recently and is left alone for a moment." + " Try again.")
                .after(rest);
    }

    /**
     * 503: the router closes.
     *
     * @return the error
     */
    public static OpenAiError closing() {
        return of(503, SERVER, "closing", "The router is closing.").after(Duration.ofSeconds(1));
    }

    // --- failures of backends ---

    /**
     * 502: every attempt failed before a byte of an answer.
     *
     * @param attempts how many were made
     * @return the error
     */
    public static OpenAiError backendsFailed(int attempts) {
        return of(
                502,
                SERVER,
                "backend_failed",
                attempts == 1
                        ? "The backend failed and there was no other to try. Try again."
                        : "All " + attempts + " backends tried for this request failed. Try again.");
    }

    /**
     * 502: a backend refused the router's own credential.
     *
     * @return the error
     */
    public static OpenAiError backendRefusedCredential() {
        return of(
                502,
                SERVER,
                "backend_credential_refused",
                "The backend refused the router's credential. This is the"
                        + " operator's to mend: the credential configured for the backend is wrong or has expired.");
    }

    /**
     * 504: no answer within the deadline.
     *
     * @param deadline the time there was
     * @return the error
     */
    public static OpenAiError deadlinePassed(Duration deadline) {
        return of(504, SERVER, "deadline_passed", "No backend answered within " + deadline.toSeconds() + " s.");
    }

    /**
     * In-band: the stream broke after bytes of it had been sent.
     *
     * @return the error, to be sent as an {@linkplain #sseEvent() event}
     */
    public static OpenAiError streamBroken() {
        return of(
                502,
                SERVER,
                "stream_broken",
                "The backend failed in the middle of the answer, which is incomplete." + " Send the request again.");
    }

    /**
     * 500: a fault of the router's own.
     *
     * @return the error
     */
    public static OpenAiError internal() {
        return of(500, SERVER, "internal_error", "The router failed. Its log says why.");
    }

    private static OpenAiError of(int status, String type, String code, String message) {
        return new OpenAiError(status, type, Optional.empty(), code, message, OptionalLong.empty(), Optional.empty());
    }

    /**
     * The same error, naming a field.
     *
     * @param field the field at fault
     * @return the error
     */
    public OpenAiError about(String field) {
        return new OpenAiError(status, type, Optional.of(field), code, message, retryAfter, allow);
    }

    /**
     * The same error, with a {@code Retry-After}.
     *
     * @param rest how long to wait; rounded up to whole seconds, at least one
     * @return the error
     */
    public OpenAiError after(Duration rest) {
        long seconds = Math.max(1, rest.plusSeconds(1).minusNanos(1).toSeconds());
        return new OpenAiError(status, type, param, code, message, OptionalLong.of(seconds), allow);
    }

    /**
     * The body.
     *
     * @return JSON in UTF-8
     */
    public byte[] json() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeObjectFieldStart("error");
            json.writeStringField("message", message);
            json.writeStringField("type", type);
            json.writeStringField("param", param.orElse(null));
            json.writeStringField("code", code);
            json.writeEndObject();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    /**
     * The error as an event of a stream whose status has been sent already. No {@code [DONE]} follows it.
     *
     * @return {@code data: …} and the blank line
     */
    public byte[] sseEvent() {
        byte[] body = json();
        byte[] event = new byte[body.length + 8];
        System.arraycopy("data: ".getBytes(StandardCharsets.US_ASCII), 0, event, 0, 6);
        System.arraycopy(body, 0, event, 6, body.length);
        event[event.length - 2] = '\n';
        event[event.length - 1] = '\n';
        return event;
    }

    /** What a client sent goes back to it shortened, so that an error stays small. */
    private static String quoted(String text) {
        return text.length() <= 200 ? text : text.substring(0, 200) + "…";
    }
}
