package dev.tuna.core.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Tier;
import dev.tuna.core.reconcile.FleetAction.Drain;
import dev.tuna.core.reconcile.FleetAction.End;
import dev.tuna.core.reconcile.FleetAction.Launch;
import dev.tuna.core.reconcile.FleetAction.Relocate;
import dev.tuna.core.reconcile.ReplicaView.Stage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class ReconcilerTest {

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration BOOT = Duration.ofMinutes(20);

    private static ReplicaView replica(String id, Stage stage) {
        return replica(id, stage, 0, 240_000, NOW.minusSeconds(60), false, Optional.empty());
    }

    private static ReplicaView replica(
            String id,
            Stage stage,
            int inFlight,
            long price,
            Instant askedAt,
            boolean doomed,
            Optional<Instant> drainUntil) {
        return new ReplicaView(
                id,
                Tier.SPOT,
                stage,
                "detail",
                BackendPhase.WEIGHTS,
                askedAt,
                doomed,
                false,
                drainUntil,
                inFlight,
                OptionalLong.of(price));
    }

    private static ReplicaView leavable(String id) {
        return new ReplicaView(
                id,
                Tier.SPOT,
                Stage.READY,
                "detail",
                BackendPhase.READY,
                NOW.minusSeconds(60),
                false,
                true,
                Optional.empty(),
                1,
                OptionalLong.of(240_000));
    }

    private static List<FleetAction> reconcile(int target, int most, ReplicaView... fleet) {
        return Reconciler.reconcile(target, most, List.of(fleet), BOOT, NOW);
    }

    @Test
    void launchesWhatIsMissingButNeverMoreMachinesThanAllowed() {
        assertThat(reconcile(3, 5)).containsExactly(new Launch(3));
        assertThat(reconcile(3, 5, replica("a", Stage.BOOTING), replica("b", Stage.READY)))
                .containsExactly(new Launch(1));
        assertThat(reconcile(2, 2, replica("a", Stage.READY), replica("b", Stage.ENDING)))
                .as("what is not confirmed gone may still run")
                .isEmpty();
    }

    @Test
    void drainsTheDearestThenTheIdlestThenTheYoungest() {
        Instant old = NOW.minusSeconds(600);
        assertThat(reconcile(
                        1,
                        5,
                        replica("busy", Stage.READY, 3, 240_000, old, false, Optional.empty()),
                        replica("dear", Stage.READY, 9, 900_000, old, false, Optional.empty()),
                        replica("young", Stage.READY, 0, 240_000, NOW, false, Optional.empty()),
                        replica("old", Stage.READY, 0, 240_000, old, false, Optional.empty())))
                .extracting(action -> ((Drain) action).id())
                .containsExactly("dear", "young", "old");
    }

    @Test
    void aBootingReplicaIsNotGivenUpNorDoesItPushAReadyOneOut() {
        assertThat(reconcile(0, 5, replica("a", Stage.BOOTING))).isEmpty();
        assertThat(reconcile(1, 5, replica("a", Stage.BOOTING), replica("b", Stage.READY)))
                .isEmpty();
    }

    @Test
    void whenTheLimitIsLoweredTheYoungestThatBootEndFirstAndReadyOnesAreDrained() {
        ReplicaView old = replica("old", Stage.BOOTING);
        ReplicaView young = replica("young", Stage.BOOTING, 0, 1, NOW, false, Optional.empty());
        assertThat(reconcile(2, 2, replica("a", Stage.READY), old, young))
                .singleElement()
                .satisfies(action -> assertThat(((End) action).id()).isEqualTo("young"))
                .satisfies(action -> assertThat(((End) action).reason()).contains("2 at the most"));
        assertThat(reconcile(1, 1, replica("a", Stage.READY), replica("b", Stage.READY), old, young))
                .extracting(action -> action instanceof End end ? "end " + end.id() : "drain " + ((Drain) action).id())
                .containsExactly("end young", "end old", "drain a");
        assertThat(reconcile(0, 0, old)).hasSize(1);
        assertThat(reconcile(0, 1, old)).as("only for lack of traffic").isEmpty();
    }

    @Test
    void aDoomedReplicaIsDrainedAndReplaced() {
        assertThat(reconcile(1, 5, replica("a", Stage.READY, 1, 1, NOW, true, Optional.empty())))
                .satisfiesExactly(
                        action -> assertThat(action).isInstanceOf(Drain.class),
                        action -> assertThat(action).isEqualTo(new Launch(1)));
    }

    @Test
    void whatItsCloudWillTakeMakesRoomForItsSuccessor() {
        ReplicaView doomed = replica("a", Stage.READY, 1, 1, NOW, true, Optional.empty());
        ReplicaView drained = replica("b", Stage.DRAINING, 1, 1, NOW, true, Optional.of(NOW.plusSeconds(90)));
        ReplicaView ending = replica("c", Stage.ENDING, 0, 1, NOW, true, Optional.empty());
        assertThat(reconcile(1, 1, doomed)).contains(new Launch(1));
        assertThat(reconcile(1, 1, drained, ending)).containsExactly(new Launch(1));
        assertThat(reconcile(1, 1, drained, replica("d", Stage.BOOTING)))
                .as("one successor is enough")
                .isEmpty();
        assertThat(reconcile(2, 2, doomed, replica("d", Stage.ENDING), replica("e", Stage.READY)))
                .as("what goes for another reason may run for as long as it takes")
                .doesNotContain(new Launch(1));
    }

    @Test
    void whatItsCloudRecommendsToLeaveServesOnUntilASuccessorServes() {
        assertThat(reconcile(1, 5, leavable("a"))).containsExactly(new Relocate(1));
        assertThat(reconcile(1, 5, leavable("a"), replica("b", Stage.BOOTING))).isEmpty();
        assertThat(reconcile(1, 5, leavable("a"), replica("b", Stage.READY)))
                .singleElement()
                .satisfies(action -> assertThat(((Drain) action).id()).isEqualTo("a"))
                .satisfies(action -> assertThat(((Drain) action).reason()).contains("recommends to leave"));
        assertThat(reconcile(0, 5, leavable("a")))
                .as("what nobody needs needs no successor")
                .singleElement()
                .isInstanceOf(Drain.class);
    }

    @Test
    void aFullFleetChangesPlaceWithOneMachineMoreAtATime() {
        assertThat(reconcile(2, 2, leavable("a"), leavable("b"))).containsExactly(new Relocate(1));
        assertThat(reconcile(2, 2, leavable("a"), leavable("b"), replica("c", Stage.BOOTING)))
                .as("neither another one nor the end of the one that boots")
                .isEmpty();
        assertThat(reconcile(2, 2, leavable("a"), leavable("b"), replica("c", Stage.READY)))
                .singleElement()
                .isInstanceOf(Drain.class);
        Optional<Instant> later = Optional.of(NOW.plusSeconds(60));
        ReplicaView leaving = replica("a", Stage.DRAINING, 1, 1, NOW, false, later);
        assertThat(reconcile(2, 2, leaving, leavable("b"), replica("c", Stage.READY)))
                .as("what still runs counts")
                .isEmpty();
        assertThat(reconcile(2, 3, leavable("a"), leavable("b"))).containsExactly(new Relocate(2));
        assertThat(reconcile(3, 3, leavable("a"), leavable("b")))
                .as("what is missing comes first")
                .containsExactly(new Launch(1), new Relocate(1));
        assertThat(reconcile(0, 0, leavable("a"), replica("c", Stage.BOOTING)))
                .as("a limit of nothing is one")
                .hasSize(2);
    }

    private static ReplicaView atListPrice(Stage stage, OptionalLong price) {
        return new ReplicaView(
                "a",
                Tier.ON_DEMAND,
                stage,
                "detail",
                BackendPhase.READY,
                NOW.minusSeconds(60),
                false,
                false,
                Optional.empty(),
                0,
                price);
    }

    @Test
    void besideAFullFleetOneSpotMachineBootsThatTakesThePlaceOfOneAtListPrice() {
        ReplicaView dear = atListPrice(Stage.READY, OptionalLong.of(800_000));
        assertThat(reconcile(1, 1, dear, replica("b", Stage.BOOTING))).isEmpty();
        assertThat(reconcile(1, 1, dear, replica("b", Stage.BOOTING), replica("c", Stage.BOOTING)))
                .as("one only")
                .singleElement()
                .satisfies(action -> assertThat(((End) action).id()).isEqualTo("c"));
        assertThat(reconcile(1, 1, dear, replica("b", Stage.READY)))
                .singleElement()
                .satisfies(action -> assertThat(((Drain) action).id()).isEqualTo("a"));
        assertThat(reconcile(1, 1, replica("b", Stage.READY), atListPrice(Stage.BOOTING, OptionalLong.empty())))
                .as("nothing at list price beyond the maximum")
                .singleElement()
                .satisfies(action -> assertThat(((End) action).id()).isEqualTo("a"));
    }

    @Test
    void whereNoPriceIsKnownListPriceGoesBeforeSpot() {
        ReplicaView spot = new ReplicaView(
                "b",
                Tier.SPOT,
                Stage.READY,
                "detail",
                BackendPhase.READY,
                NOW,
                false,
                false,
                Optional.empty(),
                0,
                OptionalLong.empty());
        assertThat(reconcile(1, 1, atListPrice(Stage.READY, OptionalLong.empty()), spot))
                .singleElement()
                .satisfies(action -> assertThat(((Drain) action).id()).isEqualTo("a"));
    }

    @Test
    void aDrainedReplicaEndsWhenItIsIdleOrItsTimeIsUp() {
        Optional<Instant> later = Optional.of(NOW.plusSeconds(10));
        assertThat(reconcile(0, 5, replica("a", Stage.DRAINING, 1, 1, NOW, false, later)))
                .isEmpty();
        assertThat(reconcile(0, 5, replica("a", Stage.DRAINING, 0, 1, NOW, false, later)))
                .containsExactly(new End("a", "detail", false));
        assertThat(reconcile(0, 5, replica("a", Stage.DRAINING, 1, 1, NOW, false, Optional.of(NOW))))
                .containsExactly(new End("a", "detail", false));
    }

    @Test
    void whatIsBrokenOrTooLateEndsWithTheReason() {
        assertThat(reconcile(0, 5, replica("a", Stage.BROKEN))).containsExactly(new End("a", "detail", true));
        ReplicaView late = replica("a", Stage.BOOTING, 0, 1, NOW.minus(BOOT), false, Optional.empty());
        assertThat(reconcile(1, 5, late))
                .first()
                .satisfies(action -> assertThat(((End) action).reason()).contains("20m", "detail"));
    }
}
