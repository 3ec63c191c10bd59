package dev.tuna.provider.modal;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Redaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What Modal's command line says when something goes wrong: a frame with text, or a frame with a Python traceback of which
 * the last line matters. Pure.
 */
final class CliErrors {

    private static final int LONGEST = 400;

    private static final String LOGIN =
            "run 'modal setup', or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET to a token from"
                    + " https://modal.com/settings/tokens";

    /** Corners, lines and arrows of the frames. */
    private static final Pattern FRAME = Pattern.compile("[\\u2500-\\u257F\\u276F]+");

    private static final Pattern EXCEPTION = Pattern.compile("[A-Za-z_][\\w.]*(Error|Exception|Interrupt|Exit)(: .*)?");

    private CliErrors() {}

    /** The kind of a failure and what to do about it. */
    private enum Kind {
        NO_TOKEN(ErrorCode.NOT_CONFIGURED, false, LOGIN, "token missing"),
        CREDENTIALS(
                ErrorCode.CREDENTIALS,
                false,
                LOGIN,
                "could not authenticate",
                "token validation failed",
                "invalid token",
                "token id is malformed",
                "unauthenticated",
                "permission denied",
                "not authorized",
                "autherror"),
        ENVIRONMENT(
                ErrorCode.PROVIDER_REFUSED,
                false,
                "set the setting environment to one of 'modal environment list'",
                "no environment",
                "environment not found"),
        UNREACHABLE(
                ErrorCode.UNREACHABLE,
                true,
                "",
                "could not connect",
                "connection error",
                "connection refused",
                "connectionerror",
                "deadline exceeded",
                "unavailable"),
        THROTTLED(
                ErrorCode.PROVIDER_REFUSED,
                true,
                "",
                "rate limit",
                "too many requests",
                "throttl",
                "resource exhausted"),
        QUOTA(
                ErrorCode.QUOTA,
                false,
                "look at https://modal.com/settings/plans and https://modal.com/settings/usage",
                "quota",
                "spend limit",
                "billing",
                "payment",
                "out of credits",
                "budget",
                "is disabled",
                "limit of deployed",
                "app limit",
                "plan limit"),
        GPU(
                ErrorCode.PROVIDER_REFUSED,
                false,
                "choose one of " + String.join(", ", GpuTable.BUILT_IN.names()),
                "gpu type",
                "invalid gpu"),
        USAGE(
                ErrorCode.PROVIDER_REFUSED,
                false,
                "this version of the command line may be too old; run: pip install --upgrade modal",
                "no such option",
                "no such command",
                "usage:"),
        OTHER(ErrorCode.PROVIDER_REFUSED, false, "");

        private final ErrorCode code;
        private final boolean retryable;
        private final String advice;
        private final Pattern phrases;

        Kind(ErrorCode code, boolean retryable, String advice, String... phrases) {
            this.code = code;
            this.retryable = retryable;
            this.advice = advice;
            // Nothing at all, if there are none.
            this.phrases = Pattern.compile(phrases.length == 0 ? "(?!)" : String.join("|", phrases));
        }

        static Kind of(String said) {
            String text = said.toLowerCase(Locale.ROOT);
            for (Kind kind : values()) {
                if (kind.phrases.matcher(text).find()) {
                    return kind;
                }
            }
            return OTHER;
        }
    }

    /** The exception for a command that failed. */
    static TunaException of(String operation, Finished finished, Redaction redaction) {
        String said = essence(finished.err());
        return of(operation, finished.status(), said.isEmpty() ? essence(finished.out()) : said, redaction);
    }

    /** The exception for a command that failed and wrote everything to one place. */
    static TunaException of(String operation, int status, String said, Redaction redaction) {
        Kind kind = Kind.of(said);
        // Killed by a signal: out of memory, a reboot, an impatient person.
        boolean killed = kind == Kind.OTHER && status > 128;
        String quoted = redaction.quote(said, LONGEST);
        String message = (quoted.isEmpty() ? "the command line ended with status " + status : quoted)
                + (kind.advice.isEmpty() ? "" : "; " + kind.advice);
        return ProviderException.of(ModalProvider.NAME, operation)
                .code(kind.code)
                .retryable(kind.retryable || killed)
                .message(message)
                .build();
    }

    /** Whether it says that the thing is not there. */
    static boolean saysMissing(Finished finished) {
        String said = essence(finished.err() + "\n" + finished.out()).toLowerCase(Locale.ROOT);
        return said.contains("no app with name")
                || said.contains("already stopped")
                || said.contains("no such file")
                || said.contains("could not find")
                || said.contains("not found");
    }

    /** Whether it is too old for an option. */
    static boolean saysNoSuchOption(Finished finished, String option) {
        String said = essence(finished.err());
        return finished.status() == 2 && said.contains("No such option") && said.contains(option);
    }

    /** What is said, without frames, and of a traceback only the exception. */
    static String essence(String output) {
        List<String> lines = new ArrayList<>();
        for (String line : output.split("\\R")) {
            String text = FRAME.matcher(line).replaceAll(" ").strip();
            if (!text.isEmpty() && !text.equals("Error") && !text.startsWith("Try 'modal")) {
                lines.add(text);
            }
        }
        boolean traceback = lines.stream().anyMatch(line -> line.startsWith("Traceback"));
        for (int at = lines.size() - 1; traceback && at >= 0; at--) {
            if (EXCEPTION.matcher(lines.get(at)).matches()) {
                return String.join(" ", lines.subList(at, lines.size()));
            }
        }
        return String.join(" ", lines);
    }
}
