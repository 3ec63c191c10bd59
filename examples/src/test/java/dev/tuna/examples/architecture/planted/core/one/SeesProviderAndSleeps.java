package dev.tuna.examples.architecture.planted.core.one;

import dev.tuna.examples.architecture.planted.core.two.ExitsPrintsAndLogs;
import dev.tuna.examples.architecture.planted.provider.other.Other;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/** One half of a cycle, too. */
public final class SeesProviderAndSleeps {

    Instant sleep(Other provider, ExitsPrintsAndLogs two) throws InterruptedException {
        TimeUnit.SECONDS.sleep(1);
        return Instant.now().plusSeconds(provider.hashCode() + two.hashCode());
    }
}
