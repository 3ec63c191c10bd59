package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.core.Tuna;
import dev.tuna.core.machine.AttachedVm;
import dev.tuna.core.store.InMemoryStateStore;
import java.util.Optional;
import java.util.SortedSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Option;

/**
 * A subcommand that looks at deployments or ends them: through the process that controls them, if one does, else by taking
 * control for as long as it lasts.
 */
abstract class ControlCommand extends TunaSubcommand {

    private static final int LOOKS = 100;

    /** What is stored of a deployment on a machine is how it was when it went there, which helps nobody. */
    private static final int LOOKS_AT_MACHINES = 300;

    private static final long MILLIS_BETWEEN_LOOKS = 50;

    @Option(
            names = "--router-vm",
            paramLabel = "NAME",
            description =
                    "Act through the router VM of this name, or the one that has the deployment of this name; from any"
                            + " machine that has credentials for its cloud. Where several installations have one:"
                            + " INSTALLATION/VM.")
    private Optional<String> routerVm = Optional.empty();

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
        if (routerVm.isPresent()) {
            return attached(routerVm.get());
        }
        try (ControlPlane plane = unheard().startOrJoin()) {
            if (plane instanceof Tuna tuna) {
                awaitSight(tuna);
            }
            return run(plane);
        }
    }

    /** Whether it may leave nothing behind, and so nothing for a machine to do. */
    boolean ends() {
        return false;
    }

    /** Whether the deployments are those of the state directory, and not those of a machine that was named. */
    final boolean isOfThisInstallation() {
        return routerVm.isEmpty();
    }

    private int attached(String name) {
        try (Tuna tuna = unheard().store(new InMemoryStateStore("none")).start();
                AttachedVm vm = tuna.routerVms().attach(name)) {
            int code = run(vm.plane());
            if (ends() && vm.isLeft()) {
                note("nothing is left on router VM '" + vm.name() + "'; it is removed");
                vm.remove();
            }
            return code;
        }
    }

    /** What an earlier process stored may be long over: the clouds and router VMs are asked before anything is said. */
    private void awaitSight(Tuna tuna) {
        try {
            SortedSet<String> unseen = tuna.unseen();
            for (int look = 0; !unseen.isEmpty(); look++) {
                if (look >= (tuna.routerVms().unseen().isEmpty() ? LOOKS : LOOKS_AT_MACHINES)) {
                    note(String.join(" and ", unseen)
                            + " did not answer in time: what is shown of that is what was stored, not yet confirmed");
                    return;
                }
                if (new CountDownLatch(1).await(MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS)) {
                    return;
                }
                unseen = tuna.unseen();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
