package dev.tuna.testkit.aws;

import dev.tuna.testkit.vendor.VendorFault;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;

/**
 * What AWS does wrong. Calls are named as policies name them, {@code ec2:CreateFleet}, as a regular expression; a region
 * before that, {@code us-east-1 ec2:CreateFleet}, confines a fault to it. Rehearsals have {@code (dry run)} after their names and
 * are left alone unless the expression has it too.
 */
public final class AwsFaults {

    private AwsFaults() {}

    /**
     * An error instead of an answer; nothing is done.
     *
     * @param calls which calls
     * @param status HTTP status
     * @param code error code
     * @param message in words
     * @return a fault for one call
     */
    public static VendorFault error(String calls, int status, String code, String message) {
        String service = calls.replaceFirst("^.* ", "").replaceFirst(":.*", "").toLowerCase(Locale.ROOT);
        return VendorFault.answering(named(calls), AwsRoutes.error(service, new AwsError(status, code, message)));
    }

    /**
     * Too many calls.
     *
     * @param calls which calls
     * @return a fault for one call
     */
    public static VendorFault throttling(String calls) {
        boolean query = calls.contains("ec2:");
        return query
                ? error(calls, 503, "RequestLimitExceeded", "Request limit exceeded.")
                : error(calls, 400, "ThrottlingException", "Rate exceeded");
    }

    /**
     * A failure inside.
     *
     * @param calls which calls
     * @return a fault for one call
     */
    public static VendorFault internal(String calls) {
        return error(calls, 500, "InternalError", "An internal error has occurred");
    }

    /**
     * A connection that breaks before the answer.
     *
     * @param calls which calls
     * @param done whether what was asked is done all the same
     * @return a fault for one call
     */
    public static VendorFault cutting(String calls, boolean done) {
        return VendorFault.cutting(named(calls), done);
    }

    /**
     * A call that takes as long as the test wants.
     *
     * @param calls which calls
     * @param gate opened by the test
     * @return a fault for one call
     */
    public static VendorFault slow(String calls, CountDownLatch gate) {
        return VendorFault.slow(named(calls), gate);
    }

    private static String named(String calls) {
        return calls.contains(" ") ? calls : "\\S+ " + calls;
    }
}
