package dev.tuna.router.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.BackendFailure;
import dev.tuna.router.BreakerPhase;
import dev.tuna.router.RoutePolicy.Breaker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class BreakerStateTest {

    private static final long SECOND = 1_000_000_000L;
    private static final Breaker POLICY = new Breaker(3, Duration.ofSeconds(5), 1, 2, Duration.ofSeconds(30));

    private long now = -7 * SECOND; // nanoTime may be negative
    private BreakerState breaker = BreakerState.INITIAL;

    @Test
    @DisplayName("R-26 one failure opens nothing; failures in a row do")
    void opensAfterFailuresInARow() {
        fail(BackendFailure.SERVER_ERROR);
        fail(BackendFailure.NO_ANSWER);
        assertThat(admits()).isTrue();

        fail(BackendFailure.SERVER_ERROR);
        assertThat(admits()).isFalse();
        assertThat(phase()).isEqualTo(BreakerPhase.OPEN);
    }

    @Test
    void aSuccessBetweenForgetsFailures() {
        fail(BackendFailure.SERVER_ERROR);
        fail(BackendFailure.SERVER_ERROR);
        succeed(start());
        fail(BackendFailure.SERVER_ERROR);
        fail(BackendFailure.SERVER_ERROR);

        assertThat(phase()).isEqualTo(BreakerPhase.CLOSED);
    }

    @ParameterizedTest(name = "{0} of a replica: {1}, of a serverless endpoint: {2}")
    @CsvSource({
        "CONNECT, OPEN, CLOSED",
        "NO_ANSWER, CLOSED, CLOSED",
        "SLOW_FIRST_TOKEN, CLOSED, CLOSED",
        "SERVER_ERROR, CLOSED, CLOSED",
        "OVERLOADED, CLOSED, CLOSED",
        "PROTOCOL, CLOSED, CLOSED",
        "MID_STREAM, CLOSED, CLOSED",
    })
    void oneFailureOpensOnlyARefusingReplica(BackendFailure failure, BreakerPhase replica, BreakerPhase serverless) {
        assertThat(breaker.failed(failure, true, now, now, POLICY).phase(now, POLICY))
                .isEqualTo(replica);
        assertThat(breaker.failed(failure, false, now, now, POLICY).phase(now, POLICY))
                .isEqualTo(serverless);
    }

    @ParameterizedTest
    @EnumSource(value = BackendFailure.class, names = "OVERLOADED", mode = EnumSource.Mode.EXCLUDE)
    void everyOtherKindCounts(BackendFailure failure) {
        for (int i = 0; i < POLICY.failures(); i++) {
            breaker = breaker.failed(failure, false, now, now, POLICY);
        }

        assertThat(phase()).isEqualTo(BreakerPhase.OPEN);
    }

    @Test
    @DisplayName("R7 overload never opens it")
    void overloadNeverOpensIt() {
        for (int i = 0; i < 100; i++) {
            breaker = breaker.failed(BackendFailure.OVERLOADED, true, now, now, POLICY);
        }

        assertThat(breaker).isSameAs(BreakerState.INITIAL);
    }

    @Test
    void halfOpensAfterItsTime() {
        open();
        now += 5 * SECOND - 1;
        assertThat(admits()).isFalse();

        now += 1;
        assertThat(admits()).isTrue();
        assertThat(phase()).isEqualTo(BreakerPhase.HALF_OPEN);
    }

    @Test
    @DisplayName("R9 a half-open breaker admits one probe at a time and closes after two")
    void admitsOneProbeAtATimeAndClosesAfterTwo() {
        open();
        now += 5 * SECOND;
        long first = start();
        assertThat(admits()).isFalse();

        succeed(first);
        assertThat(phase()).isEqualTo(BreakerPhase.HALF_OPEN);
        assertThat(admits()).isTrue();

        succeed(start());
        assertThat(phase()).isEqualTo(BreakerPhase.CLOSED);
    }

    @Test
    void aFailedProbeOpensItForAnotherWhile() {
        open();
        now += 5 * SECOND;
        long probe = start();
        now += SECOND;
        breaker = breaker.failed(BackendFailure.SERVER_ERROR, true, probe, now, POLICY);

        now += 5 * SECOND - 1;
        assertThat(admits()).isFalse();
        now += 1;
        assertThat(admits()).isTrue();
    }

    @Test
    @DisplayName("R-27 R9 a probe that never ends does not keep the breaker half open")
    void aProbeThatNeverEndsLosesItsPlace() {
        open();
        now += 5 * SECOND;
        long stuck = start();
        now += 5 * SECOND;
        assertThat(admits()).isTrue();
        long second = start();
        assertThat(admits()).isFalse();

        succeed(stuck); // ends after all: counts, but frees no place that is not its own
        assertThat(admits()).isFalse();
        succeed(second);
        assertThat(phase()).isEqualTo(BreakerPhase.CLOSED);
    }

    @Test
    void anAbandonedProbeFreesItsPlaceWithoutAVerdict() {
        open();
        now += 5 * SECOND;
        long probe = start();
        breaker = breaker.abandoned(probe);

        assertThat(phase()).isEqualTo(BreakerPhase.HALF_OPEN);
        assertThat(admits()).isTrue();
    }

    @Test
    void anOverloadedProbeFreesItsPlaceAndRests() {
        open();
        now += 5 * SECOND;
        long probe = start();
        breaker = breaker.overloaded(Duration.ofSeconds(2), probe, now, POLICY);
        assertThat(admits()).isFalse();

        now += 2 * SECOND;
        assertThat(phase()).isEqualTo(BreakerPhase.HALF_OPEN);
        assertThat(admits()).isTrue();
    }

    @Test
    void attemptsFromBeforeTheChangeAreHistory() {
        long early = start();
        now += 1;
        open();
        succeed(early);
        assertThat(phase()).isEqualTo(BreakerPhase.OPEN);

        now += 5 * SECOND;
        long probe = start();
        breaker = breaker.failed(BackendFailure.MID_STREAM, true, early, now, POLICY);
        succeed(early);
        assertThat(admits()).as("the probe still holds its place").isFalse();

        now += 1;
        succeed(probe);
        succeed(start());
        assertThat(phase()).isEqualTo(BreakerPhase.CLOSED);
        breaker = breaker.failed(BackendFailure.CONNECT, true, early, now, POLICY);
        assertThat(phase()).isEqualTo(BreakerPhase.CLOSED);
    }

    @Test
    void coolsDownAsLongAsAsked() {
        breaker = breaker.overloaded(Duration.ofSeconds(3), now, now, POLICY);
        assertThat(phase()).isEqualTo(BreakerPhase.COOLING);
        now += 3 * SECOND - 1;
        assertThat(admits()).isFalse();

        now += 1;
        assertThat(admits()).isTrue();
        assertThat(phase()).isEqualTo(BreakerPhase.CLOSED);
    }

    @ParameterizedTest
    @ValueSource(longs = {31, 3600, Long.MAX_VALUE})
    void cutsTheRestToTheLimit(long seconds) {
        breaker = breaker.overloaded(Duration.ofSeconds(seconds), now, now, POLICY);
        now += 30 * SECOND - 1;
        assertThat(admits()).isFalse();

        now += 1;
        assertThat(admits()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -5})
    void noRestAskedNoRestTaken(long seconds) {
        assertThat(breaker.overloaded(Duration.ofSeconds(seconds), now, now, POLICY))
                .isSameAs(BreakerState.INITIAL);
    }

    @Test
    void aShorterRestDoesNotShortenALongerOne() {
        breaker = breaker.overloaded(Duration.ofSeconds(10), now, now, POLICY);
        breaker = breaker.overloaded(Duration.ofSeconds(1), now, now, POLICY);
        now += 9 * SECOND;

        assertThat(admits()).isFalse();
    }

    @Test
    void aHealthyBackendCostsNoNewState() {
        assertThat(breaker.started(now, POLICY)).isSameAs(breaker);
        assertThat(breaker.succeeded(now, now, POLICY)).isSameAs(breaker);
        assertThat(breaker.abandoned(now)).isSameAs(breaker);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void keepsItsPromisesUnderAnySequence(long seed) {
        Random random = new Random(seed);
        Breaker policy = new Breaker(
                1 + random.nextInt(4),
                Duration.ofMillis(random.nextInt(3000)),
                1 + random.nextInt(3),
                1 + random.nextInt(3),
                Duration.ofSeconds(random.nextInt(4)));
        BreakerState state = BreakerState.INITIAL;
        List<Long> running = new ArrayList<>();
        List<Long> probes = new ArrayList<>();
        for (int step = 0; step < 20_000; step++) {
            now += random.nextInt(200_000_000);
            String where = "seed " + seed + " step " + step + " " + state;
            if (state.admits(now, policy)) {
                BreakerState next = state.started(now, policy);
                running.add(now);
                if (next.phase(now, policy) == BreakerPhase.HALF_OPEN) {
                    probes.add(now);
                    long place = BreakerState.probePlace(policy);
                    assertThat(probes.stream()
                                    .filter(start -> now - start < place)
                                    .count())
                            .as(where)
                            .isLessThanOrEqualTo(policy.probes());
                }
                state = next;
            }
            if (!running.isEmpty() && random.nextBoolean()) {
                long attempt = running.remove(random.nextInt(running.size()));
                probes.remove((Object) attempt);
                state = end(state, attempt, random, policy);
                if (!state.toString().startsWith("HALF_OPEN")) {
                    probes.clear(); // the bound is on one round of probing
                }
            }
            assertThat(comesBack(state, policy)).as(where).isTrue();
        }
    }

    private BreakerState end(BreakerState state, long attempt, Random random, Breaker policy) {
        return switch (random.nextInt(5)) {
            case 0 -> state.overloaded(Duration.ofMillis(random.nextInt(9000)), attempt, now, policy);
            case 1 -> state.abandoned(attempt);
            case 2 -> state.failed(BackendFailure.CONNECT, true, attempt, now, policy);
            case 3 -> state.failed(BackendFailure.SERVER_ERROR, false, attempt, now, policy);
            default -> state.succeeded(attempt, now, policy);
        };
    }

    /** Whatever happened, silence makes it admit again. */
    private boolean comesBack(BreakerState state, Breaker policy) {
        long longest =
                Math.max(BreakerState.probePlace(policy), policy.maxCooldown().toNanos());
        return state.admits(now + longest, policy);
    }

    private void open() {
        breaker = breaker.failed(BackendFailure.CONNECT, true, now, now, POLICY);
        assertThat(phase()).isEqualTo(BreakerPhase.OPEN);
    }

    private void fail(BackendFailure failure) {
        breaker = breaker.failed(failure, true, start(), now, POLICY);
    }

    private long start() {
        assertThat(admits()).isTrue();
        breaker = breaker.started(now, POLICY);
        return now;
    }

    private void succeed(long startedAt) {
        breaker = breaker.succeeded(startedAt, now, POLICY);
    }

    private boolean admits() {
        return breaker.admits(now, POLICY);
    }

    private BreakerPhase phase() {
        return breaker.phase(now, POLICY);
    }
}
