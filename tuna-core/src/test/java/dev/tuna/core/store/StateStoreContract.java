package dev.tuna.core.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRecord.State;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link StateStore} does. A test class for one of them extends this and says how it is opened. */
abstract class StateStoreContract {

    /** Odd on purpose: every digit must come back. */
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00.123456789Z");

    private StateStore store;

    /** Opens the store of this test: a new one the first time, the same one afterwards. */
    abstract StateStore open();

    @BeforeEach
    final void openStore() {
        store = open();
    }

    @AfterEach
    final void closeStore() {
        store.close();
    }

    @Test
    void isEmptyWhenNew() {
        assertThat(store.load()).isEqualTo(new StateSnapshot(List.of(), List.of()));
        assertThat(store.ended(10)).isEmpty();
        assertThat(store.ledger("d1")).isEmpty();
    }

    @Test
    void keepsItsOwnerIdOverRestarts() {
        String ownerId = store.ownerId();

        restart();

        assertThat(store.ownerId()).isEqualTo(ownerId).matches("[a-z0-9]{1,32}");
    }

    @Test
    void keepsEveryPartOfARecordOverRestarts() {
        var deployment = deployment("d1", DeploymentPhase.ACTIVE, 0);
        var replica = resource("r1", State.LIVE);
        var helper = new ResourceRecord(
                "r2",
                "d1",
                "local",
                Optional.empty(),
                State.INTENDED,
                Optional.empty(),
                "{\"text\":\"ünïcode ✓\"}",
                "",
                NOW,
                NOW.plusNanos(1));
        store.save(new StateChange(List.of(deployment), List.of(replica, helper), List.of(entry("d1", 0))));

        restart();

        assertThat(store.load()).isEqualTo(new StateSnapshot(List.of(deployment), List.of(replica, helper)));
        assertThat(store.ledger("d1")).containsExactly(entry("d1", 0));
    }

    @Test
    void replacesADeploymentOfTheSameId() {
        store.save(StateChange.of(deployment("d1", DeploymentPhase.ACTIVE, 0)));
        store.save(StateChange.of(deployment("d1", DeploymentPhase.DESTROYING, 1)));

        assertThat(store.load().deployments()).containsExactly(deployment("d1", DeploymentPhase.DESTROYING, 1));
    }

    @Test
    void keepsTheHistoryOfANameThatIsUsedAgain() {
        store.save(StateChange.of(named("d1", "chat", DeploymentPhase.DESTROYED)));
        store.save(StateChange.of(named("d2", "chat", DeploymentPhase.ACTIVE)));

        assertThat(store.load().deployments()).extracting(DeploymentRecord::id).containsExactly("d2");
        assertThat(store.ended(10)).extracting(DeploymentRecord::id).containsExactly("d1");
    }

    @Test
    void replacesAResourceOfTheSameKeyAndKeepsItsPlace() {
        store.save(StateChange.of(resource("r1", State.INTENDED)));
        store.save(StateChange.of(resource("r2", State.INTENDED)));
        store.save(StateChange.of(resource("r1", State.LIVE)));

        assertThat(store.load().resources())
                .containsExactly(resource("r1", State.LIVE), resource("r2", State.INTENDED));
    }

    @Test
    void loadsEveryResourceThatIsNotKnownToBeGone() {
        for (State state : State.values()) {
            store.save(StateChange.of(resource("r-" + state, state)));
        }

        assertThat(store.load().resources())
                .extracting(ResourceRecord::state)
                .containsExactly(State.INTENDED, State.LIVE, State.ENDING);
    }

    @Test
    void listsEndedDeploymentsNewestFirst() {
        store.save(StateChange.of(deployment("d1", DeploymentPhase.DESTROYED, 1)));
        store.save(StateChange.of(deployment("d2", DeploymentPhase.FAILED, 3)));
        store.save(StateChange.of(deployment("d3", DeploymentPhase.DESTROYED, 2)));
        store.save(StateChange.of(deployment("d4", DeploymentPhase.ACTIVE, 9)));

        assertThat(store.ended(2)).extracting(DeploymentRecord::id).containsExactly("d2", "d3");
        assertThat(store.ended(9)).extracting(DeploymentRecord::id).containsExactly("d2", "d3", "d1");
    }

    @Test
    void aClockThatJumpsLosesNothing() {
        List<Instant> times = List.of(
                NOW,
                NOW.minus(Duration.ofDays(400)),
                Instant.EPOCH.minusSeconds(1),
                Instant.parse("2500-01-01T00:00:00Z"));
        for (int i = 0; i < times.size(); i++) {
            store.save(StateChange.of(new DeploymentRecord(
                    "d" + i, "name-" + i, DeploymentPhase.ACTIVE, "{}", "{}", times.get(i), times.get(i))));
        }

        restart();

        assertThat(store.load().deployments()).extracting(DeploymentRecord::id).containsExactly("d0", "d1", "d2", "d3");
        assertThat(store.load().deployments().subList(0, 3))
                .extracting(DeploymentRecord::createdAt)
                .isEqualTo(times.subList(0, 3));
    }

    @Test
    void keepsTheLedgerOfEachDeploymentInOrder() {
        store.save(new StateChange(List.of(), List.of(), List.of(entry("d1", 2), entry("d2", 0), entry("d1", 1))));
        store.save(new StateChange(List.of(), List.of(), List.of(entry("d1", 1))));

        restart();

        assertThat(store.ledger("d1")).containsExactly(entry("d1", 2), entry("d1", 1), entry("d1", 1));
        assertThat(store.ledger("d2")).containsExactly(entry("d2", 0));
    }

    @Test
    void keepsAnUnknownPriceUnknown() {
        var unknown = new LedgerEntry(
                "d1",
                Tier.SERVERLESS,
                "local",
                "endpoint",
                NOW,
                NOW.plusSeconds(1),
                Duration.ofSeconds(1),
                OptionalLong.empty(),
                OptionalLong.empty(),
                true);

        store.save(new StateChange(List.of(), List.of(), List.of(unknown)));

        assertThat(store.ledger("d1")).containsExactly(unknown);
    }

    @Test
    void keepsWhatHoldsForTheWholeInstallationByName() {
        assertThat(store.setting("one")).isEmpty();
        store.setSetting("one", "{\"text\":\"ünïcode ✓\"}");
        store.setSetting("other", "1");
        store.setSetting("other", "[2]");

        restart();

        assertThat(store.setting("one")).contains("{\"text\":\"ünïcode ✓\"}");
        assertThat(store.setting("other")).contains("[2]");
    }

    @Test
    void refusesASecondControllerAndServesTheFirstOneOn() {
        assertThatThrownBy(this::open).isInstanceOfSatisfying(StoreException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.STORE_LOCKED);
            assertThat(e.retryable()).isTrue();
        });

        store.save(StateChange.of(deployment("d1", DeploymentPhase.ACTIVE, 0)));
        assertThatThrownBy(this::open)
                .as("still locked after a refused attempt")
                .isInstanceOf(StoreException.class);
    }

    @Test
    void isClosedForGoodAndMoreThanOnce() {
        store.close();
        store.close();

        var calls = List.<Runnable>of(
                () -> store.load(),
                () -> store.ended(1),
                () -> store.ledger("d1"),
                () -> store.setting("one"),
                () -> store.setSetting("one", "1"),
                () -> store.save(StateChange.of(deployment("d1", DeploymentPhase.ACTIVE, 0))));
        assertThat(calls)
                .allSatisfy(call -> assertThatThrownBy(call::run)
                        .isInstanceOfSatisfying(
                                StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CLOSED)));
    }

    @Test
    void aSecondCloseDoesNotTakeTheStoreFromTheNextController() {
        StateStore first = store;
        restart();

        first.close();

        assertThatThrownBy(this::open).isInstanceOf(StoreException.class);
        store.save(StateChange.of(deployment("d1", DeploymentPhase.ACTIVE, 0)));
    }

    @Test
    void losesNothingWhenManyThreadsSave() throws Exception {
        int threads = 8;
        int changes = 25;
        var start = new CountDownLatch(1);
        var executor = Executors.newFixedThreadPool(threads);
        try {
            var done = new ArrayList<Future<?>>();
            for (int thread = 0; thread < threads; thread++) {
                String id = "d" + thread;
                done.add(executor.submit(() -> {
                    start.await();
                    for (int i = 0; i < changes; i++) {
                        store.save(new StateChange(
                                List.of(deployment(id, DeploymentPhase.ACTIVE, i)), List.of(), List.of(entry(id, i))));
                    }
                    return id;
                }));
            }
            start.countDown();
            for (Future<?> each : done) {
                each.get();
            }
        } finally {
            executor.shutdownNow();
        }

        restart();
        assertThat(store.load().deployments()).hasSize(threads);
        for (int thread = 0; thread < threads; thread++) {
            String id = "d" + thread;
            assertThat(store.ledger(id))
                    .isEqualTo(IntStream.range(0, changes)
                            .mapToObj(i -> entry(id, i))
                            .toList());
        }
    }

    /** The store under test. */
    final StateStore store() {
        return store;
    }

    private void restart() {
        store.close();
        store = open();
    }

    static DeploymentRecord deployment(String id, DeploymentPhase phase, int age) {
        return new DeploymentRecord(id, "name-" + id, phase, "{}", "[" + age + "]", NOW, NOW.plusSeconds(age));
    }

    private static DeploymentRecord named(String id, String name, DeploymentPhase phase) {
        return new DeploymentRecord(id, name, phase, "{}", "{}", NOW, NOW);
    }

    static ResourceRecord resource(String key, State state) {
        return new ResourceRecord(
                key,
                "d1",
                "local-spot",
                Optional.of(Tier.SPOT),
                state,
                Optional.of(new ResourceRef("local-spot", "instance", "i-" + key)),
                "{\"plan\":1}",
                "{\"phase\":\"" + state + "\"}",
                NOW,
                NOW.plusSeconds(1));
    }

    static LedgerEntry entry(String deploymentId, int hour) {
        Instant from = NOW.plus(Duration.ofHours(hour));
        return new LedgerEntry(
                deploymentId,
                Tier.SPOT,
                "local-spot",
                "replica-1",
                from,
                from.plusNanos(3_600_000_000_001L),
                Duration.ofNanos(3_600_000_000_001L),
                OptionalLong.of(600_000),
                OptionalLong.of(600_000),
                false);
    }
}
