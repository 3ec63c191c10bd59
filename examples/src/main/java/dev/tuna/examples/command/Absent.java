package dev.tuna.examples.command;

import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options of clouds that Tuna has no provider for: refused by name, so that nobody takes them for a typing error. */
final class Absent {

    private static final String NO_AZURE = "there is no provider for Azure";

    @Option(names = "--azure-subscription", hidden = true, arity = "0..1", fallbackValue = "")
    private Optional<String> azureSubscription = Optional.empty();

    @Option(names = "--azure-resource-group", hidden = true, arity = "0..1", fallbackValue = "")
    private Optional<String> azureResourceGroup = Optional.empty();

    @Option(names = "--azure-region", hidden = true, arity = "0..1", fallbackValue = "")
    private Optional<String> azureRegion = Optional.empty();

    @Option(names = "--azure-environment", hidden = true, arity = "0..1", fallbackValue = "")
    private Optional<String> azureEnvironment = Optional.empty();

    @Option(names = "--azure-cleanup-env", hidden = true)
    private boolean azureCleanupEnv;

    /** Refuses whichever was given. */
    void refuse(CommandSpec command) {
        Stream.of(
                        given("--azure-subscription", azureSubscription),
                        given("--azure-resource-group", azureResourceGroup),
                        given("--azure-region", azureRegion),
                        given("--azure-environment", azureEnvironment),
                        azureCleanupEnv ? Optional.of("--azure-cleanup-env") : Optional.<String>empty())
                .flatMap(Optional::stream)
                .findFirst()
                .ifPresent(option -> {
                    throw new ParameterException(
                            command.commandLine(),
                            option + " is of no use: " + NO_AZURE
                                    + " in this version. Serverless are modal, runpod, cloudrun and baseten");
                });
    }

    private static Optional<String> given(String name, Optional<String> value) {
        return value.map(any -> name);
    }
}
