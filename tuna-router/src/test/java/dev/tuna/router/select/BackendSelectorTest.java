package dev.tuna.router.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Tier;
import dev.tuna.router.RouteBackend;
import dev.tuna.router.select.Choice.Outcome;
import dev.tuna.spi.BackendAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BackendSelectorTest {

    private static final long NOW = 42;
    private static final long ASKED_FOR_REST = -1;
    private static final OptionalLong ANY = OptionalLong.empty();

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
    @DisplayName("R12 equals take turns")
    void tiesRotate() {
        List<Some> equals = List.of(replica("a", 2), replica("b", 2), replica("c", 2), replica("busy", 3));
        Map<String, Integer> chosen = new HashMap<>();
        for (int rotation = -50; rotation < 50; rotation++) {
            chosen.merge(
                    BackendSelector.choose(equals, List.<Some>of(), tried::contains, ANY, rotation, NOW)
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
        return BackendSelector.choose(replicas, serverless, tried::contains, ANY, rotation, NOW)
                .outcome();
    }

    @Test
    @DisplayName("R11 R12 what drains, rests or has failed the request is not taken")
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
        Choice<Some> none = BackendSelector.choose(List.<Some>of(), List.of(), tried::contains, ANY, 0, NOW);

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
            OptionalLong conversation = random.nextBoolean() ? ANY : OptionalLong.of(random.nextInt());
            Choice<Some> choice =
                    BackendSelector.choose(replicas, serverless, tried::contains, conversation, random.nextInt(), NOW);
            String where = "seed " + seed + " round " + round;

            List<Some> usable =
                    replicas.stream().filter(some -> some.usable(tried)).toList();
            List<Some> endpoints =
                    serverless.stream().filter(some -> some.usable(tried)).toList();
            if (!usable.isEmpty()) {
                int fewest = usable.stream().mapToInt(Some::inFlight).min().orElseThrow();
                assertThat(choice.outcome()).as(where).isEqualTo(Outcome.REPLICA);
                assertThat(usable).as(where).contains(choice.backend());
                int most = fewest + (conversation.isPresent() ? 4 : 0);
                assertThat(choice.backend().inFlight()).as(where).isBetween(fewest, most);
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

    // --- conversations ---

    private static List<Some> fleet(int size) {
        return IntStream.rangeClosed(1, size)
                .mapToObj(i -> replica("spot-" + i, 0))
                .toList();
    }

    private Some home(long conversation, int rotation, List<Some> replicas) {
        return BackendSelector.choose(
                        replicas, List.<Some>of(), tried::contains, OptionalLong.of(conversation), rotation, NOW)
                .backend();
    }

    @Test
    @DisplayName("R-46 a conversation stays on its replica, whatever turn it is and in whatever order they are listed")
    void aConversationStaysWhereItIs() {
        List<Some> replicas = fleet(5);
        List<Some> listedOtherwise = new ArrayList<>(replicas);
        Collections.reverse(listedOtherwise);
        for (long conversation = 0; conversation < 200; conversation++) {
            Some home = home(conversation, 0, replicas);
            for (int turn = 1; turn < 20; turn++) {
                assertThat(home(conversation, turn, turn % 2 == 0 ? replicas : listedOtherwise))
                        .isSameAs(home);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 0x9E3779B97F4A7C15L, 1L << 40})
    @DisplayName("R-46 conversations are spread evenly over the replicas, whatever numbers they have")
    void conversationsAreSpreadEvenly(long step) {
        List<Some> replicas = fleet(8);
        Map<String, Integer> homes = new HashMap<>();
        for (int i = 0; i < 8_000; i++) {
            homes.merge(home(i * step, i, replicas).backend().id(), 1, Integer::sum);
        }
        assertThat(homes).hasSize(8);
        assertThat(homes.values()).allMatch(count -> count > 850 && count < 1_150);
    }

    @Test
    @DisplayName("R-46 a replica that leaves moves its own conversations and no others, and they go everywhere")
    void aReplicaThatLeavesMovesItsOwnConversations() {
        List<Some> before = fleet(5);
        List<Some> after = before.subList(0, 4);
        Map<String, Integer> moved = new HashMap<>();
        for (int i = 0; i < 2_000; i++) {
            Some home = home(i, i, before);
            if (home.equals(before.get(4))) {
                moved.merge(home(i, i, after).backend().id(), 1, Integer::sum);
            } else {
                assertThat(home(i, i, after)).isSameAs(home);
            }
        }
        assertThat(moved).hasSize(4);
        assertThat(moved.values()).allMatch(count -> count > 60);
    }

    @ParameterizedTest(name = "{0} in flight elsewhere, {1} at home: stays {2}")
    @CsvSource({"0,4,true", "0,5,false", "16,20,true", "16,21,false", "100,125,true", "100,126,false"})
    @DisplayName("R-46 a conversation leaves a replica that is much busier than another, and only that")
    void overloadBreaksAffinity(int elsewhere, int atHome, boolean stays) {
        String home = home(7, 0, fleet(3)).backend().id();
        List<Some> replicas = fleet(3).stream()
                .map(some -> replica(some.backend().id(), some.backend().id().equals(home) ? atHome : elsewhere))
                .toList();

        Some chosen = home(7, 0, replicas);

        assertThat(chosen.backend().id().equals(home)).isEqualTo(stays);
        assertThat(chosen.inFlight()).isEqualTo(stays ? atHome : elsewhere);
    }

    @Test
    @DisplayName("R-46 a home that has failed the request, drains, rests or is slow is left for the next best")
    void whatIsNotReadyIsNobodysHome() {
        List<Some> replicas = fleet(3);
        Some home = home(7, 0, replicas);
        Some second =
                home(7, 0, replicas.stream().filter(some -> !some.equals(home)).toList());
        List<Some> changed = new ArrayList<>();
        changed.add(backend(home.backend().id(), Tier.SPOT, 0, 0, true, true));
        changed.add(backend(home.backend().id(), Tier.SPOT, 0, 0, false, false));
        changed.add(backend(home.backend().id(), Tier.SPOT, 1, 1, true, false));
        changed.add(home.sharing(0));
        for (Some now : changed) {
            List<Some> fleet = replicas.stream()
                    .map(some -> some.equals(home) ? now : some)
                    .toList();
            assertThat(home(7, 1, fleet)).isSameAs(second);
        }
        tried.add(home);
        assertThat(home(7, 1, replicas)).isSameAs(second);
    }

    private Some choose(List<Some> replicas, List<Some> serverless) {
        return BackendSelector.choose(replicas, serverless, tried::contains, ANY, 7, NOW)
                .backend();
    }

    private Outcome why(List<Some> replicas, List<Some> serverless) {
        return BackendSelector.choose(replicas, serverless, tried::contains, ANY, 7, NOW)
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
