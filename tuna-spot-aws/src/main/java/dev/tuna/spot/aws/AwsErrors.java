package dev.tuna.spot.aws;

import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Redaction;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;

/** Turns what the SDK throws into what core knows, with what to do about it. Pure. */
final class AwsErrors {

    static final String POLICY_PAGE = "https://console.aws.amazon.com/iam/home#/policies";
    static final String SPOT_ROLE = "aws iam create-service-linked-role --aws-service-name spot.amazonaws.com";
    static final String LOGIN = "aws configure, or aws sso login";

    private static final int QUOTED_LENGTH = 500;

    private AwsErrors() {}

    /** What an exception of the SDK means; empty if no answer came. */
    static Optional<AwsFault> fault(SdkException e) {
        return e instanceof AwsServiceException answered
                ? Optional.of(AwsFault.of(code(answered), answered.statusCode()))
                : Optional.empty();
    }

    static boolean is(SdkException e, AwsFault fault) {
        return fault(e).filter(fault::equals).isPresent();
    }

    static String code(AwsServiceException e) {
        return e.awsErrorDetails() == null || e.awsErrorDetails().errorCode() == null
                ? ""
                : e.awsErrorDetails().errorCode();
    }

    /** AWS's own words, shortened: what it says of a refused call may be pages long. */
    static String words(SdkException e) {
        String said = e instanceof AwsServiceException answered && answered.awsErrorDetails() != null
                ? answered.awsErrorDetails().errorMessage()
                : e.getMessage();
        return quoted(said == null ? "" : said);
    }

    static String quoted(String text) {
        return Redaction.of(List.of())
                .quote(text.replaceAll("\\s*Encoded authorization failure message:.*", ""), QUOTED_LENGTH);
    }

    /**
     * The exception to throw.
     *
     * @param operation what was being done, for instance {@code create fleet}
     * @param action AWS's name of it, for instance {@code ec2:CreateFleet}
     * @param region where
     */
    static TunaException of(String operation, String action, String region, SdkException e) {
        if (e instanceof AwsServiceException answered) {
            String code = code(answered);
            return of(operation, action, region, code, words(e), answered.statusCode(), e);
        }
        if (isWithoutCredentials(e)) {
            return ProviderException.of(AwsOptions.PROVIDER, operation)
                    .code(
                            String.valueOf(e.getMessage()).contains(Credentials.NONE)
                                    ? ErrorCode.NOT_CONFIGURED
                                    : ErrorCode.CREDENTIALS)
                    .message("no AWS credentials were found: " + LOGIN)
                    .cause(e)
                    .build();
        }
        return ProviderException.of(AwsOptions.PROVIDER, operation)
                .code(ErrorCode.UNREACHABLE)
                .retryable(true)
                .message("AWS does not answer in " + region + ": " + quoted(String.valueOf(e.getMessage())))
                .cause(e)
                .build();
    }

    private static boolean isWithoutCredentials(SdkException e) {
        String said = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        return said.contains("credentials") && !said.contains("timed out");
    }

    /** The exception for an error code, also one inside a good answer. */
    static TunaException of(
            String operation, String action, String region, String code, String said, int status, Throwable cause) {
        String what = code + (said.isEmpty() ? "" : ": " + said);
        return switch (AwsFault.of(code, status)) {
            case CAPACITY, NOT_OFFERED ->
                new CapacityException(
                        ErrorCode.CAPACITY, AwsOptions.PROVIDER + ": " + operation + " in " + region + ": " + what);
            case QUOTA ->
                new CapacityException(
                        ErrorCode.QUOTA,
                        AwsOptions.PROVIDER + ": " + operation + " in " + region + ": " + what
                                + "; ask for more at https://console.aws.amazon.com/servicequotas/home/services/ec2/quotas?region="
                                + region);
            case PERMISSION ->
                refused(operation, status, what + advice(code, action), cause)
                        .code(ErrorCode.CREDENTIALS)
                        .build();
            case THROTTLED, TRANSIENT, IN_USE, TOKEN_USED, EXISTS ->
                refused(operation, status, "in " + region + ": " + what, cause)
                        .retryable(true)
                        .build();
            case NOT_FOUND, CONFIGURATION, DRY_RUN_PASSED ->
                isBadRequest(status)
                        ? new ConfigurationException(
                                ErrorCode.INVALID_REQUEST,
                                AwsOptions.PROVIDER + ": " + operation + " in " + region + " was refused: " + what,
                                cause)
                        : refused(operation, status, "in " + region + ": " + what, cause)
                                .build();
        };
    }

    /** What was made a moment ago is not seen yet, or was removed: the next attempt sees it, or makes it. */
    static TunaException unseen(String operation, String region, String said, Throwable cause) {
        return ProviderException.of(AwsOptions.PROVIDER, operation)
                .retryable(true)
                .message("what was made a moment ago is not seen yet in " + region + ": " + said)
                .cause(cause)
                .build();
    }

    private static boolean isBadRequest(int status) {
        return status == 0 || (status >= 400 && status < 500);
    }

    private static ProviderException.Builder refused(String operation, int status, String message, Throwable cause) {
        return ProviderException.of(AwsOptions.PROVIDER, operation)
                .httpStatus(status)
                .message(message)
                .cause(cause);
    }

    private static String advice(String code, String action) {
        if (code.endsWith("ServiceLinkedRoleCreationNotPermitted")) {
            return "; have an administrator run: " + SPOT_ROLE;
        }
        return code.equals("UnauthorizedOperation") || code.startsWith("AccessDenied")
                ? "; allow " + action + " at " + POLICY_PAGE
                : "; log in again: " + LOGIN;
    }
}
