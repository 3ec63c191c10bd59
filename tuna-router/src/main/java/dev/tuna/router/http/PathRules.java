package dev.tuna.router.http;

import dev.tuna.router.http.RequestTarget.Kind;
import io.netty.handler.codec.http.HttpMethod;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/**
 * Which methods and paths there are. What is not listed never reaches a backend: model servers leave {@code /metrics},
 * {@code /pause}, {@code /invocations} and more open to whoever can reach them.
 *
 * <p>A path that a backend might read differently (encoded slashes, dots or backslashes, dot segments, empty segments, a
 * scheme and host) is refused; the query is passed on as sent.
 */
public final class PathRules {

    /** The paths that generate, embed, score or transcribe; each a POST whose body names the model. */
    private static final Set<String> INFERENCE = Set.of(
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/embeddings",
            "/v1/responses",
            "/v1/messages",
            "/v1/messages/count_tokens",
            "/v1/audio/transcriptions",
            "/v1/audio/translations",
            "/v1/audio/speech",
            "/v1/score",
            "/v1/rerank",
            "/v2/rerank",
            "/v2/embed");

    private static final String MODELS = "/v1/models";
    private static final String RESPONSES = "/v1/responses/";
    private static final String ADMIN = "/router";

    private PathRules() {}

    /**
     * Finds out where a request goes.
     *
     * @param method its method
     * @param uri its target as sent
     * @return who answers it
     * @throws RefusedException 400 for a target that could be read in two ways, 404 for an unknown path, 405 for a method
     *     that the path does not take
     */
    public static RequestTarget resolve(HttpMethod method, String uri) throws RefusedException {
        refuseStrangeTargets(uri);
        String target = withoutRepeatedVersion(uri);
        int query = target.indexOf('?');
        String path = query < 0 ? target : target.substring(0, query);
        if (path.startsWith(MODELS + "/") && path.length() > MODELS.length() + 1) {
            return found(Kind.MODEL, method, decoded(path.substring(MODELS.length() + 1), path), target, "GET, HEAD");
        }
        refuseStrangePaths(path);
        if (INFERENCE.contains(path)) {
            return found(Kind.INFERENCE, method, path, target, "POST");
        }
        if (path.equals(MODELS)) {
            return found(Kind.MODELS, method, path, target, "GET, HEAD");
        }
        if (path.equals(ADMIN) || path.startsWith(ADMIN + "/")) {
            return new RequestTarget(Kind.ADMIN, path, target);
        }
        if (path.startsWith(RESPONSES)) {
            return storedResponse(method, path, target);
        }
        throw new RefusedException(OpenAiError.unknownPath(path));
    }

    /**
     * The target to send to a backend: its base path in front, a {@code /v1} that both have only once.
     *
     * @param base the backend's base URL
     * @param target path and query of the request
     * @return path and query to send
     */
    public static String join(URI base, String target) {
        String prefix = base.getRawPath() == null ? "" : base.getRawPath();
        while (prefix.endsWith("/")) {
            prefix = prefix.substring(0, prefix.length() - 1);
        }
        return prefix.endsWith("/v1") && target.startsWith("/v1/")
                ? prefix + target.substring("/v1".length())
                : prefix + target;
    }

    private static RequestTarget storedResponse(HttpMethod method, String path, String target) throws RefusedException {
        String id = path.substring(RESPONSES.length());
        boolean cancel = id.endsWith("/cancel");
        String bare = cancel ? id.substring(0, id.length() - "/cancel".length()) : id;
        if (bare.isEmpty() || bare.indexOf('/') >= 0) {
            throw new RefusedException(OpenAiError.unknownPath(path));
        }
        return found(Kind.STORED_RESPONSE, method, path, target, cancel ? "POST" : "GET, HEAD");
    }

    private static RequestTarget found(Kind kind, HttpMethod method, String path, String target, String allow)
            throws RefusedException {
        if (!Set.of(allow.split(", ", -1)).contains(method.name())) {
            throw new RefusedException(OpenAiError.methodNotAllowed(method.name(), path, allow));
        }
        return new RequestTarget(kind, path, target);
    }

    /** Some clients append {@code /v1/…} to a base URL that ends in {@code /v1}. */
    private static String withoutRepeatedVersion(String uri) {
        String target = uri;
        while (target.startsWith("/v1/v1/")) {
            target = target.substring("/v1".length());
        }
        return target;
    }

    private static void refuseStrangeTargets(String uri) throws RefusedException {
        if (!uri.startsWith("/")) {
            throw strange("must start with '/'; a scheme and host are not accepted in it");
        }
        for (int i = 0; i < uri.length(); i++) {
            char c = uri.charAt(i);
            if (c <= ' ' || c >= 0x7f || c == '#' || c == '\\') {
                throw strange("has a character that must be percent-encoded");
            }
        }
    }

    private static void refuseStrangePaths(String path) throws RefusedException {
        if (path.contains("//")) {
            throw strange("has an empty path segment ('//')");
        }
        String lower = path.toLowerCase(Locale.ROOT);
        if (lower.contains("%2f") || lower.contains("%5c") || lower.contains("%2e") || lower.contains("%00")) {
            throw strange("has an encoded slash, backslash, dot or NUL in its path");
        }
        if ((path + "/").contains("/./") || (path + "/").contains("/../")) {
            throw strange("has a dot segment ('.' or '..')");
        }
    }

    /** Model names have slashes, which some clients encode; the name is only looked up, never sent on. */
    private static String decoded(String encoded, String path) throws RefusedException {
        ByteBuffer bytes = ByteBuffer.allocate(encoded.length());
        for (int i = 0; i < encoded.length(); i++) {
            char c = encoded.charAt(i);
            if (c != '%') {
                bytes.put((byte) c);
                continue;
            }
            int high = i + 2 < encoded.length() ? Character.digit(encoded.charAt(i + 1), 16) : -1;
            int low = i + 2 < encoded.length() ? Character.digit(encoded.charAt(i + 2), 16) : -1;
            if (high < 0 || low < 0) {
                throw new RefusedException(OpenAiError.unknownPath(path));
            }
            bytes.put((byte) (high * 16 + low));
            i += 2;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
        } catch (CharacterCodingException e) {
            throw new RefusedException(OpenAiError.unknownPath(path));
        }
    }

    private static RefusedException strange(String what) {
        return new RefusedException(OpenAiError.badRequest("bad_request_target", "The request target " + what + "."));
    }
}
