package dev.tuna.examples.command;

import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The name of a deployment, as a word or as an option. */
final class Name {

    @Parameters(arity = "0..1", paramLabel = "NAME", description = "Name of the deployment.")
    private Optional<String> word = Optional.empty();

    @Option(names = "--service-name", paramLabel = "NAME", description = "The same as an option.")
    private Optional<String> option = Optional.empty();

    Optional<String> value() {
        return word.or(() -> option);
    }
}
