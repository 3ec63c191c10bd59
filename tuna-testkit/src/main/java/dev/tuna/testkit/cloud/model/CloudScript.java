package dev.tuna.testkit.cloud.model;

import java.math.BigDecimal;
import java.time.Duration;

/**
 * What the world does to a cloud: prices move, machines run out, replicas are taken. Thread-safe; what does not exist is
 * refused with {@link CloudRefusal}.
 *
 * <p>Pools are named by {@link PoolSettings#id()}, for instance {@code local-1a/l4-1/SPOT}.
 */
public interface CloudScript {

    /**
     * Sets the price of a pool, for running replicas too.
     *
     * @param pool which
     * @param usdPerHour US dollars per hour for one machine, 0 or more
     */
    void setPrice(String pool, BigDecimal usdPerHour);

    /**
     * Sets how many machines of a pool can be rented at once. Those already rented stay.
     *
     * @param pool which
     * @param machines 0 or more
     */
    void setCapacity(String pool, int machines);

    /**
     * Sets how long machines launched from now on take before their model server starts.
     *
     * @param pool which
     * @param delay zero or longer
     */
    void setBootDelay(String pool, Duration delay);

    /**
     * Makes the next machines of a pool, or containers of an endpoint, fail where their model server would start.
     *
     * @param where a pool or the name of an endpoint
     * @param times how many, 0 to stop failing
     */
    void failBoots(String where, int times);

    /**
     * Sets the price of serverless container time, for running containers too.
     *
     * @param gpu canonical GPU name; a new one is offered from now on
     * @param usdPerGpuHour US dollars per GPU and hour, 0 or more
     */
    void setServerlessPrice(String gpu, BigDecimal usdPerGpuHour);

    /**
     * Sets how long containers started from now on take before their model server starts.
     *
     * @param delay zero or longer
     */
    void setColdStart(Duration delay);

    /**
     * Gives a spot replica notice; it is taken without further ado when the notice is over.
     *
     * @param replica which
     * @param notice zero or longer
     */
    void interrupt(String replica, Duration notice);

    /**
     * Recommends to leave a spot replica, since the risk that it is taken is higher than usual. What becomes of it is up to
     * {@link #interrupt} and {@link #lose}.
     *
     * @param replica which
     */
    void recommendRebalance(String replica);

    /**
     * Makes a replica or a container disappear this instant, without notice.
     *
     * @param id of a replica or container
     */
    void lose(String id);

    /**
     * Everything the cloud knows, meters included. Looking does not count as a controller's observation.
     *
     * @return the state at this moment
     */
    CloudSnapshot snapshot();
}
