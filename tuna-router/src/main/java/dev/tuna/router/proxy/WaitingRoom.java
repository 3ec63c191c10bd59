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

    /** Calls the one that has waited longest; if it cannot use what there is, it calls the next. */
    void callOne() {
        if (taken.get() > 0) {
            Map.Entry<Long, Exchange> first = waiting.firstEntry();
            if (first != null) {
                first.getValue().call();
            }
        }
    }

    /** Calls the next one behind a place, whether or not it is taken. */
    void callAfter(long ticket) {
        Map.Entry<Long, Exchange> next = waiting.higherEntry(ticket);
        if (next != null) {
            next.getValue().call();
        }
    }

    /** Whether somebody waits whose turn comes before. */
    boolean isAheadOf(Exchange exchange) {
        if (taken.get() == 0) {
            return false;
        }
        Map.Entry<Long, Exchange> first = waiting.firstEntry();
        return first != null && first.getValue() != exchange;
    }

    void callAll() {
        waiting.values().forEach(Exchange::call);
    }
}
