package dev.tuna.router.proxy;

import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Requests that wait for a backend, in the order of their arrival. Thread-safe. Whoever waits is called on its own event
 * loop and either gets a backend or comes back to its old place.
 */
final class WaitingRoom {

    private final AtomicLong tickets = new AtomicLong();
    private final AtomicInteger taken = new AtomicInteger();
    private final ConcurrentSkipListMap<Long, Exchange> waiting = new ConcurrentSkipListMap<>();

    /** A place in the order of arrival. */
    long ticket() {
        return tickets.incrementAndGet();
    }

    /** Takes a seat; false if all are taken. */
    boolean enter(long ticket, Exchange exchange, int seats) {
        if (taken.incrementAndGet() > seats) {
            taken.decrementAndGet();
            return false;
        }
        waiting.put(ticket, exchange);
        return true;
    }

    void leave(long ticket) {
        if (waiting.remove(ticket) != null) {
            taken.decrementAndGet();
        }
    }

    int size() {
        return taken.get();
    }

    /** Calls the one that has waited longest. */
    void callOne() {
        if (taken.get() > 0) {
            Map.Entry<Long, Exchange> first = waiting.firstEntry();
            if (first != null) {
                first.getValue().call();
            }
        }
    }

    void callAll() {
        waiting.values().forEach(Exchange::call);
    }
}
