package dev.tuna.testkit.cloud.model;

import dev.tuna.api.BackendPhase;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One serverless endpoint: its queue, its containers and its meter. Guarded by the model's lock. */
final class Endpoint {

    /** Boots that fail in a row before waiting requests are given up. */
    private static final int BOOT_ATTEMPTS = 3;
    /** Rest after that, so that an endpoint that must have a worker does not spin. */
    private static final Duration BOOT_REST = Duration.ofSeconds(10);

    private final Site site;
    private final Serverless serverless;
    private final Instant createdAt;
    private final Instant readyAt;
    private final Deque<Ticket> queue = new ArrayDeque<>();
    private final List<Container> containers = new ArrayList<>();
    private EndpointRequest request;
    private int generation;
    private int scriptedFailures;
    private int failedBoots;
    private String lastFailure = "";
    private boolean destroyed;
    private @Nullable Instant endedAt;
    private Duration finishedTime = Duration.ZERO;
    private BigDecimal finishedUsd = BigDecimal.ZERO;
    private long requests;
    private long completed;
    private long refused;
    private @Nullable Instant lastRequestAt;

    Endpoint(Site site, Serverless serverless, EndpointRequest request, Duration deployTime) {
        this.site = site;
        this.serverless = serverless;
        this.request = request;
        createdAt = site.now();
        readyAt = createdAt.plus(deployTime);
        site.later(deployTime, this::balance);
    }

    EndpointRequest request() {
        return request;
    }

    boolean destroyed() {
        return destroyed;
    }

    Instant endedAt() {
        return Objects.requireNonNull(endedAt);
    }

    /** Containers of the old make finish what they have; new requests go to new ones. */
    void update(EndpointRequest next) {
        failedBoots = 0;
        if (!next.equals(request)) {
            request = next;
            generation++;
            List.copyOf(containers).stream().filter(Container::idle).forEach(Container::stop);
        }
        balance();
    }

    void failBoots(int times) {
        scriptedFailures = times;
    }

    Lease arrive(RequestListener listener) {
        requests++;
        lastRequestAt = site.now();
        Ticket ticket = new Ticket(site, this, listener);
        if (queue.size() >= serverless.queueLimit()) {
            ticket.fail(429, "endpoint " + request.name() + " has " + queue.size() + " requests waiting");
        } else {
            queue.add(ticket);
            ticket.expireAfter(request.scaling().timeout());
            balance();
        }
        return ticket;
    }

    void over(Ticket ticket, @Nullable Container container, boolean answered) {
        if (answered) {
            completed++;
        } else {
            refused++;
        }
        if (container == null) {
            queue.remove(ticket);
            return;
        }
        container.giveBack(ticket);
        dispatch();
        rest(container);
    }

    private void balance() {
        if (destroyed || site.now().isBefore(readyAt)) {
            return;
        }
        dispatch();
        int concurrency = request.scaling().concurrency();
        int demand =
                queue.size() + current().stream().mapToInt(Container::inFlight).sum();
        int wanted = Math.max(
                request.scaling().workersMin(),
                Math.min(request.scaling().workersMax(), (demand + concurrency - 1) / concurrency));
        for (int count = current().size(); count < wanted; count++) {
            startContainer();
        }
    }

    private List<Container> current() {
        return containers.stream()
                .filter(container -> container.alive() && container.generation() == generation)
                .toList();
    }

    private void startContainer() {
        boolean fails = scriptedFailures > 0;
        scriptedFailures -= fails ? 1 : 0;
        MachineSpec spec = new MachineSpec(site.nextId("c"), request.engine(), request.environment());
        BigDecimal price = serverless.price(request.engine()).orElse(BigDecimal.ZERO);
        containers.add(new Container(site, this, spec, generation, price, serverless.coldStart(), fails));
    }

    /** Fills the fullest container first, so that the others become idle. */
    private void dispatch() {
        while (!queue.isEmpty()) {
            Optional<Container> roomy = containers.stream()
                    .filter(container -> container.generation() == generation)
                    .filter(container -> container.hasRoom(request.scaling().concurrency()))
                    .max(Comparator.comparingInt(Container::inFlight));
            if (roomy.isEmpty()) {
                return;
            }
            roomy.get().take(queue.remove());
        }
    }

    void ready(Container container) {
        failedBoots = 0;
        dispatch();
        rest(container);
    }

    private void rest(Container container) {
        if (!container.alive() || !container.idle()) {
            return;
        }
        if (container.generation() != generation) {
            container.stop();
        } else {
            container.idleAfter(request.scaling().scaledownWindow(), () -> scaleDown(container));
        }
    }

    private void scaleDown(Container container) {
        if (container.alive()
                && container.idle()
                && current().size() > request.scaling().workersMin()) {
            container.stop();
        }
    }

    void ended(Container container, BackendPhase last, String why) {
        containers.remove(container);
        finishedTime = finishedTime.plus(container.meter().time(site.now()));
        finishedUsd = finishedUsd.add(container.meter().usd(site.now()));
        container.running().forEach(ticket -> ticket.fail(502, "container " + container.id() + " ended: " + why));
        if (destroyed) {
            goneIfEmpty();
        } else if (last == BackendPhase.BOOTING || last == BackendPhase.ENGINE) {
            bootFailed(why);
        } else {
            balance();
        }
    }

    private void bootFailed(String why) {
        failedBoots++;
        lastFailure = why;
        if (failedBoots < BOOT_ATTEMPTS) {
            balance();
            return;
        }
        List.copyOf(queue).forEach(ticket -> ticket.fail(503, "no container of " + request.name() + " boots: " + why));
        site.later(BOOT_REST, this::balance);
    }

    void destroy() {
        if (destroyed) {
            return;
        }
        destroyed = true;
        List.copyOf(queue).forEach(ticket -> ticket.fail(404, "endpoint " + request.name() + " was destroyed"));
        for (Container container : List.copyOf(containers)) {
            container.running().forEach(ticket -> ticket.fail(404, "endpoint " + request.name() + " was destroyed"));
            container.stop();
        }
        goneIfEmpty();
    }

    private void goneIfEmpty() {
        if (containers.isEmpty() && endedAt == null) {
            endedAt = site.now();
            serverless.gone(this);
        }
    }

    boolean lose(String containerId) {
        Optional<Container> container =
                containers.stream().filter(one -> one.id().equals(containerId)).findFirst();
        container.ifPresent(Container::lose);
        return container.isPresent();
    }

    void reprice() {
        serverless
                .price(request.engine())
                .ifPresent(price ->
                        containers.forEach(container -> container.meter().reprice(site.now(), price)));
    }

    EndpointView view() {
        Instant now = site.now();
        Duration time = finishedTime;
        BigDecimal usd = finishedUsd;
        for (Container container : containers) {
            time = time.plus(container.meter().time(now));
            usd = usd.add(container.meter().usd(now));
        }
        return new EndpointView(
                request.name(),
                request.owner(),
                request.deployment(),
                request.keyRef(),
                createdAt,
                Optional.ofNullable(endedAt),
                phase(now),
                detail(now),
                request.scaling().timeout(),
                containers.stream().map(Container::view).toList(),
                time,
                serverless.price(request.engine()),
                usd,
                requests,
                completed,
                refused,
                queue.size(),
                Optional.ofNullable(lastRequestAt));
    }

    private BackendPhase phase(Instant now) {
        if (endedAt != null) {
            return BackendPhase.GONE;
        } else if (destroyed) {
            return BackendPhase.DRAINING;
        } else if (failedBoots >= BOOT_ATTEMPTS) {
            return BackendPhase.FAILED;
        }
        return now.isBefore(readyAt) ? BackendPhase.BOOTING : BackendPhase.READY;
    }

    private String detail(Instant now) {
        return switch (phase(now)) {
            case GONE -> "destroyed";
            case DRAINING -> "waiting for " + containers.size() + " container(s) to stop";
            case FAILED -> failedBoots + " boots failed in a row: " + lastFailure;
            case BOOTING -> "being deployed";
            default -> containers.isEmpty() ? "scaled to zero" : containers.size() + " container(s)";
        };
    }
}
