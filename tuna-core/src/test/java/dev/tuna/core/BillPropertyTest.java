package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CostReport;
import dev.tuna.api.Deployment;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.cloud.simulated.CallFault;
import dev.tuna.testkit.cloud.simulated.CloudCall;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Whatever happens to a deployment, its bill is what the cloud's own meters say. A failure names the seed;
 * {@code -Dtuna.bill.seed=...} runs that history alone.
 */
class BillPropertyTest {

    private static final List<String> POOLS = List.of("local-1a/l4-1/SPOT", "local-1b/l4-1/SPOT");

    @Test
    @DisplayName("M-03, M-04, M-09: 200 random histories are billed as the cloud meters them")
    void twoHundredRandomHistoriesAreBilledAsMetered() {
        histories(200);
    }

    @Test
    @Tag("full")
    @DisplayName("M-03, M-04, M-09: 10,000 random histories are billed as the cloud meters them")
    void tenThousandRandomHistoriesAreBilledAsMetered() {
        histories(10_000);
    }

    private static void histories(int count) {
        Long given = Long.getLong("tuna.bill.seed");
        long first = given == null ? new Random().nextLong() : given;
        LongStream.range(0, given == null ? count : 1).parallel().forEach(i -> history(first + i));
    }

    private static void history(long seed) {
        String name = "history of -Dtuna.bill.seed=" + seed;
        try (var world = new Simulation(Simulation.rememberingAll())) {
            new History(world, new Random(seed)).live(name);
        } catch (RuntimeException e) {
            throw new IllegalStateException(name, e);
        }
    }

    /** An hour or so of one deployment. Confined to one thread. */
    private static final class History {
        private final Simulation world;
        private final Random random;
        private final Map<Operation, Runnable> priceChanges = new EnumMap<>(Operation.class);
        private final Set<String> looked = new HashSet<>();
        private double faults;

        History(Simulation world, Random random) {
            this.world = world;
            this.random = random;
        }

        void live(String name) {
            world.timings = ControlTimings.DEFAULT.toBuilder()
                    .observeInterval(Duration.ofSeconds(20))
                    .busyInterval(Duration.ofSeconds(5))
                    .build();
            world.cloud.faults(this::fault);
            world.start().deploy(Simulation.chat().scaling(policy()).build());
            int events = 3 + random.nextInt(12);
            for (int i = 0; i < events; i++) {
                event();
                some(Duration.ofSeconds(5 + random.nextInt(600)));
            }
            faults = 0;
            priceChanges.clear();
            Deployment chat = world.tuna.deployment("chat").orElseThrow();
            assertThat(world.until(chat.destroy()::isDone)).as(name).isTrue();
            CostReport bill = world.tuna.cost("chat");
            int entries = world.store.ledger(world.store.ended(1).get(0).id()).size();
            Books.assertBilledAsMetered(world, bill, entries, name);
            assertThat(Books.sum(bill.days().stream().flatMap(day -> day.usd().stream())))
                    .as(name)
                    .isEqualByComparingTo(bill.total());
        }

        private ScalingPolicy policy() {
            int min = random.nextInt(3);
            return new ScalingPolicy(
                    ScalingPolicy.Spot.builder()
                            .minReplicas(min)
                            .maxReplicas(min + random.nextInt(4))
                            .targetQps(0.05)
                            .downscaleDelay(Duration.ofSeconds(random.nextInt(300)))
                            .build(),
                    ScalingPolicy.Serverless.builder()
                            .concurrency(1 + random.nextInt(4))
                            .workersMin(random.nextInt(2))
                            .build());
        }

        private void event() {
            switch (random.nextInt(9)) {
                case 0 -> anyReplica().ifPresent(replica -> world.cloud.lose(replica.id()));
                case 1 ->
                    anyReplica()
                            .filter(replica -> replica.pool().endsWith("SPOT"))
                            .ifPresent(replica ->
                                    world.cloud.interrupt(replica.id(), Duration.ofSeconds(random.nextInt(180))));
                case 2 -> newPrice();
                case 3 -> world.cloud.setCapacity(anyPool(), random.nextInt(4));
                case 4 -> world.cloud.failBoots(anyPool(), random.nextInt(3));
                case 5 -> {
                    looked.clear();
                    world.restart();
                }
                case 6 -> {
                    looked.clear();
                    world.crash();
                }
                case 7 -> faults = random.nextInt(3) * 0.1;
                default -> {}
            }
        }

        private Optional<ReplicaView> anyReplica() {
            List<ReplicaView> running = world.running().stream()
                    .filter(replica -> replica.phase() != BackendPhase.DRAINING)
                    .toList();
            return running.isEmpty() ? Optional.empty() : Optional.of(running.get(random.nextInt(running.size())));
        }

        private String anyPool() {
            return POOLS.get(random.nextInt(POOLS.size()));
        }

        private void newPrice() {
            if (random.nextBoolean()) {
                var price = BigDecimal.valueOf(200 + random.nextInt(200), 3);
                String pool = anyPool();
                priceChanges.put(Operation.OBSERVE, () -> world.cloud.setPrice(pool, price));
            } else {
                var price = BigDecimal.valueOf(900 + random.nextInt(500), 3);
                priceChanges.put(Operation.READ_ENDPOINT, () -> world.cloud.setServerlessPrice("L4", price));
            }
        }

        /** Some calls fail, but no checks, since who passes none of them fails for good; and a new price comes in the moment of a look at what has it, and has been looked at before. */
        private Optional<CallFault> fault(CloudCall call) {
            boolean isCheck = call.operation() == Operation.READ_PRICES || call.operation() == Operation.READ_POOLS;
            if (!isCheck && random.nextDouble() < faults) {
                return Optional.of(random.nextBoolean() ? CallFault.status(500) : CallFault.lostAnswer());
            }
            boolean isKnown = call.operation() == Operation.READ_ENDPOINT
                    ? looked.contains(call.target())
                    : world.running().stream().allMatch(replica -> looked.contains(replica.id()));
            if (isKnown) {
                Optional.ofNullable(priceChanges.remove(call.operation())).ifPresent(Runnable::run);
            }
            if (call.operation() == Operation.READ_ENDPOINT || call.operation() == Operation.OBSERVE) {
                looked.addAll(List.of(call.target().split(" ")));
            }
            return Optional.empty();
        }

        private void some(Duration span) {
            if (random.nextBoolean()) {
                world.traffic(
                        "chat",
                        span,
                        Duration.ofSeconds(5 + random.nextInt(30)),
                        Duration.ofSeconds(random.nextInt(40)));
            } else {
                world.pass(span);
            }
        }
    }
}
