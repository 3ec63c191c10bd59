package dev.tuna.examples.command;

import dev.tuna.api.TunaException;
import picocli.CommandLine;

/** What the command tells whoever called it. */
final class ExitCode {

    /** Done. */
    static final int DONE = CommandLine.ExitCode.OK;

    /** It failed. */
    static final int FAILED = CommandLine.ExitCode.SOFTWARE;

    /** The command line is wrong and nothing was done. */
    static final int USAGE = CommandLine.ExitCode.USAGE;

    /** A part of it failed, the rest is done. */
    static final int PARTLY = 3;

    /** A person said no, or broke it off; whatever is under way goes on and is recorded. */
    static final int BROKEN_OFF = 130;

    static final String EXPLAINED = "Exit codes: 0 done, 1 it failed, 2 the command line is wrong and nothing was done,"
            + " 3 a part failed, 130 broken off.";

    private ExitCode() {}

    /** What a wrong flag caused is a matter of usage; everything else happened while working. */
    static int of(TunaException e) {
        return switch (e.code()) {
            case INVALID_REQUEST, PROVIDER_NOT_FOUND, PROVIDER_AMBIGUOUS -> USAGE;
            default -> FAILED;
        };
    }
}
