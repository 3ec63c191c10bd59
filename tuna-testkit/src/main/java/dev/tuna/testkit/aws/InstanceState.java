package dev.tuna.testkit.aws;

/** What an instance is doing. */
public enum InstanceState {
    /** Being made; not billed. */
    PENDING(0, "pending"),
    /** Up and billed. */
    RUNNING(16, "running"),
    /** On its way to nothing; billed no more. */
    SHUTTING_DOWN(32, "shutting-down"),
    /** Gone, and shown for an hour. */
    TERMINATED(48, "terminated"),
    /** Off, and its volumes are billed. */
    STOPPED(80, "stopped");

    private final int code;
    private final String wire;

    InstanceState(int code, String wire) {
        this.code = code;
        this.wire = wire;
    }

    int code() {
        return code;
    }

    String wire() {
        return wire;
    }

    Xml write(Xml out) {
        return out.put("code", code).put("name", wire);
    }
}
