package dev.tuna.core.replay;

/** Who decides what is rented, and where a request goes. One object for one replay. */
interface Policy {

    /** What it is called in the table. */
    String name();

    /** Looks at the world and changes it; every {@link #tickMillis()}. */
    void tick(World world);

    default long tickMillis() {
        return 5000;
    }

    /** Sends a request that has just come, or that has to go elsewhere, to a machine, or leaves it to the world's containers. */
    void send(World world, Job job);

    /** A request came that no machine could take, or something else happened that is not to wait for the next tick. */
    default void woken(World world) {}

    /** What becomes of requests that a machine had when it was taken. */
    default void lost(World world, Machine machine, Job job) {
        world.fail(job);
    }

    /** A machine was taken, {@code announced} or not. */
    default void gone(World world, Machine machine) {}

    /** A machine or container has begun to serve. */
    default void ready(World world, Machine machine) {}
}
