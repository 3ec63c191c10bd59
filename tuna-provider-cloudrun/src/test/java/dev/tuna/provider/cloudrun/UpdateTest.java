package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.cloudrun.CloudRunStandIn.Trouble;
import dev.tuna.testkit.vendor.VendorFault;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A service is changed where it stands, and goes on serving whatever becomes of the change. Covers P-33. */
class UpdateTest {

    private static final ServerlessSpec SPEC = Specs.of("chat");

    private static ServerlessSpec changed() {
        return Specs.with(SPEC, Specs.arguments(SPEC.engine(), "--max-num-seqs", "8"));
    }

    private static long revisions(World world) {
        return world.vendor.revisions(world.vendor.services().get(0));
    }

    @Test
    @DisplayName(
            "P-33: a change is a new revision of the same service at the same URL, and requests are served throughout")
    void aChangeKeepsUrlAndTraffic() {
        try (World world = World.create()) {
            ServerlessObservation before = world.ready(SPEC);
            world.vendor.hold();
            ResourceRef resource = world.begin(changed());
            ServerlessObservation during = world.cloud.observe(resource);
            assertThat(during.phase()).isEqualTo(BackendPhase.READY);
            assertThat(during.detail()).contains("being brought up");
            assertThat(world.chat(during.address().orElseThrow(), "chat")).isEqualTo(200);
            world.vendor.release();
            ServerlessObservation seen =
                    world.until(resource, each -> each.detail().isEmpty());
            assertThat(seen.phase()).isEqualTo(BackendPhase.READY);
            assertThat(seen.address().map(BackendAddress::url))
                    .isEqualTo(before.address().map(BackendAddress::url));
            assertThat(world.chat(seen.address().orElseThrow(), "chat")).isEqualTo(200);
            assertThat(revisions(world)).isEqualTo(2);
        }
    }

    @Test
    @DisplayName("P-33: a change that cannot come up is taken back once, and requests are served throughout")
    void aChangeThatFailsIsTakenBack() {
        try (World world = World.create()) {
            world.ready(SPEC);
            world.vendor.trouble(Trouble.DOES_NOT_LISTEN, 1);
            ResourceRef resource = world.begin(changed());
            world.until(resource, seen -> {
                assertThat(seen.phase()).isEqualTo(BackendPhase.READY);
                assertThat(world.chat(seen.address().orElseThrow(), "chat")).isEqualTo(200);
                return seen.detail().contains("the revision before serves");
            });
            ServerlessObservation after =
                    world.until(resource, seen -> seen.detail().contains("was taken back"));
            assertThat(after.phase()).isEqualTo(BackendPhase.READY);
            assertThat(world.chat(after.address().orElseThrow(), "chat")).isEqualTo(200);
            assertThat(revisions(world))
                    .as("the first, the failed one, the first again")
                    .isEqualTo(3);
            world.begin(SPEC);
            assertThat(revisions(world)).as("it is what the first plan says").isEqualTo(3);
            world.begin(changed());
            world.until(resource, seen -> seen.detail().isEmpty());
            assertThat(revisions(world)).as("another attempt that works").isEqualTo(4);
        }
    }

    @Test
    void aChangeThatCannotBeTakenBackEitherIsNotTriedForEver() {
        try (World world = World.create()) {
            world.ready(SPEC);
            world.vendor.trouble(Trouble.NO_CAPACITY, 100);
            ResourceRef resource = world.begin(changed());
            world.until(resource, seen -> revisions(world) == 3);
            for (int look = 0; look < 100; look++) {
                assertThat(world.cloud.observe(resource).phase()).isEqualTo(BackendPhase.READY);
            }
            assertThat(revisions(world)).isEqualTo(3);
        }
    }

    @Test
    @DisplayName("F-15: a private engine without a key is never open to everybody, not even while access changes")
    void aPrivateEngineIsNeverOpen() {
        ServerlessSpec open = Specs.with(SPEC, Map.of("access", "engine_key"));
        try (World world = World.create()) {
            BackendAddress address = world.ready(SPEC).address().orElseThrow();
            world.vendor.hold();
            ResourceRef resource = world.begin(open);
            assertThat(world.chat(world.cloud.observe(resource).address().orElseThrow(), "chat"))
                    .as("while the change is brought up")
                    .isEqualTo(200);
            assertThat(world.chat(address.url(), Optional.empty(), "chat")).isEqualTo(403);
            world.vendor.release();
            world.until(resource, seen -> {
                assertThat(world.chat(address.url(), Optional.empty(), "chat")).isIn(401, 403);
                return seen.address()
                        .flatMap(BackendAddress::credential)
                        .map(Credential::value)
                        .filter(value -> value.reveal().startsWith("Bearer engine-"))
                        .isPresent();
            });
            assertThat(world.chat(world.cloud.observe(resource).address().orElseThrow(), "chat"))
                    .isEqualTo(200);
            assertThat(world.chat(address.url(), Optional.empty(), "chat")).isEqualTo(401);
            world.begin(SPEC);
            world.until(resource, seen -> {
                assertThat(world.chat(address.url(), Optional.empty(), "chat")).isIn(401, 403);
                return seen.detail().isEmpty();
            });
            assertThat(world.chat(world.cloud.observe(resource).address().orElseThrow(), "chat"))
                    .isEqualTo(200);
        }
    }

    @Test
    void aServiceThatSomebodyElseMadeIsLeftAlone() {
        try (World world = World.create();
                var stranger =
                        new CloudRunCloud(Contexts.of(world.vendor).withOwner("own00000stranger"), variable -> null);
                var namesake =
                        new CloudRunCloud(Contexts.of(world.vendor).withOwner("own00000namesake"), variable -> null)) {
            stranger.begin(stranger.plan(SPEC));
            assertThatThrownBy(() -> namesake.begin(namesake.plan(SPEC)))
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.NAME_TAKEN));
            assertThat(world.vendor.services()).hasSize(1);
        }
    }

    @Test
    @DisplayName("P-34: a deletion is waited for: until Cloud Run confirms it, it is under way")
    void whatIsBeingDeletedIsMadeAgainOnceItIsGone() {
        try (World world = World.create()) {
            ResourceRef resource = world.begin(SPEC);
            world.vendor.hold();
            world.cloud.destroy(resource);
            assertThat(world.cloud.observe(resource).phase()).isEqualTo(BackendPhase.DRAINING);
            assertThatThrownBy(() -> world.begin(SPEC))
                    .hasMessageContaining("still being deleted")
                    .isInstanceOfSatisfying(
                            TunaException.class, e -> assertThat(e.retryable()).isTrue());
            world.vendor.release();
            world.until(resource, BackendPhase.GONE);
            world.ready(SPEC);
        }
    }

    @Test
    void aChangedSecretReachesTheService() {
        CloudRunStandIn vendor = CloudRunStandIn.builder().start();
        var context = Contexts.of(vendor);
        try (World world = new World(vendor, context)) {
            ServerlessSpec open = Specs.open(SPEC);
            world.ready(open);
            context.withSecret("contract/engine-key", Secret.of("engine-another-key"));
            ResourceRef resource = world.begin(open);
            ServerlessObservation after =
                    world.until(resource, seen -> seen.detail().isEmpty() && revisions(world) == 2);
            assertThat(world.chat(after.address().orElseThrow(), "chat")).isEqualTo(200);
        }
    }

    @Test
    void anotherHandInBetweenIsNoticed() {
        try (World world = World.create()) {
            world.ready(SPEC);
            world.vendor.inject(VendorFault.cutting("PATCH .*", true));
            ResourceRef resource = world.begin(changed());
            world.until(resource, seen -> seen.detail().isEmpty());
            assertThat(revisions(world))
                    .as("the answer was lost, the change was not made twice")
                    .isEqualTo(2);
        }
    }
}
