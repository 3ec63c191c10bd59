package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;

/**
 * A subcommand that looks at deployments or ends them: through the process that controls them, if one does, else by taking
 * control for as long as it lasts.
 */
abstract class ControlCommand extends TunaSubcommand {

    ControlCommand(Session session) {
        super(session);
    }

    /**
     * Does what the subcommand is for.
     *
     * @param plane closed by the caller
     * @return exit code
     */
    abstract int run(ControlPlane plane);

    @Override
    public Integer call() {
        try (ControlPlane plane = unheard().startOrJoin()) {
            return run(plane);
        }
    }
}
