package dev.tuna.core.remote;

import dev.tuna.core.budget.Outlay;
import dev.tuna.core.control.Allowance;
import dev.tuna.core.control.Bundle;
import dev.tuna.core.control.Confided;
import java.util.List;

/** What the program on a router's machine does beside what any control plane does. Thread-safe; blocks. */
public interface Lodging {

    /**
     * Takes a deployment in; once for each handover.
     *
     * @param bundle all of it
     */
    void offer(Bundle bundle);

    /**
     * Stops looking after a deployment.
     *
     * @param name its name
     * @param handover unique for ever
     * @return all of it
     */
    Bundle take(String name, String handover);

    /**
     * Lets go of a deployment that was taken.
     *
     * @param name its name
     * @param handover by which it was taken
     */
    void taken(String name, String handover);

    /**
     * Goes on with a deployment that was to be taken.
     *
     * @param name its name
     * @param handover by which it was to be taken
     */
    void keep(String name, String handover);

    /**
     * Takes in what a host says of money, and tells what was spent here.
     *
     * @param told holds from now on
     * @return what each deployment that is or was here has cost
     */
    List<Outlay> allow(Allowance told);

    /**
     * Takes in nobody any more but who is handed over, if nobody is looked after: before the machine is removed.
     *
     * @return whether nobody is, and so nobody comes
     */
    boolean vacate();

    /**
     * Keeps secrets of a request that is about to come, in place of others of their names.
     *
     * @param confided what the host has
     */
    void confide(Confided confided);

    /**
     * Makes room for another version of the program.
     *
     * @param next what is to run
     */
    void upgrade(NextJar next);
}
