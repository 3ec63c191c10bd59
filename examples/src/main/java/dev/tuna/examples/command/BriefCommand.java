package dev.tuna.examples.command;

import dev.tuna.core.Tuna;
import dev.tuna.core.store.InMemoryStateStore;

/** A subcommand that asks providers for something that no deployment has a part in, so it is in nobody's way. */
abstract class BriefCommand extends TunaSubcommand {

    BriefCommand(Session session) {
        super(session);
    }

    /**
     * Does what the subcommand is for.
     *
     * @param tuna started; closed by the caller
     * @return exit code
     */
    abstract int run(Tuna tuna);

    @Override
    public Integer call() {
        try (Tuna tuna = unheard().store(new InMemoryStateStore("none")).start()) {
            return run(tuna);
        }
    }
}
