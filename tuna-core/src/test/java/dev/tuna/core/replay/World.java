package dev.tuna.core.replay;

import dev.tuna.api.Tier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * One replay: requests come, machines boot, are taken and end, containers come and go, and all of it is paid for. Time is
 * milliseconds from the start. Whatever a policy does not decide is the same for all of them: chance depends on the seed and
 * on the machine's number alone.
 */
final class World {

    private static final double MILLIS_PER_HOUR = 3_600_000;

    final Supply supply;
    final double serverlessUsd;
    private final int workersMax;
    private final Load load;
    private final Policy policy;
    private final long seed;

    long now;

    /** Machines that are not gone. */
    final List<Machine> machines = new ArrayList<>();

    /** Containers that are not gone. */
    final List<Machine> containers = new ArrayList<>();

    /** Requests that wait for a container. */
    final ArrayDeque<Job> waiting = new ArrayDeque<>();

    long arrived;
    private int working;

    /** Container time that all traffic would have needed on serverless alone is the policy's to reckon; this is what ran. */
    private long containerMillis;

    private double spotUsd;
    private double onDemandUsd;
    private int launches;
    private int losses;
    private long failed;
    private long within2;
    private long within10;
    private int numbers;

    private final PriorityQueue<Event> events = new PriorityQueue<>((left, right) ->
            left.at != right.at ? Long.compare(left.at, right.at) : Long.compare(left.order, right.order));
    private long order;

    private record Event(long at, long order, Runnable what) {}

    World(Supply supply, Load load, double serverlessUsd, int workersMax, Policy policy, long seed) {
        this.supply = supply;
        this.load = load;
        this.serverlessUsd = serverlessUsd;
        this.workersMax = workersMax;
        this.policy = policy;
        this.seed = seed;
    }

    static Outcome replay(Supply supply, Load load, double serverlessUsd, int workersMax, Policy policy, long seed) {
        return new World(supply, load, serverlessUsd, workersMax, policy, seed).run();
    }

    private Outcome run() {
        long end = load.days * 24L * 3_600_000L;
        at(0, this::tick);
        at(0, () -> market(0));
        int next = 0;
        while (true) {
            long arrival = next < load.millis.length ? load.millis[next] : Long.MAX_VALUE;
            Event event = events.peek();
            long first = Math.min(arrival, event == null ? Long.MAX_VALUE : event.at);
            if (first > end) {
                break;
            }
            now = first;
            if (arrival == first) {
                arrived++;
                working++;
                policy.send(this, new Job(now, load.prompt[next], load.output[next]));
                next++;
            } else {
                events.remove().what.run();
            }
        }
        now = end;
        for (Machine machine : List.copyOf(machines)) {
            end(machine);
        }
        for (Machine container : List.copyOf(containers)) {
            remove(container);
        }
        return new Outcome(
                arrived,
                failed,
                within2,
                within10,
                spotUsd,
                onDemandUsd,
                containerMillis / MILLIS_PER_HOUR * serverlessUsd,
                launches,
                losses);
    }

    void at(long when, Runnable what) {
        events.add(new Event(when, order++, what));
    }

    private void tick() {
        policy.tick(this);
        at(now + policy.tickMillis(), this::tick);
    }

    int second() {
        return (int) (now / 1000);
    }

    /** Requests on their way, waiting or not. */
    int present() {
        return working;
    }

    // The market

    private void market(int step) {
        long stepMillis = supply.stepSeconds * 1000L;
        int steps = supply.slots[0].length;
        if (step > 0 && step < steps) {
            for (int zone = 0; zone < supply.zones.size(); zone++) {
                strike(zone, supply.slots[zone][step - 1], supply.slots[zone][step]);
            }
        }
        // Who will be taken at a later step is told in advance, as far as it is told.
        long notice = (long) (1000 * Parameters.NOTICE_SECONDS);
        int ahead = step + (int) ((notice + stepMillis - 1) / stepMillis);
        if (ahead < steps) {
            at(ahead * stepMillis - notice, () -> announce(ahead, ahead * stepMillis));
        }
        if (step + 1 < steps) {
            at((step + 1) * stepMillis, () -> market(step + 1));
        }
    }

    private void announce(int step, long when) {
        for (int zone = 0; zone < supply.zones.size(); zone++) {
            int before = supply.slots[zone][step - 1];
            int after = supply.slots[zone][step];
            if (after < before) {
                for (Machine machine : machines) {
                    if (machine.zone == zone && machine.tier == Tier.SPOT && isHit(machine, step, before, after)) {
                        machine.lostAt = when;
                        if (chance(machine.id * 31L + 7).nextDouble() < Parameters.NOTICE_SHARE) {
                            machine.noticeOf = when;
                        }
                    }
                }
            }
        }
    }

    private void strike(int zone, int before, int after) {
        if (after < before) {
            int step = (int) (now / (supply.stepSeconds * 1000L));
            for (Machine machine : List.copyOf(machines)) {
                if (machine.zone == zone
                        && machine.tier == Tier.SPOT
                        && (machine.lostAt <= now
                                || (machine.askedAt > now - 1000 * Parameters.NOTICE_SECONDS
                                        && isHit(machine, step, before, after)))) {
                    take(machine);
                }
            }
        }
    }

    private boolean isHit(Machine machine, int step, int before, int after) {
        return chance(machine.id * 1_000_003L + step).nextDouble() < (double) (before - after) / before;
    }

    private void take(Machine machine) {
        losses++;
        pay(machine);
        machines.remove(machine);
        machine.gone = true;
        policy.gone(this, machine);
        List<Job> left = new ArrayList<>(machine.working);
        machine.working.clear();
        for (Job job : left) {
            progress(job);
            job.start++;
            policy.lost(this, machine, job);
        }
        List<Job> queued = List.copyOf(machine.queue);
        machine.queue.clear();
        queued.forEach(job -> policy.send(this, job));
    }

    private SplittableRandom chance(long what) {
        return new SplittableRandom(seed * 1_000_000_007L + what);
    }

    boolean isObtainable(int zone) {
        long held = machines.stream()
                .filter(machine -> machine.zone == zone && machine.tier == Tier.SPOT)
                .count();
        return supply.slots(zone, second()) - held > 0;
    }

    double spotPrice(int zone) {
        return supply.price(zone, second());
    }

    // Machines

    /** Rents a spot machine, if there is one. */
    Optional<Machine> launchSpot(int zone) {
        return isObtainable(zone) ? Optional.of(launch(Tier.SPOT, zone)) : Optional.empty();
    }

    Machine launchOnDemand(int zone) {
        return launch(Tier.ON_DEMAND, zone);
    }

    private Machine launch(Tier tier, int zone) {
        int number = numbers++;
        double boot = Parameters.BOOT_SECONDS
                * Math.exp(Parameters.BOOT_SPREAD * chance(number * 17L + 3).nextGaussian());
        var machine = new Machine(number, tier, zone, now, now + Math.round(1000 * boot));
        machines.add(machine);
        launches++;
        at(machine.readyAt, () -> {
            if (!machine.gone) {
                machine.ready = true;
                policy.ready(this, machine);
            }
        });
        return machine;
    }

    /** Gives a machine back. What it still works on goes elsewhere, as if it were lost. */
    void end(Machine machine) {
        if (machine.gone) {
            return;
        }
        pay(machine);
        machines.remove(machine);
        machine.gone = true;
        for (Job job : List.copyOf(machine.working)) {
            progress(job);
            job.start++;
            policy.lost(this, machine, job);
        }
        machine.working.clear();
        List<Job> queued = List.copyOf(machine.queue);
        machine.queue.clear();
        if (!queued.isEmpty()) {
            queued.forEach(job -> policy.send(this, job));
        }
    }

    private void pay(Machine machine) {
        long from = machine.askedAt;
        // The cloud bills a minute at the least.
        long until = Math.max(now, from + 60_000);
        if (machine.tier == Tier.ON_DEMAND) {
            onDemandUsd += (until - from) / MILLIS_PER_HOUR * Parameters.ON_DEMAND_USD;
            return;
        }
        while (from < until) {
            long hourEnds = (from / 3_600_000L + 1) * 3_600_000L;
            long to = Math.min(until, hourEnds);
            spotUsd += (to - from) / MILLIS_PER_HOUR * supply.price(machine.zone, (int) (from / 1000));
            from = to;
        }
    }

    // Requests

    /** Lets a request in at a machine that has room. */
    void start(Job job, Machine machine) {
        machine.inFlight++;
        machine.working.add(job);
        job.startedAt = now;
        job.start++;
        int start = job.start;
        if (!job.firstSeen) {
            at(now + job.prefillMillis(), () -> first(job, start));
        }
        at(now + job.totalMillis(), () -> finish(job, machine, start));
    }

    private void first(Job job, int start) {
        if (job.start == start && !job.over && !job.firstSeen) {
            job.firstSeen = true;
            long waited = now - job.cameAt;
            within2 += waited <= 2_000 ? 1 : 0;
            within10 += waited <= 10_000 ? 1 : 0;
        }
    }

    private void finish(Job job, Machine machine, int start) {
        if (job.start != start || job.over) {
            return;
        }
        job.over = true;
        working--;
        machine.inFlight--;
        machine.working.remove(job);
        machine.busyAt = now;
        Job queued = machine.queue.poll();
        if (queued != null) {
            start(queued, machine);
        } else if (machine.tier == Tier.SERVERLESS) {
            serve();
        }
    }

    /** What a client has when its machine goes: the rest is to come from elsewhere. */
    private void progress(Job job) {
        long generating = now - job.startedAt - job.prefillMillis();
        int tokens = (int) Math.min(job.left, Math.max(0, generating * Parameters.TOKENS_PER_SECOND / 1000));
        job.done += tokens;
        job.left -= tokens;
    }

    void fail(Job job) {
        if (!job.over) {
            job.over = true;
            working--;
            failed++;
        }
    }

    // Serverless

    /** Sends a request to the serverless endpoint: it starts containers as requests need them. */
    void toServerless(Job job) {
        waiting.add(job);
        at(now + (long) (1000 * Parameters.PATIENCE_SECONDS), () -> {
            if (waiting.remove(job)) {
                fail(job);
            }
        });
        serve();
    }

    /** Makes sure that a container is there or on its way, for whoever comes next. */
    void wakeServerless() {
        if (containers.isEmpty()) {
            startContainer();
        } else {
            containers.stream().filter(container -> container.ready).forEach(this::touch);
        }
    }

    boolean hasWarmContainer() {
        return containers.stream().anyMatch(container -> container.ready);
    }

    private void touch(Machine container) {
        container.busyAt = now;
        at(now + (long) (1000 * Parameters.SCALEDOWN_SECONDS), () -> rest(container));
    }

    private void serve() {
        while (!waiting.isEmpty()) {
            Optional<Machine> free = containers.stream()
                    .filter(container -> container.ready && container.hasRoom())
                    .findFirst();
            if (free.isEmpty()) {
                break;
            }
            start(waiting.remove(), free.get());
        }
        long booting = containers.stream().filter(container -> !container.ready).count();
        while (waiting.size() > booting * Parameters.CONCURRENCY && containers.size() < workersMax) {
            startContainer();
            booting++;
        }
        for (Machine container : containers) {
            if (container.ready && container.inFlight == 0) {
                at(container.busyAt + (long) (1000 * Parameters.SCALEDOWN_SECONDS), () -> rest(container));
            }
        }
    }

    private void startContainer() {
        int number = numbers++;
        double cold = Parameters.COLD_START_SECONDS
                * Math.exp(
                        Parameters.COLD_START_SPREAD * chance(number * 13L + 5).nextGaussian());
        var container = new Machine(number, Tier.SERVERLESS, -1, now, now + Math.round(1000 * cold));
        containers.add(container);
        at(container.readyAt, () -> {
            container.ready = true;
            policy.ready(this, container);
            touch(container);
            serve();
        });
    }

    private void rest(Machine container) {
        if (!container.gone
                && container.inFlight == 0
                && now >= container.busyAt + (long) (1000 * Parameters.SCALEDOWN_SECONDS)) {
            remove(container);
        }
    }

    private void remove(Machine container) {
        container.gone = true;
        containers.remove(container);
        containerMillis += now - container.askedAt;
    }
}
