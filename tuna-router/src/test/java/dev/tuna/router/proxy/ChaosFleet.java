package dev.tuna.router.proxy;

import dev.tuna.api.Tier;
import dev.tuna.router.RouteBackend;
import dev.tuna.spi.BackendAddress;
import dev.tuna.testkit.vllm.Fault;
import dev.tuna.testkit.vllm.Fault.Kind;
import dev.tuna.testkit.vllm.Fault.Moment;
import dev.tuna.testkit.vllm.RecordedRequest;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;

/** Replicas on a very bad day: at each step one of them comes, goes, or misbehaves. Confined to the thread that steps. */
final class ChaosFleet implements AutoCloseable {

    private static final int FEWEST = 4;
    private static final int MOST = 8;

    /** What can befall a fleet, and how often of a hundred times. */
    enum Step {
        KILL(24),
        TERMINATE(10),
        NOTICE(18),
        FREEZE(12),
        SPOIL(22),
        ADD(7),
        RETIRE(7);

        private final int percent;

        Step(int percent) {
            this.percent = percent;
        }

        int percent() {
            return percent;
        }
    }

    private static final class Replica {
        private final String id;
        private final VllmStandIn server;
        private Optional<Instant> endsAt = Optional.empty();
        private boolean draining;
        private CountDownLatch thaw = new CountDownLatch(0);
        private int stepsLeft = Integer.MAX_VALUE;

        private Replica(String id, VllmStandIn server) {
            this.id = id;
            this.server = server;
        }

        boolean isFit() {
            return stepsLeft == Integer.MAX_VALUE;
        }

        RouteBackend backend() {
            return new RouteBackend(id, Tier.SPOT, BackendAddress.of(server.uri()), draining, endsAt, "");
        }
    }

    private final Random random;
    private final Duration step;
    private final double tokensPerSecond;
    private final List<Replica> replicas = new ArrayList<>();
    private final List<RouteBackend> remembered = new ArrayList<>();
    private final List<VllmStandIn> gone = new ArrayList<>();
    private final Map<Step, Integer> counts = new EnumMap<>(Step.class);
    private int launched;

    ChaosFleet(long seed, Duration step, double tokensPerSecond) {
        this.random = new Random(seed);
        this.step = step;
        this.tokensPerSecond = tokensPerSecond;
        for (int i = 0; i < FEWEST; i++) {
            launch();
        }
    }

    static <T> T draw(T[] all, ToIntFunction<T> percent, Random random) {
        int left = random.nextInt(100);
        for (T one : all) {
            left -= percent.applyAsInt(one);
            if (left < 0) {
                return one;
            }
        }
        throw new AssertionError("do not add up to 100");
    }

    /** What the route is told: now and then it still names one that is gone. */
    List<RouteBackend> backends() {
        List<RouteBackend> all = new ArrayList<>(remembered);
        replicas.forEach(replica -> all.add(replica.backend()));
        return all;
    }

    Map<Step, Integer> counts() {
        return counts;
    }

    int launched() {
        return launched;
    }

    void step() {
        remembered.clear();
        gone.forEach(VllmStandIn::close); // only now, so that their last words can be read
        gone.clear();
        for (Replica replica : List.copyOf(replicas)) {
            if (replica.stepsLeft != Integer.MAX_VALUE && --replica.stepsLeft == 0) {
                end(replica);
            }
        }
        befall(draw(Step.values(), Step::percent, random));
        while (replicas.stream().filter(Replica::isFit).count() < FEWEST) {
            launch();
        }
    }

    private void befall(Step what) {
        counts.merge(what, 1, Integer::sum);
        Replica victim = pick();
        switch (what) {
            case KILL -> lose(victim, victim.server::kill);
            case TERMINATE -> lose(victim, () -> terminate(victim));
            case NOTICE -> {
                victim.stepsLeft = 2 + random.nextInt(3);
                victim.endsAt = Optional.of(Instant.now().plus(step.multipliedBy(victim.stepsLeft)));
                victim.draining = random.nextBoolean();
            }
            case FREEZE -> {
                victim.stepsLeft = 1 + random.nextInt(3);
                freeze(victim);
            }
            case SPOIL -> victim.server.inject(fault());
            case ADD -> {
                if (replicas.size() < MOST) {
                    launch();
                }
            }
            case RETIRE -> {
                victim.stepsLeft = 3;
                victim.draining = true;
            }
        }
    }

    private Replica pick() {
        List<Replica> fit = replicas.stream().filter(Replica::isFit).toList();
        return fit.get(random.nextInt(fit.size()));
    }

    /** Like a process that hangs: connections are accepted and nothing is ever said, until it goes on or dies. */
    private static void freeze(Replica victim) {
        CountDownLatch thaw = new CountDownLatch(1);
        victim.thaw = thaw;
        victim.server.inject(Fault.status(500).when(request -> {
            try {
                thaw.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return false;
        }));
    }

    private void end(Replica replica) {
        boolean frozen = replica.thaw.getCount() > 0;
        replica.thaw.countDown();
        if (frozen && random.nextBoolean()) {
            replica.server.clearFaults();
            replica.stepsLeft = Integer.MAX_VALUE; // it goes on as if nothing had been
        } else {
            lose(replica, random.nextBoolean() ? replica.server::kill : () -> terminate(replica));
        }
    }

    private static void terminate(Replica replica) {
        var unused = replica.server.terminate(); // how it ends is what the requests on it see
    }

    private void lose(Replica replica, Runnable end) {
        end.run();
        replicas.remove(replica);
        gone.add(replica.server);
        if (random.nextBoolean()) {
            remembered.add(replica.backend());
        }
    }

    /** A server that says 429 or 503 may be asked again, so that these cost waiting only. */
    private Fault fault() {
        int token = random.nextInt(30);
        List<Supplier<Fault>> all = List.of(
                () -> Fault.stall(Moment.atToken(token)).when(ChaosFleet::isStream),
                () -> Fault.stall(Moment.AFTER_HEADERS).when(ChaosFleet::isStream),
                () -> Fault.reset(Moment.BEFORE_HEADERS),
                () -> Fault.reset(Moment.AFTER_HEADERS),
                () -> Fault.reset(Moment.atToken(token)),
                () -> Fault.eof(Moment.AFTER_HEADERS),
                () -> Fault.eof(Moment.atToken(token)),
                () -> Fault.abort(token),
                () -> Fault.errorEvent(token),
                () -> Fault.status(500),
                () -> Fault.status(503),
                () -> Fault.tooManyRequests(Duration.ofSeconds(1)),
                () -> Fault.of(Kind.RESET_WITHIN_STOP),
                () -> Fault.of(Kind.IGNORE_PROMPT_TOKEN_IDS).times(20),
                () -> Fault.of(Kind.IDS_WITHOUT_TEXT).times(20).when(ChaosFleet::isNoRest),
                () -> Fault.slowBody(1 + token, Duration.ofMillis(1)),
                () -> Fault.hugeBody(1 << 16));
        Fault drawn = all.get(random.nextInt(all.size())).get();
        return drawn.times() == Fault.ALWAYS ? drawn.times(1 + random.nextInt(8)) : drawn;
    }

    private static boolean isStream(RecordedRequest request) {
        return request.path().startsWith("/v1/") && request.bodyText().contains("\"stream\":true");
    }

    /** When the router looks for stop strings itself, it cannot tell how many of several tokens came before one. */
    private static boolean isNoRest(RecordedRequest request) {
        String body = request.bodyText();
        return request.path().startsWith("/v1/")
                && !body.contains("kv_transfer_params")
                && !body.contains("\"prompt\":[");
    }

    /** One in four is as quick as it can be. */
    private void launch() {
        launched++;
        replicas.add(new Replica(
                "spot-" + launched,
                VllmStandIn.builder()
                        .timeToFirstToken(step.dividedBy(20))
                        .tokensPerSecond(launched % 4 == 0 ? 0 : tokensPerSecond)
                        .honoursPromptTokenIds(launched % 5 != 0)
                        .keepRequests(0)
                        .start()));
    }

    /** Nobody hangs any longer. */
    void calm() {
        replicas.forEach(replica -> replica.thaw.countDown());
        replicas.forEach(replica -> replica.server.clearFaults());
    }

    @Override
    public void close() {
        calm();
        gone.forEach(VllmStandIn::close);
        replicas.forEach(replica -> replica.server.close());
    }
}
