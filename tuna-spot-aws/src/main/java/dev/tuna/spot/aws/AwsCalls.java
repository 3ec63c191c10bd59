package dev.tuna.spot.aws;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TunaException;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityResponse;

/**
 * Calls AWS and throws what core knows instead of what the SDK throws. Immutable.
 *
 * @param region where the calls go
 */
record AwsCalls(String region) {

    /**
     * Calls.
     *
     * @param operation what is being done, for people
     * @param action AWS's name of it, as policies have it
     */
    <T> T call(String operation, String action, Supplier<T> call) {
        try {
            return call.get();
        } catch (SdkException e) {
            throw AwsErrors.of(operation, action, region, e);
        } catch (IllegalStateException e) {
            // A client that was closed meanwhile says so in this way.
            throw closed();
        }
    }

    /** Who is calling. */
    GetCallerIdentityResponse caller(AwsClients clients) {
        return call(
                "ask who is calling",
                "sts:GetCallerIdentity",
                () -> clients.sts(region).getCallerIdentity(request -> {}));
    }

    /** Calls; a fault that is expected gives nothing. */
    <T> Optional<T> unless(AwsFault expected, String operation, String action, Supplier<T> call) {
        try {
            return Optional.of(call.get());
        } catch (SdkException e) {
            if (AwsErrors.is(e, expected)) {
                return Optional.empty();
            }
            throw AwsErrors.of(operation, action, region, e);
        } catch (IllegalStateException e) {
            throw closed();
        }
    }

    /**
     * Calls; faults that are expected are told.
     *
     * @return the fault; empty if the call was answered well
     */
    Optional<AwsFault> unlessAny(Set<AwsFault> expected, String operation, String action, Supplier<?> call) {
        try {
            var unused = call.get();
            return Optional.empty();
        } catch (SdkException e) {
            return AwsErrors.fault(e).filter(expected::contains).or(() -> {
                throw AwsErrors.of(operation, action, region, e);
            });
        } catch (IllegalStateException e) {
            throw closed();
        }
    }

    static TunaException closed() {
        return new ConfigurationException(ErrorCode.CLOSED, "provider aws was closed");
    }
}
