package dev.tuna.examples.command;

import picocli.CommandLine.Option;

/** Consent given in advance. */
final class Yes {

    @Option(
            names = {"-y", "--yes"},
            description = "Do not ask; where standard input is no terminal nobody is asked either.")
    private boolean given;

    boolean given() {
        return given;
    }
}
