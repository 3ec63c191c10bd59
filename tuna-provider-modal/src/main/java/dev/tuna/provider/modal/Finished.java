package dev.tuna.provider.modal;

import java.util.Objects;

/**
 * How a command ended. Its output may hold secrets, so no text form shows it.
 *
 * @param status exit status
 * @param out what it wrote to standard output
 * @param err what it wrote to standard error
 */
record Finished(int status, String out, String err) {

    Finished {
        Objects.requireNonNull(out, "out");
        Objects.requireNonNull(err, "err");
    }

    boolean succeeded() {
        return status == 0;
    }

    @Override
    public String toString() {
        return "Finished[" + status + "]";
    }
}
