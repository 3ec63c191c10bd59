package dev.tuna.testkit.cloud.model;

import java.util.Objects;

/**
 * A pool at one moment.
 *
 * @param id its name, as {@link PoolSettings#id()}
 * @param now the pool with the price, capacity and boot delay of now
 * @param rented machines rented now
 */
public record PoolView(String id, PoolSettings now, int rented) {

    /** Checks that every part is there. */
    public PoolView {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(now, "now");
    }
}
