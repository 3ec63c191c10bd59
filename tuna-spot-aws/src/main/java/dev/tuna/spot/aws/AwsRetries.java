package dev.tuna.spot.aws;

import java.time.Duration;
import java.util.Set;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.retry.RetryUtils;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.retries.api.RetryStrategy;

/**
 * What the SDK sends again by itself: throttled calls, and calls that AWS failed at. Never a launch for which there was no
 * capacity or no quota, although AWS answers some of these with the status of a broken server: whoever asks again at once gets
 * the same answer, and other pools wait.
 */
final class AwsRetries {

    private static final int ATTEMPTS = 4;
    private static final BackoffStrategy BACK_OFF =
            BackoffStrategy.exponentialDelay(Duration.ofMillis(100), Duration.ofSeconds(5));
    private static final BackoffStrategy THROTTLED =
            BackoffStrategy.exponentialDelay(Duration.ofMillis(500), Duration.ofSeconds(8));

    private static final Set<AwsFault> PASSING = Set.of(AwsFault.THROTTLED, AwsFault.TRANSIENT);

    private AwsRetries() {}

    static RetryStrategy strategy() {
        return DefaultRetryStrategy.standardStrategyBuilder()
                .maxAttempts(ATTEMPTS)
                .useClientDefaults(false)
                .retryOnException(AwsRetries::passes)
                .treatAsThrottling(error -> error instanceof SdkException e && AwsErrors.is(e, AwsFault.THROTTLED))
                .backoffStrategy(BACK_OFF)
                .throttlingBackoffStrategy(THROTTLED)
                .circuitBreakerEnabled(false)
                .build();
    }

    static boolean passes(Throwable error) {
        if (!(error instanceof SdkException e)) {
            return false;
        }
        return AwsErrors.fault(e)
                .map(fault -> PASSING.contains(fault) || RetryUtils.isClockSkewException(e))
                .orElseGet(() -> e instanceof SdkClientException && e.retryable());
    }
}
