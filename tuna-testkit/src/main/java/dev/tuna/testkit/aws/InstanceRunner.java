package dev.tuna.testkit.aws;

/**
 * What the instances of a stand-in run once they have booted. Called by one thread for all instances, so booting should only
 * begin what takes long.
 */
@FunctionalInterface
public interface InstanceRunner {

    /** Machines that do nothing. */
    InstanceRunner NOTHING = machine -> () -> {};

    /**
     * Starts what an instance runs.
     *
     * @param machine the instance from inside
     * @return what is closed when the machine goes off, without notice
     * @throws Exception if it cannot be started; the message goes to the machine's console
     */
    AutoCloseable boot(Machine machine) throws Exception;
}
