package dev.tuna.examples.command;

import dev.tuna.core.Tuna;

/** A subcommand that looks or changes something and ends. */
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
        try (Tuna tuna = builder().listen("127.0.0.1", ANY_PORT).start()) {
            return run(tuna);
        }
    }
}
