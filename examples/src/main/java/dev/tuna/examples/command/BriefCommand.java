package dev.tuna.examples.command;

import dev.tuna.core.Tuna;
import dev.tuna.core.store.InMemoryStateStore;

/** A subcommand that asks providers for something that no deployment has a part in, so it is in nobody's way. */
abstract class BriefCommand extends TunaSubcommand {

    /** An endpoint that nobody is told about: a command that ends at once serves nobody. */
    private static final int ANY_PORT = 0;

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
        try (Tuna tuna = builder()
                .store(new InMemoryStateStore("none"))
                .listen("127.0.0.1", ANY_PORT)
                .start()) {
            return run(tuna);
        }
    }
}
