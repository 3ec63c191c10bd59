package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TunaException;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.cloudrun.CloudRunStandIn.Trouble;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** From the first call to the end of the operation, well or badly. Covers P-33 to P-35. */
class DeployTest {

    private static final ServerlessSpec SPEC = Specs.of("chat");

    @Test
    @DisplayName("P-35: the image is imported, the model is loaded, it serves, it sleeps and is ready all the same")
    void phases() {
        try (World world = World.create()) {
            world.vendor.hold();
            ResourceRef resource = world.begin(SPEC);
            ServerlessObservation first = world.cloud.observe(resource);
            assertThat(first.phase()).isEqualTo(BackendPhase.IMAGE);
            assertThat(first.address()).isEmpty();
            world.vendor.release();
            ServerlessObservation ready = world.until(resource, BackendPhase.READY);
            assertThat(ready.containers()).hasValue(1);
            assertThat(ready.usdPerHour()).isPresent();
            assertThat(ready.address().orElseThrow().hardLimit())
                    .contains(SPEC.scaling().timeout());
            assertThat(ready.address().orElseThrow().maxInFlight())
                    .isEqualTo(SPEC.scaling().concurrency() * SPEC.scaling().workersMax());
            world.vendor.scaleToZero(world.vendor.services().get(0));
            try (var later = world.open()) {
                ServerlessObservation asleep = later.observe(resource);
                assertThat(asleep.phase()).isEqualTo(BackendPhase.READY);
                assertThat(asleep.containers()).hasValue(0);
                assertThat(world.chat(asleep.address().orElseThrow(), "chat"))
                        .as("a request wakes it")
                        .isEqualTo(200);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "NO_IMAGE, Image 'vllm/vllm-openai:v0.31.0-cu129' not found",
        "DOES_NOT_LISTEN, failed to start and listen on the port",
        "NO_CAPACITY, does not have enough resources",
        "NO_QUOTA, Quota exceeded"
    })
    @DisplayName("P-33: an operation that was begun with 200 and ends with an error is told with its reason")
    void anOperationThatFailsIsTold(Trouble trouble, String reason) {
        try (World world = World.create()) {
            world.vendor.trouble(trouble, 1);
            ResourceRef resource = world.begin(SPEC);
            assertThat(world.until(resource, BackendPhase.FAILED).detail()).contains(reason);
            try (var restarted = world.open()) {
                ServerlessObservation seen = restarted.observe(resource);
                assertThat(seen.phase()).as("after a restart").isEqualTo(BackendPhase.FAILED);
                assertThat(seen.detail()).contains(reason);
            }
            world.cloud.destroy(resource);
            world.until(resource, BackendPhase.GONE);
        }
    }

    @Test
    void anOperationThatLeavesNothingIsToldUntilItIsCleanedUp() {
        try (World world = World.create()) {
            world.vendor.hold();
            ResourceRef resource = world.begin(SPEC);
            world.vendor.inject(VendorFault.answering(
                    "GET .*/operations/.*",
                    VendorAnswer.json(
                            200,
                            "{\"name\":\"projects/tuna-standin/locations/us-east4/operations/x\",\"done\":true,"
                                    + "\"error\":{\"code\":13,\"message\":\"An internal error has occurred.\"}}")));
            world.vendor.inject(VendorFault.answering(
                    "GET .*/services/[^/]+",
                    VendorAnswer.json(
                            404, "{\"error\":{\"code\":404,\"message\":\"gone\",\"status\":\"NOT_FOUND\"}}")));
            ServerlessObservation seen = world.cloud.observe(resource);
            assertThat(seen.phase()).isEqualTo(BackendPhase.FAILED);
            assertThat(seen.detail()).isEqualTo("An internal error has occurred.");
            world.vendor.release();
            world.cloud.destroy(resource);
            world.until(resource, BackendPhase.GONE);
        }
    }

    @Test
    @DisplayName("P-30: what passes a quota is refused at once, as a want of quota")
    void aQuotaIsAQuota() {
        try (World world = World.of(CloudRunStandIn.builder().quota(100, 20, 40))) {
            assertThatThrownBy(() -> world.begin(SPEC))
                    .isInstanceOfSatisfying(
                            CapacityException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.QUOTA))
                    .hasMessageContaining("Max instances must be set to 1 or fewer");
            assertThat(world.vendor.services()).isEmpty();
        }
    }

    @Test
    void anOperationThatHasFailedBeforeItIsAnsweredIsRefused() {
        try (World world = World.create()) {
            world.vendor.inject(VendorFault.answering(
                    "POST .*/services",
                    VendorAnswer.json(
                            200,
                            "{\"name\":\"projects/tuna-standin/locations/us-east4/operations/x\",\"done\":true,"
                                    + "\"error\":{\"code\":8,\"message\":\"No machine.\"}}")));
            assertThatThrownBy(() -> world.begin(SPEC))
                    .isInstanceOfSatisfying(
                            CapacityException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CAPACITY))
                    .hasMessageContaining("No machine.");
        }
    }

    @ParameterizedTest(name = "{0} {2}")
    @CsvSource({
        "401, UNAUTHENTICATED, expired, CREDENTIALS, false",
        "403, PERMISSION_DENIED, run.services.create denied, CREDENTIALS, false",
        "400, INVALID_ARGUMENT, period too long, PROVIDER_REFUSED, false",
        "400, INVALID_ARGUMENT, Quota violated: MemAllocPerProjectRegion, QUOTA, false",
        "429, RESOURCE_EXHAUSTED, Quota exceeded for quota metric Write requests, PROVIDER_REFUSED, true",
        "503, UNAVAILABLE, try later, PROVIDER_REFUSED, true"
    })
    void refusalsAreTold(int status, String name, String message, ErrorCode code, boolean retryable) {
        try (World world = World.create()) {
            world.vendor.inject(VendorFault.answering(
                            "POST .*/services",
                            VendorAnswer.json(
                                            status,
                                            "{\"error\":{\"code\":" + status + ",\"message\":\"" + message
                                                    + "\",\"status\":\"" + name + "\"}}")
                                    .with("Retry-After", "60"))
                    .times(3));
            assertThatThrownBy(() -> world.begin(SPEC))
                    .isInstanceOfSatisfying(TunaException.class, e -> {
                        assertThat(e.code()).isEqualTo(code);
                        assertThat(e.retryable()).isEqualTo(retryable);
                    })
                    .hasMessageContaining("create service")
                    .hasMessageContaining(message);
        }
    }

    @Test
    @DisplayName("P-33: what an interrupted begin has left is taken over by the next process, not made again")
    void aRestartInTheMiddleTakesOver() {
        try (World world = World.create()) {
            ServerlessPlan plan = world.cloud.plan(SPEC);
            world.vendor.inject(
                    VendorFault.cutting("POST .*:setIamPolicy", false).times(3));
            assertThatThrownBy(() -> world.cloud.begin(plan))
                    .isInstanceOfSatisfying(
                            TunaException.class, e -> assertThat(e.retryable()).isTrue());
            assertThat(world.vendor.services()).hasSize(1);
            try (var next = world.open()) {
                ResourceRef resource = next.begin(plan);
                assertThat(world.vendor.revisions(world.vendor.services().get(0)))
                        .isEqualTo(1);
                assertThat(world.vendor.invokers(world.vendor.services().get(0)))
                        .isNotEmpty();
                world.until(resource, BackendPhase.READY);
            }
        }
    }

    @Test
    void findLooksIntoEveryRegionAndTurnsEveryPage() {
        try (World world = World.of(CloudRunStandIn.builder().pageSize(1))) {
            List<ResourceRef> made = List.of(
                    world.begin(Specs.of("one")),
                    world.begin(Specs.of("two")),
                    world.begin(Specs.in(Specs.of("three"), "europe-west1")));
            assertThat(world.cloud.find())
                    .extracting(FoundResource::resource)
                    .containsExactlyInAnyOrderElementsOf(made);
            assertThat(world.cloud.find())
                    .extracting(FoundResource::deployment)
                    .containsExactlyInAnyOrder("one", "two", "three");
        }
    }

    @Test
    void noTokenIsEverShown() {
        try (World world = World.create()) {
            ResourceRef resource = world.begin(SPEC);
            ServerlessObservation ready = world.until(resource, BackendPhase.READY);
            world.chat(ready.address().orElseThrow(), "chat");
            String shown = ready + " " + world.cloud + world.cloud.find() + world.cloud.logs(resource, 100)
                    + world.cloud.preflight(SPEC, false);
            Set<String> tokens = world.vendor.tokens();
            assertThat(tokens).hasSizeGreaterThan(1);
            assertThat(tokens).noneMatch(shown::contains);
            assertThat(shown).doesNotContain("BEGIN PRIVATE KEY");
        }
    }
}
