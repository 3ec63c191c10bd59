package dev.tuna.provider.baseten;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.provider.support.Redaction;
import dev.tuna.spi.ProviderContext;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Puts an archive where Baseten said. Thread-safe. */
final class ArchiveUpload {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final int QUOTED_LENGTH = 500;
    private static final String OPERATION = "upload archive";

    private final ProviderContext context;

    ArchiveUpload(ProviderContext context) {
        this.context = context;
    }

    /** Sends it once; whoever repeats the push asks for new credentials, too. */
    void put(UploadTarget target, byte[] archive) {
        SortedMap<String, String> signed = new TreeMap<>();
        signed.put("host", host(target.url()));
        signed.put("x-amz-content-sha256", AwsSignature.sha256(archive));
        signed.put("x-amz-date", AwsSignature.time(context.clock().instant()));
        signed.put("x-amz-security-token", target.sessionToken().reveal());
        Secret authorization = AwsSignature.authorization(
                "PUT", target.url().getRawPath(), signed, target.region(), target.accessKey(), target.secretKey());
        HttpRequest.Builder request = HttpRequest.newBuilder(target.url())
                .timeout(TIMEOUT)
                .header("Authorization", authorization.reveal())
                .PUT(BodyPublishers.ofByteArray(archive));
        // The client writes the host itself.
        signed.tailMap("x").forEach(request::header);
        HttpResponse<String> answer = send(request.build());
        if (answer.statusCode() / 100 != 2) {
            throw refused(target, answer);
        }
    }

    private static String host(URI url) {
        return url.getPort() < 0 ? url.getHost() : url.getHost() + ":" + url.getPort();
    }

    private HttpResponse<String> send(HttpRequest request) {
        try {
            return context.http().send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            throw unreachable(e.getClass().getSimpleName() + ": the connection to S3 broke", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unreachable("interrupted before an answer came", e);
        }
    }

    private static ProviderException unreachable(String message, Exception cause) {
        return ProviderException.of(BasetenProvider.NAME, OPERATION)
                .code(ErrorCode.UNREACHABLE)
                .retryable(true)
                .message(message)
                .cause(cause)
                .build();
    }

    private static ProviderException refused(UploadTarget target, HttpResponse<String> answer) {
        String said = Redaction.of(List.of(target.secretKey(), target.sessionToken(), Secret.of(target.accessKey())))
                .quote(answer.body(), QUOTED_LENGTH);
        int status = answer.statusCode();
        boolean clock = said.contains("RequestTimeTooSkewed");
        // Credentials that have run out are new with the next push.
        boolean passes = status >= 500 || status == 429 || said.contains("ExpiredToken");
        return ProviderException.of(BasetenProvider.NAME, OPERATION)
                .httpStatus(status)
                .retryable(passes)
                .message((clock ? "this machine's clock is off, set it: " : "") + said)
                .build();
    }
}
