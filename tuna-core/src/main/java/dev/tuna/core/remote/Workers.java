package dev.tuna.core.remote;

import dev.tuna.core.control.Threads;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The threads of this package: daemons with names that say whose they are. */
final class Workers {

    private Workers() {}

    /** As many as there is to wait for; they go when they have nothing to do. */
    static ExecutorService named(String name) {
        return Executors.newCachedThreadPool(Threads.daemons(name));
    }

    /** So many at the most, whoever knocks; they go when they have nothing to do. */
    static ExecutorService named(String name, int most) {
        var threads = new ThreadPoolExecutor(
                most, most, 1, TimeUnit.MINUTES, new LinkedBlockingQueue<>(), Threads.daemons(name));
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    /**
     * Makes something that starts threads of its own and takes nothing for them but what it inherits: that they are
     * daemons, and their group, by which they are found and named.
     */
    static <T> T hosting(String name, Callable<T> maker) throws IOException {
        var group = new ThreadGroup(name);
        var made = new CompletableFuture<T>();
        var thread = new Thread(group, () -> complete(made, maker), name);
        thread.setDaemon(true);
        thread.start();
        T hosted = join(made);
        var threads = new Thread[group.activeCount() + 8];
        int count = group.enumerate(threads);
        for (int i = 0; i < count; i++) {
            threads[i].setName(name + "-" + (i + 1));
        }
        return hosted;
    }

    private static <T> void complete(CompletableFuture<T> made, Callable<T> maker) {
        try {
            made.complete(maker.call());
        } catch (Exception | Error e) {
            made.completeExceptionally(e);
        }
    }

    private static <T> T join(CompletableFuture<T> made) throws IOException {
        try {
            return made.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        }
    }
}
