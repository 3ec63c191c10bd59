package dev.tuna.provider.support;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One call's attempts, up to an answer or an error for the caller. Confined to the calling thread. */
final class Exchange {

    /** Enough for any provider's error object, short enough for a log line. */
    private static final int QUOTED_LENGTH = 1000;

    /** How long a stream that does not end has to be quiet for everything to have come that was there. */
    private static final Duration QUIET = Duration.ofMillis(250);

    private static final int NOT_FOUND = 404;
    private static final Logger LOG = LoggerFactory.getLogger(JsonApi.class);

    private final JsonApi api;
    private final String operation;
    private final HttpRequest request;
    private final Duration timeout;
    private final boolean idempotent;
    private final Redaction redaction;
    private boolean streamed;

    Exchange(
            JsonApi api,
            String operation,
            HttpRequest request,
            Duration timeout,
            boolean idempotent,
            Redaction redaction) {
        this.api = api;
        this.operation = operation;
        this.request = request;
        this.timeout = timeout;
        this.idempotent = idempotent;
        this.redaction = redaction;
    }

    JsonNode send() {
        return read(repeat(false));
    }

    Optional<JsonNode> sendUnlessMissing() {
        Answer answer = repeat(true);
        return answer.status() == NOT_FOUND ? Optional.empty() : Optional.of(read(answer));
    }

    /** What a stream says until it is quiet; nothing if there is none. */
    String readStream() {
        streamed = true;
        Answer answer = repeat(true);
        return answer.status() == NOT_FOUND ? "" : answer.text();
    }

    private Answer repeat(boolean missingIsAnAnswer) {
        for (int attempt = 1; ; attempt++) {
            try {
                return attempt(missingIsAnAnswer);
            } catch (FailedAttempt failed) {
                waitForNext(attempt, failed);
            }
        }
    }

    private void waitForNext(int attempt, FailedAttempt failed) {
        RetryPolicy retry = api.retry();
        if (!failed.repeatable()
                || attempt >= retry.maxAttempts()
                || failed.retryAfter().compareTo(retry.maxRetryAfter()) > 0) {
            throw failed.error();
        }
        Duration backOff = retry.backOff(attempt, api.nextRandom());
        try {
            api.sleeper().sleep(backOff.compareTo(failed.retryAfter()) > 0 ? backOff : failed.retryAfter());
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private Answer attempt(boolean missingIsAnAnswer) throws FailedAttempt {
        long started = api.clock().millis();
        Answer answer = roundTrip();
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "{} {} {} in {} ms",
                    request.method(),
                    target(),
                    answer.status(),
                    api.clock().millis() - started);
        }
        if (answer.successful() || (missingIsAnAnswer && answer.status() == NOT_FOUND)) {
            return answer;
        }
        throw refused(answer);
    }

    private JsonNode read(Answer answer) {
        try {
            return answer.json();
        } catch (IOException e) {
            // Without the cause, whose text quotes the body as it came.
            throw ProviderException.of(api.provider(), operation)
                    .httpStatus(answer.status())
                    .message("the answer is not JSON: " + said(answer))
                    .build();
        }
    }

    private Answer roundTrip() throws FailedAttempt {
        BoundedBody body = new BoundedBody(api.maxResponseBytes());
        CompletableFuture<HttpResponse<byte[]>> response = api.http().sendAsync(request, info -> body);
        try {
            Duration patience = streamed ? awaitQuiet(response, body) : timeout;
            return new Answer(response.get(patience.toNanos(), TimeUnit.NANOSECONDS));
        } catch (InterruptedException e) {
            response.cancel(true);
            throw interrupted(e);
        } catch (TimeoutException e) {
            response.cancel(true);
            throw unanswered("no complete answer within " + timeout, e, idempotent);
        } catch (ExecutionException e) {
            throw failed(Objects.requireNonNullElse(e.getCause(), e));
        }
    }

    /** How long the answer may still take once the stream has been cut: no time, if it has not begun. */
    private Duration awaitQuiet(CompletableFuture<?> response, BoundedBody body)
            throws InterruptedException, ExecutionException {
        int before = -1;
        for (long left = timeout.toNanos(); left > 0; left -= QUIET.toNanos()) {
            try {
                response.get(Math.min(left, QUIET.toNanos()), TimeUnit.NANOSECONDS);
                return timeout;
            } catch (TimeoutException e) {
                int now = body.size();
                if (now > 0 && now == before) {
                    break;
                }
                before = now;
            }
        }
        if (body.size() < 0) {
            return Duration.ofNanos(1);
        }
        body.finish();
        return timeout;
    }

    private FailedAttempt failed(Throwable cause) {
        if (cause instanceof BoundedBody.TooLarge) {
            String message = Objects.requireNonNullElse(cause.getMessage(), "");
            return new FailedAttempt(
                    ProviderException.of(api.provider(), operation)
                            .message(message)
                            .build(),
                    false,
                    Duration.ZERO);
        }
        if (cause instanceof ConnectException || cause instanceof HttpConnectTimeoutException) {
            // Nothing was sent, so nothing can happen twice.
            return unanswered("cannot connect", cause, true);
        }
        if (cause instanceof IOException) {
            return unanswered("the connection broke before the answer was complete", cause, idempotent);
        }
        throw new IllegalStateException(operation + " of " + api.provider() + " could not be sent", cause);
    }

    private FailedAttempt unanswered(String what, Throwable cause, boolean repeatable) {
        LOG.debug("{} {}: {}", request.method(), target(), what);
        ProviderException error = ProviderException.of(api.provider(), operation)
                .code(ErrorCode.UNREACHABLE)
                .retryable(true)
                .message(request.uri().getScheme() + "://" + request.uri().getAuthority() + ": " + what)
                .cause(cause)
                .build();
        return new FailedAttempt(error, repeatable, Duration.ZERO);
    }

    private FailedAttempt refused(Answer answer) {
        int status = answer.status();
        Optional<Duration> retryAfter = answer.header("Retry-After")
                .flatMap(value -> RetryAfter.parse(value, api.clock().instant()))
                .or(() -> api.errors().retryAfter(answer.jsonIfAny()));
        ErrorCode code = api.errors().code(status, answer.jsonIfAny()).orElseGet(() -> byStatus(status));
        String said = said(answer);
        if (code == ErrorCode.CAPACITY || code == ErrorCode.QUOTA) {
            String message = api.provider() + ": " + operation + " failed (HTTP " + status + "): " + said;
            return new FailedAttempt(new CapacityException(code, message), false, Duration.ZERO);
        }
        ProviderException.Builder error = ProviderException.of(api.provider(), operation)
                .code(code)
                .httpStatus(status)
                .retryable(code != ErrorCode.CREDENTIALS && passes(status))
                .message(said);
        retryAfter.ifPresent(error::retryAfter);
        return new FailedAttempt(error.build(), repeatable(status), retryAfter.orElse(Duration.ZERO));
    }

    private String said(Answer answer) {
        String said = redaction.quote(answer.text(), QUOTED_LENGTH);
        return said.isEmpty() ? "no explanation came with it" : said;
    }

    /** 429 says that nothing was done; a gateway's 502, 503 or 504 says nothing about the server behind it. */
    private boolean repeatable(int status) {
        return status == 429 || (idempotent && (status == 502 || status == 503 || status == 504));
    }

    private static boolean passes(int status) {
        return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501 && status != 505);
    }

    private static ErrorCode byStatus(int status) {
        return status == 401 || status == 403 ? ErrorCode.CREDENTIALS : ErrorCode.PROVIDER_REFUSED;
    }

    private TunaException interrupted(InterruptedException cause) {
        Thread.currentThread().interrupt();
        return ProviderException.of(api.provider(), operation)
                .code(ErrorCode.UNREACHABLE)
                .retryable(true)
                .message("interrupted before an answer came")
                .cause(cause)
                .build();
    }

    private String target() {
        URI url = request.uri();
        return url.getAuthority() + url.getRawPath();
    }
}
