package dev.tuna.router.admin;

import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The last {@value #MOST} events of a router, numbered from 1 on. Immutable.
 *
 * <p>An event's id is its number behind a mark that no other run of the router has, so that a reader who comes back after a
 * restart is not told the wrong ones.
 */
public final class EventLog {

    /** Events kept for readers that are slow or come back: some 200 kB. */
    public static final int MOST = 1024;

    private final String run;
    private final long last;
    private final List<RouterEvent> events;

    private EventLog(String run, long last, List<RouterEvent> events) {
        this.run = run;
        this.last = last;
        this.events = events;
    }

    /**
     * A log of nothing.
     *
     * @param run tells this run of the router from others; no dash in it
     * @return an empty log
     */
    public static EventLog of(String run) {
        return new EventLog(run, 0, List.of());
    }

    /**
     * The log after further events.
     *
     * @param more in their order
     * @return a log that may have forgotten the oldest
     */
    public EventLog with(List<RouterEvent> more) {
        int all = events.size() + more.size();
        List<RouterEvent> kept = Stream.concat(events.stream(), more.stream())
                .skip(Math.max(0, all - MOST))
                .toList();
        return new EventLog(run, last + more.size(), kept);
    }

    /**
     * The number of the last event.
     *
     * @return zero if there has been none
     */
    public long last() {
        return last;
    }

    /**
     * Whether every event behind one is still there.
     *
     * @param number the event's
     * @return false if some have been forgotten
     */
    public boolean goesBackTo(long number) {
        return number >= last - events.size();
    }

    /**
     * An event.
     *
     * @param number one of those that are still there
     * @return the event
     */
    public RouterEvent event(long number) {
        return events.get((int) (number - 1 - (last - events.size())));
    }

    /**
     * What an event is called.
     *
     * @param number the event's
     * @return its id
     */
    public String id(long number) {
        return run + "-" + number;
    }

    /**
     * The number in an event's id.
     *
     * @param id as {@link #id} made it, or anything else
     * @return empty if this log has never had such an event
     */
    public OptionalLong number(String id) {
        int dash = id.lastIndexOf('-');
        if (dash < 0 || !id.substring(0, dash).equals(run)) {
            return OptionalLong.empty();
        }
        try {
            long number = Long.parseLong(id.substring(dash + 1));
            return number >= 0 && number <= last ? OptionalLong.of(number) : OptionalLong.empty();
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }
}
