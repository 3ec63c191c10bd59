package dev.tuna.router.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Tier;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.select.Choice.Outcome;
import dev.tuna.spi.BackendAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BackendSelectorTest {

    private static final long NOW = 42;
    private static final long ASKED_FOR_REST = -1;

    private final Set<Some> tried = new HashSet<>();

    private record Some(RouteBackend backend, int inFlight, boolean admitted, double share, long failedAgo)
            implements Candidate {

        Some(RouteBackend backend, int inFlight, boolean admitted) {
            this(backend, inFlight, admitted, 1, ASKED_FOR_REST);
        }

        Some sharing(double share) {
            return new Some(backend, inFlight, admitted, share, failedAgo);
        }

        Some failed(long ago) {
            return new Some(backend, inFlight, false, share, ago);
        }

        @Override
        public boolean keepsUp(double draw, long nowNanos) {
            assertThat(draw).isBetween(0.0, 1.0);
            return draw < share;
        }

        @Override
        public boolean wantsRest(long nowNanos) {
            return failedAgo == ASKED_FOR_REST;
        }

        @Override
        public long sinceFailure(long nowNanos) {
            return failedAgo;
        }

        @Override
        public boolean admits(long nowNanos) {
            assertThat(nowNanos).isEqualTo(NOW);
            return admitted;
        }

        boolean usable(Set<Some> tried) {
            int limit = backend.address().maxInFlight();
            return !backend.draining() && admitted && !tried.contains(this) && (limit == 0 || inFlight < limit);
        }
    }

    @Test
    void takesTheReplicaWithTheFewestRequests() {
        Some free = replica("b", 1);

        assertThat(choose(List.of(replica("a", 3), free, replica("c", 2)), List.of()))
                .isSameAs(free);
    }

    @Test
    @DisplayName("R-31 while a replica can serve, serverless gets nothing")
    void prefersABusyReplicaToIdleServerless() {
        Some busy = replica("a", 900);

        assertThat(choose(List.of(busy), List.of(serverless("s", 0)))).isSameAs(busy);
    }

    @Test
    void tiesRotate() {
        List<Some> equals = List.of(replica("a", 2), replica("b", 2), replica("c", 2), replica("busy", 3));
        Map<String, Integer> chosen = new HashMap<>();
        for (int rotation = -50; rotation < 50; rotation++) {
            chosen.merge(
                    BackendSelector.choose(equals, List.<Some>of(), tried::contains, rotation, NOW)
                            .backend()
                            .backend()
                            .id(),
                    1,
                    Integer::sum);
        }

        assertThat(chosen).containsOnlyKeys("a", "b", "c");
        assertThat(chosen.values()).allMatch(count -> count >= 25);
    }

    @Test
    @DisplayName("R-45 a full fleet spills to serverless, in order of preference")
    void spillsToTheFirstServerlessWithRoom() {
        Some second = backend("s2", Tier.SERVERLESS, 0, 0, true, false);

        assertThat(choose(
                        List.of(backend("a", Tier.SPOT, 8, 8, true, false)),
                        List.of(backend("s1", Tier.SERVERLESS, 4, 4, true, false), second, serverless("s3", 0))))
                .isSameAs(second);
    }

    @Test
    @DisplayName("R-32 a slow replica gets exactly its share of any run of requests, serverless the rest")
    void aSlowReplicaGetsItsShare() {
        for (double share : new double[] {0.05, 0.3, 0.5, 0.8, 1}) {
            List<Some> spot = List.of(replica("a", 3).sharing(share));
            int toSpot = 0;
            for (int rotation = -100; rotation < 900; rotation++) {
                toSpot += outcome(spot, List.of(serverless("s", 0)), rotation) == Outcome.REPLICA ? 1 : 0;
            }
            assertThat(toSpot).as("share " + share).isBetween((int) (1000 * share) - 4, (int) (1000 * share) + 4);
        }
    }

    @Test
    @DisplayName("R-32 what a slow replica leaves goes to its quick neighbour before it goes to serverless")
    void quickNeighboursFirst() {
        List<Some> spot = List.of(replica("slow", 0).sharing(0.05), replica("quick", 9));
        for (int rotation = 0; rotation < 100; rotation++) {
            assertThat(outcome(spot, List.of(serverless("s", 0)), rotation)).isEqualTo(Outcome.REPLICA);
        }
    }

    @Test
    @DisplayName("R-32 R-45 where nothing else can take it, a slow or busy replica does")
    void slowIsBetterThanNothing() {
        Some slow = replica("a", 3).sharing(0);
        Some resting = backend("s", Tier.SERVERLESS, 0, 0, false, false);

        assertThat(choose(List.of(slow), List.of())).isSameAs(slow);
        assertThat(choose(List.of(slow), List.of(resting))).isSameAs(slow);
    }

    @Test
    @DisplayName("if all have failed of late, the one that failed the longest ago is tried")
    void theLeastBad() {
        Some replica = replica("a", 0).failed(5);
        Some longAgo = serverless("s", 7).failed(50);

        assertThat(choose(List.of(replica), List.of(longAgo, serverless("t", 0).failed(9))))
                .isSameAs(longAgo);
        assertThat(why(List.of(replica), List.of(longAgo))).isEqualTo(Outcome.LAST_RESORT);
        assertThat(why(List.of(replica), List.of(backend("s", Tier.SERVERLESS, 0, 0, false, false))))
                .as("one that only rests comes back by itself")
                .isEqualTo(Outcome.RESTING);
        tried.add(replica);
        assertThat(why(List.of(replica), List.of())).isEqualTo(Outcome.EXHAUSTED);
    }

    private Outcome outcome(List<Some> replicas, List<Some> serverless, int rotation) {
        return BackendSelector.choose(replicas, serverless, tried::contains, rotation, NOW)
                .outcome();
    }

    @Test
    void neverTakesADrainingOrRestingOrTriedBackend() {
        Some failed = replica("a", 0);
        tried.add(failed);
        Some fallback = serverless("s", 5);

        assertThat(choose(
                        List.of(
                                failed,
                                backend("b", Tier.SPOT, 0, 0, false, false),
                                backend("c", Tier.SPOT, 0, 0, true, true)),
                        List.of(fallback)))
                .isSameAs(fallback);
    }

    @Test
    void saysWhyThereIsNone() {
        Some full = backend("full", Tier.SPOT, 2, 2, true, false);
        Some resting = backend("resting", Tier.SPOT, 0, 0, false, false);
        Some draining = backend("draining", Tier.ON_DEMAND, 0, 0, true, true);
        Some failed = serverless("failed", 0);
        tried.add(failed);

        assertThat(why(List.of(), List.of())).isEqualTo(Outcome.NO_BACKEND);
        assertThat(why(List.of(draining), List.of())).isEqualTo(Outcome.NO_BACKEND);
        assertThat(why(List.of(draining), List.of(failed))).isEqualTo(Outcome.EXHAUSTED);
        assertThat(why(List.of(draining, resting), List.of(failed))).isEqualTo(Outcome.RESTING);
        assertThat(why(List.of(resting, full), List.of(failed))).isEqualTo(Outcome.FULL);
    }

    @Test
    void aMissingBackendCannotBeTaken() {
        Choice<Some> none = BackendSelector.choose(List.<Some>of(), List.of(), tried::contains, 0, NOW);

        assertThatThrownBy(none::backend)
                .isInstanceOf(NoSuchElementException.class)
                .hasMessageContaining("NO_BACKEND");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void holdsForAnyRoute(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 5_000; round++) {
            tried.clear();
            List<Some> replicas = some(random, Tier.SPOT);
            List<Some> serverless = some(random, Tier.SERVERLESS);
            Choice<Some> choice = BackendSelector.choose(replicas, serverless, tried::contains, random.nextInt(), NOW);
            String where = "seed " + seed + " round " + round;

            List<Some> usable =
                    replicas.stream().filter(some -> some.usable(tried)).toList();
            List<Some> endpoints =
                    serverless.stream().filter(some -> some.usable(tried)).toList();
            if (!usable.isEmpty()) {
                int fewest = usable.stream().mapToInt(Some::inFlight).min().orElseThrow();
                assertThat(choice.outcome()).as(where).isEqualTo(Outcome.REPLICA);
                assertThat(usable).as(where).contains(choice.backend());
                assertThat(choice.backend().inFlight()).as(where).isEqualTo(fewest);
            } else if (!endpoints.isEmpty()) {
                assertThat(choice.outcome()).as(where).isEqualTo(Outcome.SERVERLESS);
                assertThat(choice.backend()).as(where).isEqualTo(endpoints.get(0));
            } else {
                assertThat(choice.isPresent()).as(where).isFalse();
            }
        }
    }

    private List<Some> some(Random random, Tier tier) {
        List<Some> list = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
            Some one = backend(
                    tier + "-" + i,
                    tier,
                    random.nextInt(4),
                    random.nextInt(4),
                    random.nextBoolean(),
                    random.nextInt(4) == 0);
            list.add(one);
            if (random.nextInt(3) == 0) {
                tried.add(one);
            }
        }
        return list;
    }

    private Some choose(List<Some> replicas, List<Some> serverless) {
        return BackendSelector.choose(replicas, serverless, tried::contains, 7, NOW)
                .backend();
    }

    private Outcome why(List<Some> replicas, List<Some> serverless) {
        return BackendSelector.choose(replicas, serverless, tried::contains, 7, NOW)
                .outcome();
    }

    private static Some replica(String id, int inFlight) {
        return backend(id, Tier.SPOT, inFlight, 0, true, false);
    }

    private static Some serverless(String id, int inFlight) {
        return backend(id, Tier.SERVERLESS, inFlight, 0, true, false);
    }

    private static Some backend(
            String id, Tier tier, int inFlight, int maxInFlight, boolean admitted, boolean draining) {
        BackendAddress address = new BackendAddress(
                URI.create("http://127.0.0.1:1"), Optional.empty(), "/health", Optional.empty(), maxInFlight);
        return new Some(new RouteBackend(id, tier, address, draining), inFlight, admitted);
    }
}
