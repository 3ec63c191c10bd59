package dev.tuna.examples.command;

import dev.tuna.examples.terminal.Display;
import dev.tuna.examples.terminal.Terminal;
import java.util.List;
import java.util.Set;

/** A subcommand that may host deployments, or follow how one comes up. */
abstract class HostingCommand extends TunaSubcommand {

    HostingCommand(Session session) {
        super(session);
    }

    /** Variables whose values are secrets and have gone to the store: a process in the background does without them. */
    Set<String> secretVariables() {
        return EnvironmentSecrets.ALWAYS;
    }

    /** Progress has no place among results that a program reads. */
    final Display display() {
        return isForPrograms()
                ? new Display(session.err(), Terminal.PLAIN, session.clock())
                : new Display(session.out(), session.terminal(), session.clock());
    }

    final void print(Access access, Display display) {
        if (isForPrograms()) {
            print(access, access.table(), List.of());
        } else {
            display.print(access.lines());
        }
    }
}
