package dev.tuna.core.vm;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.core.machine.Checksum;
import dev.tuna.core.remote.NextJar;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One program following another on the same machine without a gap: the next one is started beside the running one, and when
 * it waits for the store, the running one gives that up, goes on routing, and ends when the next one serves.
 */
final class Upgrade {

    private static final Logger LOG = LoggerFactory.getLogger(Upgrade.class);
    private static final int CONNECT_MILLIS = 10_000;
    private static final int READ_MILLIS = 30_000;
    private static final long MILLIS_BETWEEN_LOOKS = 50;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Marks marks;
    private volatile long askedAt; // 0 if not

    Upgrade(Marks marks) {
        this.marks = marks;
    }

    /** Fetches what is to run next, and has it started. */
    void begin(NextJar next) {
        Path part = marks.nextJar().resolveSibling("next.jar.part");
        try {
            String sha256 = fetch(next, part);
            if (!sha256.equals(next.sha256())) {
                Files.deleteIfExists(part);
                throw new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "the jar at " + next.jar().getHost() + " has the checksum " + sha256 + " and not "
                                + next.sha256() + "; the running version goes on");
            }
            Files.move(part, marks.nextJar(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new ConfigurationException(
                    ErrorCode.UNREACHABLE,
                    "the jar cannot be fetched: " + e.getMessage() + "; the running version goes on",
                    e);
        }
        marks.next();
        askedAt = System.nanoTime();
    }

    private static String fetch(NextJar next, Path to) throws IOException {
        URLConnection connection = next.jar().toURL().openConnection();
        connection.setConnectTimeout(CONNECT_MILLIS);
        connection.setReadTimeout(READ_MILLIS);
        try (InputStream in = connection.getInputStream()) {
            Files.copy(in, to, StandardCopyOption.REPLACE_EXISTING);
        }
        return Checksum.sha256(to);
    }

    /** Whether the next program waits for this one to give way. */
    boolean isReady() {
        if (askedAt == 0) {
            return false;
        }
        if (marks.isWaiting()) {
            return true;
        }
        if (System.nanoTime() - askedAt > PATIENCE.toNanos()) {
            LOG.error("the next version does not come up within {} s; the running one goes on", PATIENCE.toSeconds());
            askedAt = 0;
            marks.noNext();
        }
        return false;
    }

    /** Until the next program serves; should it not, this one ends all the same, and the supervisor starts what there is. */
    void awaitSuccessor() throws InterruptedException {
        long until = System.nanoTime() + PATIENCE.toNanos();
        var pause = new CountDownLatch(1);
        while (!marks.isServing() && System.nanoTime() < until) {
            var unused = pause.await(MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS);
        }
    }
}
