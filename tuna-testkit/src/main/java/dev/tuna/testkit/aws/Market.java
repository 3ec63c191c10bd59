package dev.tuna.testkit.aws;

/** How an instance is paid for. */
public enum Market {
    /** From spare capacity; may be taken away. */
    SPOT("spot"),
    /** At list price. */
    ON_DEMAND("on-demand");

    private final String wire;

    Market(String wire) {
        this.wire = wire;
    }

    String wire() {
        return wire;
    }
}
