package dev.tuna.spot.aws;

import java.util.Locale;
import java.util.Set;

/** What an error code of AWS means for whoever called. Pure. */
enum AwsFault {
    /** No machine of that kind there now; other pools may have one. */
    CAPACITY,
    /** The account may have no more of the class in the region: other zones do not help. */
    QUOTA,
    /** The type is not sold in that zone at all. */
    NOT_OFFERED,
    /** Who calls is not known, or may not do that. */
    PERMISSION,
    /** Too many calls; passes. */
    THROTTLED,
    /** What the call was about does not exist, or is too fresh to be seen. */
    NOT_FOUND,
    /** It exists already. */
    EXISTS,
    /** Something else still uses it. */
    IN_USE,
    /** The client token was used before, for something else or for what is gone. */
    TOKEN_USED,
    /** Only asked, and it would have been done. */
    DRY_RUN_PASSED,
    /** What was asked for is wrong. */
    CONFIGURATION,
    /** AWS's own trouble; passes. */
    TRANSIENT;

    private static final Set<String> NO_CAPACITY = Set.of(
            "InsufficientInstanceCapacity",
            "InsufficientHostCapacity",
            "InsufficientReservedInstanceCapacity",
            "InsufficientCapacity",
            "InsufficientVolumeCapacity",
            "InsufficientAddressCapacity",
            "InsufficientFreeAddressesInSubnet",
            // At most list price is paid, and for a while it costs more.
            "SpotMaxPriceTooLow",
            "UnfulfillableCapacity");

    private static final Set<String> NO_QUOTA = Set.of(
            "MaxSpotInstanceCountExceeded",
            "MaxFleetCountExceeded",
            "VcpuLimitExceeded",
            "InstanceLimitExceeded",
            "VolumeLimitExceeded",
            "MaxIOPSLimitExceeded",
            "SecurityGroupLimitExceeded",
            "LaunchTemplateLimitExceeded",
            "ResourceLimitExceeded");

    private static final Set<String> NO_PERMISSION = Set.of(
            "UnauthorizedOperation",
            "AccessDenied",
            "AccessDeniedException",
            "UnauthorizedAccess",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidAccessKeyId",
            "OptInRequired",
            "Blocked",
            "PendingVerification");

    private static final Set<String> TOO_MANY_CALLS = Set.of(
            "RequestLimitExceeded",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "TooManyRequestsException",
            "RequestThrottled",
            "RequestThrottledException",
            "EC2ThrottledException",
            "BandwidthLimitExceeded",
            "SlowDown");

    /** Of one pool of a fleet. As the answer to a whole call it says that the call is wrong. */
    private static final String NOT_IN_THAT_ZONE = "InvalidFleetConfiguration";

    private static final int FORBIDDEN = 403;
    private static final int NO_SUCH_THING = 404;
    private static final int SERVER_ERROR = 500;

    /**
     * Names an error.
     *
     * @param code AWS's code, for instance {@code InsufficientInstanceCapacity}
     * @param status the answer's HTTP status; 0 for an error inside a good answer
     */
    static AwsFault of(String code, int status) {
        if (NO_CAPACITY.contains(code)) {
            return CAPACITY;
        } else if (NO_QUOTA.contains(code)) {
            return QUOTA;
        } else if (code.equals("Unsupported") || code.equals("UnsupportedOperation")) {
            return NOT_OFFERED;
        } else if (status == 0 && code.equals(NOT_IN_THAT_ZONE)) {
            return NOT_OFFERED;
        } else if (NO_PERMISSION.contains(code) || code.startsWith("AuthFailure")) {
            return PERMISSION;
        } else if (TOO_MANY_CALLS.contains(code)) {
            return THROTTLED;
        } else if (code.equals("DryRunOperation")) {
            return DRY_RUN_PASSED;
        } else if (code.startsWith("IdempotentParameterMismatch") || code.equals("IdempotentInstanceTerminated")) {
            return TOKEN_USED;
        }
        return byForm(code, status);
    }

    private static AwsFault byForm(String code, int status) {
        String lower = code.toLowerCase(Locale.ROOT);
        if (lower.endsWith("notfound")
                || lower.endsWith("notfoundexception")
                || lower.endsWith("unknown")
                || code.equals("ParameterNotFound")
                || code.equals("NoSuchResourceException")
                || code.equals("NoSuchKey")
                || code.equals("NoSuchBucket")
                || status == NO_SUCH_THING
                || lower.endsWith("doesnotexist")) {
            return NOT_FOUND;
        } else if (lower.endsWith("duplicate") || lower.endsWith("alreadyexistsexception")) {
            return EXISTS;
        } else if (code.equals("DependencyViolation") || lower.endsWith("inuse")) {
            return IN_USE;
        }
        if (status == FORBIDDEN) { // an answer without a body says no more
            return PERMISSION;
        }
        return status >= SERVER_ERROR || code.equals("InternalError") || code.equals("RequestExpired")
                ? TRANSIENT
                : CONFIGURATION;
    }
}
