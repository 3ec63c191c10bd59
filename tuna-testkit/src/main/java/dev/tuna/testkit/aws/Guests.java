package dev.tuna.testkit.aws;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What runs on the instances. Everything happens on one daemon thread, in order. Thread-safe. */
final class Guests implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Guests.class);

    private final InstanceRunner runner;
    private final Map<String, AutoCloseable> running = new ConcurrentHashMap<>();
    private final ExecutorService thread = Executors.newSingleThreadExecutor(work -> {
        Thread made = new Thread(work, "tuna-aws-guests");
        made.setDaemon(true);
        return made;
    });

    Guests(InstanceRunner runner) {
        this.runner = runner;
    }

    void boot(Machine machine, String id) {
        later(() -> {
            try {
                running.put(id, runner.boot(machine));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (Exception e) {
                LOG.warn("{} does not boot: {}", id, e.getMessage());
                LOG.debug("{} does not boot", id, e);
                machine.print("does not boot: " + e);
            }
        });
    }

    void powerOff(String id, Runnable then) {
        later(() -> {
            close(id);
            then.run();
        });
    }

    private void later(Runnable work) {
        try {
            thread.execute(work);
        } catch (RejectedExecutionException e) {
            LOG.debug("closed meanwhile", e);
        }
    }

    private void close(String id) {
        AutoCloseable guest = running.remove(id);
        if (guest != null) {
            try {
                guest.close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (Exception e) {
                LOG.warn("what ran on {} does not end", id, e);
            }
        }
    }

    /** Ends everything. */
    @Override
    public void close() {
        later(() -> running.keySet().forEach(this::close));
        thread.shutdown();
        try {
            if (!thread.awaitTermination(10, TimeUnit.SECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
