package dev.tuna.spot.aws;

import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.ec2.model.CreateFleetError;

/** What is told when no machine was had. Pure. */
final class Refusals {

    private static final Set<AwsFault> PASSING = Set.of(AwsFault.THROTTLED, AwsFault.TRANSIENT);
    private static final Set<AwsFault> WRONG = Set.of(AwsFault.CONFIGURATION, AwsFault.NOT_FOUND);
    private static final Set<AwsFault> WRONG_OR_NOT_OFFERED =
            Set.of(AwsFault.CONFIGURATION, AwsFault.NOT_FOUND, AwsFault.NOT_OFFERED);

    /** Not among them: InvalidParameterValue, which may be about one type, and InvalidSubnetID, which is about one zone. */
    private static final List<String> OF_THE_WHOLE_LAUNCH = List.of(
            "InvalidAMIID",
            "InvalidLaunchTemplate",
            "InvalidKeyPair",
            "InvalidGroup",
            "InvalidSecurityGroup",
            "InvalidIamInstanceProfile",
            "InvalidBlockDeviceMapping",
            "InvalidSnapshot",
            "InvalidUserData",
            "MissingParameter",
            "UnknownParameter");

    /** The group and the template, made right before: that they are not found passes. */
    private static final List<String> MADE_FOR_IT = List.of("InvalidGroup", "InvalidLaunchTemplate");

    private Refusals() {}

    /** Whether AWS has answered that it did not do what was asked: no answer, or one of its own trouble, leaves that open. */
    static boolean isCertain(TunaException e) {
        return e.getCause() instanceof SdkException cause
                && AwsErrors.fault(cause)
                        .filter(fault -> fault != AwsFault.TRANSIENT)
                        .isPresent();
    }

    /** Whether it is about what was asked for in one place, so that another one may do. */
    static boolean isLocal(TunaException e) {
        return e instanceof CapacityException
                || e instanceof ProviderException
                || (e instanceof ConfigurationException && e.code() != ErrorCode.CLOSED);
    }

    /**
     * What to throw when no place gave a machine. What passes by itself comes first, although a person may have to mend
     * something elsewhere: a region with a wrong setting must not end launches in those that only have no machine now.
     *
     * @param refused what was heard, one for each place
     */
    static TunaException verdict(List<TunaException> refused) {
        List<String> words =
                refused.stream().map(TunaException::getMessage).distinct().toList();
        if (words.size() == 1) {
            return refused.get(0);
        }
        String said = String.join("; ", words);
        if (refused.stream().anyMatch(CapacityException.class::isInstance)) {
            // Only if nothing that is missing anywhere comes back by itself does it not help to come back soon.
            return new CapacityException(
                    refused.stream().noneMatch(TunaException::retryable) ? ErrorCode.QUOTA : ErrorCode.CAPACITY, said);
        }
        TunaException first = Stream.<Predicate<TunaException>>of(
                        TunaException::retryable, ProviderException.class::isInstance, any -> true)
                .flatMap(kind -> refused.stream().filter(kind))
                .findFirst()
                .orElseThrow();
        return first instanceof ConfigurationException
                ? new ConfigurationException(first.code(), said, first)
                : ProviderException.of(AwsOptions.PROVIDER, "launch")
                        .code(first.code())
                        .retryable(first.retryable())
                        .message(said)
                        .cause(first)
                        .build();
    }

    /**
     * What to throw when a fleet came out empty. What was made a moment ago and is not seen yet comes first, then what a
     * person must mend, then what passes by itself; then only pools are to blame.
     */
    static TunaException of(String region, List<CreateFleetError> errors) {
        Optional<CreateFleetError> unseen = errors.stream()
                .filter(error -> fault(error) == AwsFault.NOT_FOUND
                        && MADE_FOR_IT.stream().anyMatch(error.errorCode()::startsWith))
                .findFirst();
        if (unseen.isPresent()) {
            return AwsErrors.unseen("create fleet", region, words(unseen.get()), asCause(unseen.get()));
        }
        Optional<CreateFleetError> toMend = first(errors, AwsFault.PERMISSION).or(() -> wrong(errors));
        if (toMend.isPresent()) {
            return one(region, toMend.get());
        }
        if (areAll(errors, PASSING) || areAll(errors, Set.of(AwsFault.QUOTA))) {
            return one(region, errors.get(0));
        }
        String codes = errors.isEmpty()
                ? "EC2 launched nothing and does not say why"
                : errors.stream()
                        .map(CreateFleetError::errorCode)
                        .distinct()
                        .sorted()
                        .collect(Collectors.joining(", "));
        return new CapacityException(
                ErrorCode.CAPACITY,
                AwsOptions.PROVIDER + ": no machine in " + region + " now: " + codes
                        + first(errors, AwsFault.CAPACITY)
                                .or(() -> errors.stream().findFirst())
                                .map(error -> " (" + words(error) + ")")
                                .orElse(""));
    }

    /**
     * What is wrong with what was asked for. One pool's word counts only if it is about the whole launch: what is wrong with one
     * type, or is not known here, does not make the shortage of the others a mistake.
     */
    private static Optional<CreateFleetError> wrong(List<CreateFleetError> errors) {
        List<CreateFleetError> wrong =
                errors.stream().filter(error -> WRONG.contains(fault(error))).toList();
        Optional<CreateFleetError> whole = wrong.stream()
                .filter(error -> OF_THE_WHOLE_LAUNCH.stream().anyMatch(error.errorCode()::startsWith))
                .findFirst();
        return whole.isPresent() || !areAll(errors, WRONG_OR_NOT_OFFERED)
                ? whole
                : wrong.stream().findFirst();
    }

    /** Whether a pool is not sold at all. A code that has other meanings too says so in words. */
    static boolean isNotSold(CreateFleetError error) {
        return fault(error) == AwsFault.NOT_OFFERED
                && (error.errorCode().startsWith("Unsupported")
                        || String.valueOf(error.errorMessage()).contains("not supported"));
    }

    private static AwsFault fault(CreateFleetError error) {
        return AwsFault.of(error.errorCode(), 0);
    }

    private static boolean areAll(List<CreateFleetError> errors, Set<AwsFault> faults) {
        return !errors.isEmpty() && errors.stream().map(Refusals::fault).allMatch(faults::contains);
    }

    private static Optional<CreateFleetError> first(List<CreateFleetError> errors, AwsFault fault) {
        return errors.stream().filter(error -> fault(error) == fault).findFirst();
    }

    private static String words(CreateFleetError error) {
        return AwsErrors.quoted(String.valueOf(error.errorMessage()));
    }

    private static Throwable asCause(CreateFleetError error) {
        return new IllegalStateException(error.errorCode());
    }

    private static TunaException one(String region, CreateFleetError error) {
        return AwsErrors.of(
                "create fleet", "ec2:CreateFleet", region, error.errorCode(), words(error), 0, asCause(error));
    }
}
