package dev.tuna.testkit.aws;

import java.net.URI;

/** An instance from inside. Thread-safe. */
public interface Machine {

    /**
     * What the cloud knows of it.
     *
     * @return as it is now
     */
    InstanceView view();

    /**
     * Its metadata service, which on a real machine is {@code http://169.254.169.254}.
     *
     * @return a URL without path
     */
    URI metadata();

    /**
     * Writes to its console, which {@code GetConsoleOutput} shows.
     *
     * @param line a line
     */
    void print(String line);

    /** What {@code shutdown -h now} does: it terminates, or stops if the launch template says so. */
    void shutDown();
}
