package dev.tuna.spot.aws;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityResponse;

/**
 * Calls AWS and throws what core knows instead of what the SDK throws. Immutable.
 *
 * @param region where the calls go
 * @param fresh what was made a moment ago and may not be seen yet
 */
record AwsCalls(String region, Optional<Fresh> fresh) {

    /**
     * What was made a moment ago.
     *
     * @param codes how error codes about it begin
     * @param id its id or name, as errors have it; may be empty
     */
    record Fresh(String codes, String id) {

        boolean isMeant(SdkException e) {
            return AwsErrors.is(e, AwsFault.NOT_FOUND)
                    && e instanceof AwsServiceException answered
                    && AwsErrors.code(answered).startsWith(codes)
                    && AwsErrors.words(e).contains(id);
        }
    }

    AwsCalls(String region) {
        this(region, Optional.empty());
    }

    /** The same calls, about something that EC2 may not show everywhere yet: that it does not exist then passes. */
    AwsCalls about(Fresh thing) {
        return new AwsCalls(region, Optional.of(thing));
    }

    private TunaException told(String operation, String action, SdkException e) {
        return fresh.filter(thing -> thing.isMeant(e)).isPresent()
                ? AwsErrors.unseen(operation, region, AwsErrors.words(e), e)
                : AwsErrors.of(operation, action, region, e);
    }

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
            throw told(operation, action, e);
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
            throw told(operation, action, e);
        } catch (IllegalStateException e) {
            throw closed();
        }
    }

    /**
     * Calls to end something. What is not there is fine; and since nobody is allowed to end what has no owner's tag, which what
     * is not there does not have, a refusal is believed only of what can be seen.
     *
     * @param isThere looks
     */
    void end(String operation, String action, Supplier<?> call, BooleanSupplier isThere) {
        try {
            var unused = unless(AwsFault.NOT_FOUND, operation, action, call);
        } catch (ProviderException e) {
            if (e.code() != ErrorCode.CREDENTIALS || isThere.getAsBoolean()) {
                throw e;
            }
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
                throw told(operation, action, e);
            });
        } catch (IllegalStateException e) {
            throw closed();
        }
    }

    static TunaException closed() {
        return new ConfigurationException(ErrorCode.CLOSED, "provider aws was closed");
    }
}
