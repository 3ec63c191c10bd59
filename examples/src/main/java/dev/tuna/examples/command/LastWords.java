package dev.tuna.examples.command;

import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DestroyReport;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The end of deployments as events tell it. Those come another way than the report does, maybe after it, and are to be shown
 * before it.
 */
final class LastWords {

    /** If the way is broken they never come. */
    private static final long PATIENCE_SECONDS = 2;

    private final Map<String, CompletableFuture<String>> told;

    LastWords(List<Deployment> doomed) {
        told = doomed.stream()
                .map(Deployment::name)
                .collect(Collectors.toMap(Function.identity(), name -> new CompletableFuture<>()));
    }

    void on(DeploymentEvent event) {
        if (event.kind() == DeploymentEvent.Kind.DESTROYED) {
            Optional.ofNullable(told.get(event.deployment())).ifPresent(end -> end.complete(event.message()));
        }
    }

    /** Completes when all has been told of what a report says is over. */
    CompletableFuture<String> of(DestroyReport over) {
        return Optional.ofNullable(told.get(over.deployment()))
                .orElseGet(() -> CompletableFuture.completedFuture(""))
                .completeOnTimeout("", PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
}
