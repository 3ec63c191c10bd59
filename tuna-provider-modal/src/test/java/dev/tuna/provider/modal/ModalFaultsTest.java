package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.TunaException;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.modal.ModalFault;
import dev.tuna.testkit.modal.ModalStandIn;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every step fails in every way: said to be so, and mended by doing it again. */
class ModalFaultsTest {

    private ModalStandIn vendor;
    private ContractContext context;
    private ServerlessCloud cloud;

    @BeforeEach
    void start() {
        vendor = ModalStandIn.builder().start();
        context = Contexts.of(vendor);
        cloud = new ModalProvider().open(context);
    }

    @AfterEach
    void stop() {
        cloud.close();
        vendor.close();
        Wire.checkCommands(vendor);
    }

    private ServerlessPlan plan(String deployment) {
        return cloud.plan(Specs.of(deployment));
    }

    @ParameterizedTest(name = "{0}")
    @DisplayName("A step of beginning that fails is told, and beginning again makes one endpoint")
    @ValueSource(strings = {"app list .*", "workspace proxy-tokens create .*"})
    void beginningFailsAtAnyStepAndCanBeRepeated(String step) {
        ServerlessPlan plan = plan("chat");
        vendor.inject(ModalFault.saying(step, ModalFault.UNREACHABLE));
        assertThatThrownBy(() -> cloud.begin(plan)).isInstanceOfSatisfying(TunaException.class, error -> {
            assertThat(error.code()).isEqualTo(ErrorCode.UNREACHABLE);
            assertThat(error.retryable()).isTrue();
        });
        vendor.inject(ModalFault.crashing(step, true));
        assertThatThrownBy(() -> cloud.begin(plan))
                .isInstanceOfSatisfying(
                        TunaException.class,
                        error -> assertThat(error.retryable()).isTrue());
        vendor.inject(ModalFault.crashing(step, false));
        assertThatThrownBy(() -> cloud.begin(plan)).isInstanceOf(TunaException.class);
        ResourceRef resource = cloud.begin(plan);
        Eventually.is(cloud, resource, BackendPhase.READY);
        assertThat(vendor.apps()).containsExactly(resource.id());
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"app list .*", "app history .*", "-c .*"})
    void observingFailsAtAnyStepAndCanBeRepeated(String step) {
        ServerlessPlan plan = plan("chat");
        ResourceRef resource = cloud.begin(plan);
        Eventually.is(cloud, resource, BackendPhase.READY);
        for (ModalFault fault :
                new ModalFault[] {ModalFault.saying(step, "Too many requests"), ModalFault.crashing(step, false)}) {
            try (ServerlessCloud fresh = new ModalProvider().open(context.withSetting("work_dir", elsewhere()))) {
                vendor.inject(fault);
                assertThatThrownBy(() -> fresh.observe(resource))
                        .isInstanceOfSatisfying(
                                TunaException.class,
                                error -> assertThat(error.retryable()).isTrue());
                assertThat(fresh.observe(resource).phase()).isEqualTo(BackendPhase.READY);
            }
        }
    }

    /** As on another machine, where nothing is known of the deployment. */
    private String elsewhere() {
        return context.settings().get("work_dir") + "-elsewhere";
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"app list .*", "app stop .*", "volume delete .*"})
    void removingFailsAtAnyStepAndCanBeRepeated(String step) {
        ResourceRef resource = cloud.begin(plan("chat"));
        Eventually.is(cloud, resource, BackendPhase.READY);
        vendor.inject(ModalFault.saying(step, ModalFault.UNREACHABLE));
        assertThatThrownBy(() -> cloud.destroy(resource)).isInstanceOf(TunaException.class);
        vendor.inject(ModalFault.crashing(step, true));
        assertThatThrownBy(() -> cloud.destroy(resource)).isInstanceOf(TunaException.class);
        cloud.destroy(resource);
        Eventually.is(cloud, resource, BackendPhase.GONE);
        assertThat(vendor.apps()).isEmpty();
        assertThat(vendor.volumes()).isEmpty();
        assertThat(context.journal().open("chat")).isEmpty();
    }

    @Test
    void aVolumeThatWasLeftOverGoesBeforeTheAppIsSaidToBeGone() {
        ResourceRef resource = cloud.begin(plan("chat"));
        Eventually.is(cloud, resource, BackendPhase.READY);
        vendor.inject(ModalFault.saying("volume delete .*", ModalFault.UNREACHABLE));
        assertThatThrownBy(() -> cloud.destroy(resource)).isInstanceOf(TunaException.class);
        Eventually.is(cloud, resource, BackendPhase.GONE);
        assertThat(vendor.volumes()).isEmpty();
        assertThat(context.journal().open("chat")).isEmpty();
    }

    @Test
    @DisplayName("P-02: a deployment that Modal refuses is told in one sentence, with what to do")
    void aRefusedDeploymentIsFailed() {
        vendor.inject(ModalFault.saying("deploy .*", "Not a valid GPU type: L4"));
        ResourceRef resource = cloud.begin(plan("chat"));
        ServerlessObservation failed = Eventually.is(cloud, resource, BackendPhase.FAILED);
        assertThat(failed.detail())
                .contains("Not a valid GPU type: L4")
                .contains("choose one of T4")
                .doesNotContain("\u2502", "\u256d");
        cloud.destroy(resource);
        Eventually.is(cloud, resource, BackendPhase.GONE);
    }

    @Test
    void aDeploymentThatFailsForAReasonThatPassesIsTriedAgain() {
        vendor.inject(ModalFault.saying("deploy .*", ModalFault.UNREACHABLE).times(2));
        ResourceRef resource = cloud.begin(plan("chat"));
        Eventually.is(cloud, resource, BackendPhase.READY);
        assertThat(vendor.version(resource.id())).isEqualTo(1);
    }

    @Test
    void aDeploymentThatNeverGetsThroughIsFailedAtLast() {
        vendor.inject(ModalFault.saying("deploy .*", ModalFault.UNREACHABLE).times(9));
        ResourceRef resource = cloud.begin(plan("chat"));
        assertThat(Eventually.is(cloud, resource, BackendPhase.FAILED).detail()).contains(ModalFault.UNREACHABLE);
        assertThat(vendor.calls().stream().filter(call -> call.line().startsWith("deploy")))
                .hasSize(3);
    }

    @Test
    void aDeploymentThatDiedAfterItWasPublishedIsTakenForWhatItIs() {
        vendor.inject(ModalFault.crashing("deploy .*", true));
        ResourceRef resource = cloud.begin(plan("chat"));
        Eventually.is(cloud, resource, BackendPhase.READY);
        assertThat(vendor.version(resource.id())).isEqualTo(1);
        cloud.begin(plan("chat"));
        assertThat(vendor.version(resource.id())).isEqualTo(1);
    }

    @Test
    @DisplayName("P-02: where the address cannot be looked up, the one that the deployment told will do")
    void anAddressThatCannotBeLookedUpIsTakenFromTheDeployment() {
        try (ServerlessCloud without = new ModalProvider().open(context.withSetting("python", "/nowhere/python"))) {
            ResourceRef resource = without.begin(without.plan(Specs.of("chat")));
            String told = Eventually.is(without, resource, BackendPhase.READY)
                    .address()
                    .orElseThrow()
                    .url()
                    .toString();
            assertThat(told).endsWith("/w/" + resource.id());
        }
    }

    @Test
    void aDeploymentThatHangsIsEndedWhenItsTimeIsOver() {
        CountDownLatch never = new CountDownLatch(1);
        vendor.inject(ModalFault.slow("deploy .*", never));
        MovableClock clock = new MovableClock();
        try (ServerlessCloud slow = new ModalProvider().open(context.withClock(clock))) {
            ResourceRef resource = slow.begin(plan("chat"));
            assertThat(slow.observe(resource).phase()).isEqualTo(BackendPhase.IMAGE);
            clock.passSeconds(1801);
            ServerlessObservation over = slow.observe(resource);
            assertThat(over.phase()).isEqualTo(BackendPhase.FAILED);
            assertThat(over.detail()).contains("not deployed within 30 minutes");
            assertThat(slow.observe(resource).phase()).isEqualTo(BackendPhase.GONE);
        }
    }

    @Test
    @DisplayName("P-33 in Modal's way: an update that fails leaves what serves serving")
    void anUpdateThatFailsLeavesTheOldVersionServing() {
        ResourceRef resource = cloud.begin(plan("chat"));
        Eventually.is(cloud, resource, BackendPhase.READY);
        vendor.inject(ModalFault.saying("deploy .*", "Image build failed"));
        cloud.begin(cloud.plan(Specs.scaled("chat", scaling -> scaling.workersMax(7))));
        Eventually.holds(
                "the failure is told", () -> cloud.observe(resource).detail().contains("Image build failed"));
        assertThat(cloud.observe(resource).phase()).isEqualTo(BackendPhase.READY);
        assertThat(vendor.version(resource.id())).isEqualTo(1);
        cloud.begin(cloud.plan(Specs.scaled("chat", scaling -> scaling.workersMax(7))));
        Eventually.holds("the update is there", () -> vendor.version(resource.id()) == 2);
        Eventually.holds(
                "its limits are known",
                () -> cloud.observe(resource).address().orElseThrow().maxInFlight() == 7 * 32);
    }

    @Test
    void enginesThatEndAgainAndAgainAreToldInsteadOfBeingStartedForEver() {
        EngineSpec own = Specs.withImage("example/vllm:7", "--no-such-option");
        ResourceRef resource = cloud.begin(
                cloud.plan(Specs.of("chat", own, scaling -> scaling.workersMin(1), Optional.empty(), false, Map.of())));
        ServerlessObservation failed = Eventually.is(cloud, resource, BackendPhase.FAILED);
        assertThat(failed.detail()).contains("no-such-option").contains("the engine ended with status 1");
    }

    @Test
    void aContainerThatIsAlwaysOnIsReadyWhenItsEngineIs() {
        ResourceRef resource = cloud.begin(cloud.plan(Specs.scaled("chat", scaling -> scaling.workersMin(2))));
        ServerlessObservation ready = Eventually.is(cloud, resource, BackendPhase.READY);
        assertThat(ready.containers()).hasValue(2);
        assertThat(ready.usdPerHour().orElseThrow()).isEqualByComparingTo("0.7992");
    }

    @Test
    @DisplayName("K-08: prices are Modal's own where it tells one for every GPU, else those of the dated table")
    void pricesAreModalsOwnWhereItTellsThem() {
        assertThat(cloud.offers(GpuQuery.gpu("L4")))
                .allMatch(offer -> offer.source().startsWith("built-in"));
        assertThat(cloud.offers(GpuQuery.gpu("A10G"))).hasSize(4);
        GpuTable live = GpuTable.BUILT_IN.priced(rates(), context.clock().instant());
        assertThat(live.source()).isEqualTo(GpuTable.LIVE);
        assertThat(live.usdPerHour("L4", 2, Place.ANY).orElseThrow()).isEqualByComparingTo("3.0");
    }

    private static Map<String, BigDecimal> rates() {
        Map<String, BigDecimal> rates = new TreeMap<>();
        GpuTable.BUILT_IN
                .gpus()
                .forEach(gpu -> rates.put(
                        "GPU_" + gpu.modalName().toLowerCase(Locale.ROOT).replace('-', '_'), new BigDecimal("1.5")));
        return rates;
    }
}
