package dev.tuna.router.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import java.util.List;
import java.util.Optional;

/**
 * Refuses requests whose end or target two readers could see in different places (request smuggling, RFC 9112 section 6.3
 * and 11.2), and what is not HTTP.
 *
 * <p>Netty's decoder reports as a failed {@code decoderResult}: white space around a header's name, NUL and other control
 * bytes in names and values, differing or malformed lengths, bare line feeds in the header, malformed chunks. With
 * {@link StrictRequestDecoder} also a length beside a transfer encoding. It joins folded header lines with a space, which
 * RFC 9112 section 5.2 allows. The rest is checked here. A connection must be closed after a refusal.
 */
public final class RequestChecks {

    private RequestChecks() {}

    /**
     * Checks a request's head.
     *
     * @param request as decoded
     * @throws RefusedException if it cannot be trusted
     */
    public static void check(HttpRequest request) throws RefusedException {
        Optional<OpenAiError> error = error(request);
        if (error.isPresent()) {
            throw new RefusedException(error.get());
        }
    }

    private static Optional<OpenAiError> error(HttpRequest request) {
        if (request.decoderResult().isFailure()) {
            return Optional.of(undecodable(request.decoderResult().cause()));
        }
        HttpVersion version = request.protocolVersion();
        if (!version.equals(HttpVersion.HTTP_1_1) && !version.equals(HttpVersion.HTTP_1_0)) {
            return Optional.of(OpenAiError.unknownVersion(version.text()));
        }
        return framing(request).or(() -> host(request)).or(() -> expectation(request));
    }

    private static OpenAiError undecodable(Throwable cause) {
        if (cause instanceof TooLongHttpLineException) {
            return OpenAiError.uriTooLong();
        }
        if (cause instanceof TooLongHttpHeaderException) {
            return OpenAiError.headerTooLarge();
        }
        return OpenAiError.malformedHttp("The request is not well-formed HTTP/1.1 (RFC 9112).");
    }

    private static Optional<OpenAiError> framing(HttpRequest request) {
        List<String> encodings = request.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        List<String> lengths = request.headers().getAll(HttpHeaderNames.CONTENT_LENGTH);
        if (encodings.isEmpty()) {
            return lengths.isEmpty() ? Optional.empty() : length(lengths);
        }
        if (!lengths.isEmpty()) {
            return malformed("It has both Content-Length and Transfer-Encoding.");
        }
        if (request.protocolVersion().equals(HttpVersion.HTTP_1_0)) {
            return malformed("HTTP/1.0 has no Transfer-Encoding.");
        }
        return encodings.size() == 1 && encodings.get(0).strip().equalsIgnoreCase("chunked")
                ? Optional.empty()
                : malformed("The only Transfer-Encoding accepted is a single 'chunked'.");
    }

    private static Optional<OpenAiError> length(List<String> lengths) {
        if (lengths.size() > 1) {
            return malformed("It has more than one Content-Length.");
        }
        String length = lengths.get(0);
        boolean digits =
                !length.isEmpty() && length.length() <= 18 && length.chars().allMatch(c -> c >= '0' && c <= '9');
        return digits ? Optional.empty() : malformed("Its Content-Length is not a number of bytes.");
    }

    private static Optional<OpenAiError> host(HttpRequest request) {
        List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
        if (hosts.isEmpty()) {
            return request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                    ? malformed("It has no Host.")
                    : Optional.empty();
        }
        if (hosts.size() > 1) {
            return malformed("It has more than one Host.");
        }
        return hosts.get(0).chars().allMatch(RequestChecks::mayBeInHost)
                ? Optional.empty()
                : malformed("Its Host is not a host name or address.");
    }

    private static boolean mayBeInHost(int c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || "-._~:[]%!$&'()*+;=".indexOf(c) >= 0;
    }

    private static Optional<OpenAiError> expectation(HttpRequest request) {
        String expect = request.headers().get(HttpHeaderNames.EXPECT, "100-continue");
        return expect.strip().equalsIgnoreCase("100-continue")
                ? Optional.empty()
                : Optional.of(OpenAiError.expectationFailed(expect));
    }

    private static Optional<OpenAiError> malformed(String what) {
        return Optional.of(OpenAiError.malformedHttp("The request cannot be read safely. " + what));
    }
}
