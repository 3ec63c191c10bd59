package dev.tuna.examples.command;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
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
        if (word.isPresent() && option.isPresent()) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "both NAME ('" + word.get() + "') and --service-name ('" + option.get()
                            + "') are given, but one deployment can be meant");
        }
        return word.or(() -> option);
    }
}
