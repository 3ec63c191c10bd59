package dev.tuna.core.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Reckons the container time of a serverless endpoint from the requests in flight: containers needed, those that stay for
 * the scale-down window after they were last needed, cold starts, and workers that are always on.
 *
 * <p>At every moment as many containers run as were needed at most at any moment of the window before it. Between two
 * steps the requests in flight are taken to be what the earlier step said. Its size is bounded by the number of containers
 * running, whatever the traffic.
 *
 * @param at when the last step was
 * @param needed containers that the load of the last step needs
 * @param lingering containers that are no longer needed and still run: most containers, and earliest end, first
 * @param time container time up to {@code at}
 */
public record ContainerMeter(Instant at, int needed, List<Lingering> lingering, Duration time) {

    /** Copies the list. */
    public ContainerMeter {
        Objects.requireNonNull(at, "at");
        lingering = List.copyOf(lingering);
        Objects.requireNonNull(time, "time");
    }

    /**
     * A number of containers that runs on for a while.
     *
     * @param containers how many, those needed included
     * @param until when this many were last needed, plus the window
     */
    public record Lingering(int containers, Instant until) {

        /** Checks that every part is there. */
        public Lingering {
            Objects.requireNonNull(until, "until");
        }
    }

    /**
     * A meter that begins without traffic, with the workers that are always on.
     *
     * @param rules how containers come and go
     * @param now when the endpoint was made
     * @return the meter
     */
    public static ContainerMeter start(ContainerRules rules, Instant now) {
        return new ContainerMeter(now, 0, List.of(), rules.coldStart().multipliedBy(rules.workersMin()));
    }

    /**
     * Goes on to a moment and takes note of the load from then on.
     *
     * @param rules how containers come and go
     * @param now the moment; one before the last step counts as the last step
     * @param inFlight requests in flight from then on
     * @return the meter at that moment
     */
    public ContainerMeter step(ContainerRules rules, Instant now, int inFlight) {
        Instant moment = now.isBefore(at) ? at : now;
        int next = rules.needed(inFlight);
        var stays = new ArrayList<Lingering>();
        for (Lingering each : lingering) {
            if (each.until().isAfter(moment) && each.containers() > Math.max(needed, next)) {
                stays.add(each);
            }
        }
        Instant until = moment.plus(rules.scaledownWindow());
        if (needed > next && until.isAfter(moment)) {
            stays.add(new Lingering(needed, until));
        }
        var stepped = new ContainerMeter(moment, next, stays, time.plus(timeUntil(rules, moment)));
        int started = stepped.running(rules, moment) - running(rules, moment);
        return started > 0 ? stepped.withTime(rules.coldStart().multipliedBy(started)) : stepped;
    }

    /**
     * Containers that run at a moment, if the load stays as it is until then.
     *
     * @param rules how containers come and go
     * @param moment a moment at or after the last step
     * @return how many
     */
    public int running(ContainerRules rules, Instant moment) {
        return lingering.stream()
                .filter(each -> each.until().isAfter(moment))
                .mapToInt(Lingering::containers)
                .reduce(floor(rules), Math::max);
    }

    private Duration timeUntil(ContainerRules rules, Instant end) {
        Instant reached = at;
        Duration sum = Duration.ZERO;
        for (Lingering each : lingering) {
            Instant next = each.until().isBefore(end) ? each.until() : end;
            if (each.containers() > floor(rules) && next.isAfter(reached)) {
                sum = sum.plus(Duration.between(reached, next).multipliedBy(each.containers()));
                reached = next;
            }
        }
        return sum.plus(Duration.between(reached, end).multipliedBy(floor(rules)));
    }

    private int floor(ContainerRules rules) {
        return Math.max(rules.workersMin(), needed);
    }

    private ContainerMeter withTime(Duration more) {
        return new ContainerMeter(at, needed, lingering, time.plus(more));
    }
}
