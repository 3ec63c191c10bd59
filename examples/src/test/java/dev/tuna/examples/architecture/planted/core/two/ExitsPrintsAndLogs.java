package dev.tuna.examples.architecture.planted.core.two;

import dev.tuna.examples.architecture.planted.core.one.SeesProviderAndSleeps;
import java.util.logging.Logger;

/** The other half of the cycle. */
public final class ExitsPrintsAndLogs {

    void exit(SeesProviderAndSleeps one) {
        Logger.getLogger("planted").info("planted");
        System.out.println(one.hashCode());
        System.exit(1);
    }
}
