package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Making a model and changing it, with everything that may go wrong on the way. */
class PushTest extends StandInTest {

    private static final Specs CHAT = Specs.of("chat").secret("HF_TOKEN", ContractContext.MODEL_TOKEN);
    private static final VendorAnswer BROKEN = VendorAnswer.json(500, "{\"error\":\"Internal server error\"}");
    private static final VendorAnswer THROTTLED =
            VendorAnswer.json(429, "{\"error\":\"Rate limit exceeded. Please try again later.\",\"retry_after\":37}");

    /** The calls that a first deployment takes, in order. */
    private static final List<String> FIRST = List.of(
            "POST /v1/secrets",
            "GET /v1/models",
            "POST /v1/prepare_model_upload",
            "PUT /s3/*",
            "POST /v1/models",
            "GET /v1/models",
            "GET /v1/models/*/environments/production",
            "PATCH /v1/models/*/environments/production");

    @Test
    @DisplayName(
            "P-22, P-23: a push takes eight calls, no tool, and is configured at once; the address is production's")
    void aPushIsAFewCalls() throws Exception {
        try (Bench bench = Bench.instant()) {
            ResourceRef resource = bench.begin(CHAT);
            assertThat(bench.calls()).isEqualTo(FIRST);
            assertThat(resource.id()).isEqualTo(bench.name("chat"));
            assertThat(bench.vendor.production(resource.id()))
                    .contains("\"max_replica\":5", "\"concurrency_target\":32", "\"scale_down_delay\":60");
            var ready = bench.observe(resource);
            assertThat(ready.phase()).isEqualTo(BackendPhase.READY);
            assertThat(ready.address()).hasValueSatisfying(address -> {
                assertThat(address.url().getPath()).matches("/model-mdl\\d+/environments/production/sync");
                assertThat(address.maxInFlight()).isEqualTo(5 * 32);
                assertThat(address.hardLimit()).hasValue(Duration.ofMinutes(10));
                assertThat(address.healthPath()).isEqualTo("/health");
            });
            assertThat(ready.usdPerHour())
                    .hasValueSatisfying(price -> assertThat(price).isEqualByComparingTo("0.78"));
            assertThat(ready.containers()).hasValue(1);
        }
    }

    @Test
    void lookingCostsOneCall() throws Exception {
        try (Bench bench = Bench.instant()) {
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT);
            cloud.observe(resource);
            int before = bench.calls().size();
            cloud.observe(resource);
            cloud.observe(resource);
            assertThat(bench.calls().subList(before, bench.calls().size()))
                    .containsOnly("GET /v1/models/*/deployments")
                    .hasSize(2);
        }
    }

    /** What can happen to a call. */
    enum Fault {
        ERROR,
        THROTTLED,
        CUT_BEFORE,
        CUT_AFTER;

        VendorFault of(String call) {
            String requests = Pattern.quote(call).replace("*", "\\E.*\\Q");
            VendorFault fault = switch (this) {
                case ERROR -> VendorFault.answering(requests, BROKEN);
                case THROTTLED -> VendorFault.answering(requests, PushTest.THROTTLED);
                case CUT_BEFORE -> VendorFault.cutting(requests, false);
                case CUT_AFTER -> VendorFault.cutting(requests, true);
            };
            // More often than a call is repeated by itself.
            return fault.times(3);
        }
    }

    @ParameterizedTest
    @EnumSource(Fault.class)
    void whateverHappensAtWhateverStepOneModelComesOfIt(Fault fault) throws Exception {
        try (Bench bench = Bench.instant()) {
            List<String> steps = FIRST.stream().distinct().toList();
            for (int step = 0; step < steps.size(); step++) {
                Specs specs = Specs.of("chat-" + step).secret("HF_TOKEN", ContractContext.MODEL_TOKEN);
                ServerlessPlan plan = bench.plan(specs);
                bench.vendor.inject(fault.of(steps.get(step)));
                attempt(bench, plan);
                bench.vendor.clearFaults();
                bench.cloud().begin(plan);
                String model = plan.resource().id();
                assertThat(bench.observe(plan.resource()).phase())
                        .as("after %s at %s", fault, steps.get(step))
                        .isEqualTo(BackendPhase.READY);
                assertThat(bench.vendor.models())
                        .as("models")
                        .filteredOn(model::equals)
                        .hasSize(1);
                assertThat(bench.vendor.deployments(model)).as("deployments").hasSize(1);
                assertThat(bench.vendor.production(model)).contains("\"max_replica\":5");
                bench.cloud().destroy(plan.resource());
            }
            assertThat(bench.vendor.models()).isEmpty();
            assertThat(bench.vendor.secrets()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(Fault.class)
    void whateverHappensAtWhateverStepOfAnUpdateOneDeploymentComesOfIt(Fault fault) throws Exception {
        List<String> steps = List.of(
                "GET /v1/models/*/deployments",
                "POST /v1/prepare_model_upload",
                "PUT /s3/*",
                "POST /v1/models/*/deployments");
        try (Bench bench = Bench.instant()) {
            for (int step = 0; step < steps.size(); step++) {
                Specs before = Specs.of("chat-" + step);
                ResourceRef resource = bench.begin(before);
                bench.observe(resource);
                ServerlessPlan plan = bench.plan(before.arguments("--seed", "1"));
                bench.vendor.inject(fault.of(steps.get(step)));
                attempt(bench, plan);
                bench.vendor.clearFaults();
                bench.cloud().begin(plan);
                assertThat(bench.vendor.deployments(resource.id()))
                        .as("deployments after %s at %s", fault, steps.get(step))
                        .hasSize(2);
                assertThat(bench.observe(resource).phase()).isEqualTo(BackendPhase.READY);
            }
        }
    }

    private static void attempt(Bench bench, ServerlessPlan plan) {
        try {
            bench.cloud().begin(plan);
        } catch (TunaException e) {
            assertThat(e.retryable()).as("%s", e).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /v1/models", "DELETE /v1/models/.*", "GET /v1/secrets", "DELETE /v1/secrets/.*"})
    @DisplayName("P-24: what is destroyed is gone in the end, and so are its secrets; what is gone already is no error")
    void whateverHappensWhileItIsDestroyedNothingIsLeft(String step) throws Exception {
        try (Bench bench = Bench.instant()) {
            ResourceRef resource = bench.begin(CHAT);
            for (VendorFault fault : List.of(
                    VendorFault.answering(step, BROKEN).times(3),
                    VendorFault.cutting(step, false).times(3),
                    VendorFault.cutting(step, true).times(3))) {
                bench.vendor.inject(fault);
                try {
                    bench.cloud().destroy(resource);
                } catch (TunaException e) {
                    assertThat(e.retryable()).as("%s", e).isTrue();
                }
                bench.vendor.clearFaults();
            }
            bench.cloud().destroy(resource);
            assertThat(bench.vendor.models()).isEmpty();
            assertThat(bench.vendor.secrets()).isEmpty();
            assertThat(bench.observe(resource).phase()).isEqualTo(BackendPhase.GONE);
            assertThat(bench.context.journal().open("chat")).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /v1/models", "PATCH .*/deployments/.*", "POST .*/deactivate", "POST .*/activate"})
    void whateverHappensWhileItIsParkedAndUnparkedItIsSoInTheEnd(String step) throws Exception {
        try (Bench bench = Bench.instant()) {
            ResourceRef resource = bench.begin(CHAT);
            bench.observe(resource);
            for (boolean done : new boolean[] {false, true}) {
                repeat(
                        bench,
                        VendorFault.cutting(step, done),
                        () -> bench.cloud().park(resource));
                assertThat(bench.observe(resource))
                        .satisfies(seen -> assertThat(seen.phase()).isEqualTo(BackendPhase.DRAINING))
                        .satisfies(seen -> assertThat(seen.containers()).hasValue(0));
                repeat(
                        bench,
                        VendorFault.cutting(step, done),
                        () -> bench.cloud().unpark(resource));
                assertThat(bench.observe(resource).phase()).isEqualTo(BackendPhase.READY);
            }
            assertThat(bench.vendor.deployments(resource.id())).containsExactly("ACTIVE");
        }
    }

    private static void repeat(Bench bench, VendorFault fault, Runnable call) {
        bench.vendor.inject(fault.times(3));
        try {
            call.run();
        } catch (TunaException e) {
            assertThat(e.retryable()).as("%s", e).isTrue();
        }
        bench.vendor.clearFaults();
        call.run();
    }

    @Test
    void everyCallSaysWhoMakesIt() throws Exception {
        try (Bench bench = Bench.instant()) {
            bench.observe(bench.begin(CHAT));
            assertThat(bench.vendor.exchanges())
                    .filteredOn(exchange -> !exchange.request().path().startsWith("/s3/"))
                    .allSatisfy(exchange ->
                            assertThat(exchange.request().header("User-Agent")).hasValue("tuna-java/0.1"));
        }
    }

    @Test
    void theThrottlingThatBasetenDocumentsIsToldWithItsPause() throws Exception {
        try (Bench bench = Bench.instant()) {
            bench.vendor.inject(
                    VendorFault.answering("POST /v1/models", THROTTLED).times(9));
            assertThatThrownBy(() -> bench.begin(CHAT)).isInstanceOfSatisfying(ProviderException.class, e -> {
                assertThat(e.retryable()).isTrue();
                assertThat(e.retryAfter()).hasValue(Duration.ofSeconds(37));
            });
        }
    }

    @Test
    void twoControllersThatDoTheSameMakeOneModel() throws Exception {
        try (Bench bench = Bench.instant()) {
            ServerlessPlan plan = bench.plan(CHAT);
            CountDownLatch gate = new CountDownLatch(1);
            bench.vendor.inject(VendorFault.slow("POST /v1/models", gate));
            CompletableFuture<ResourceRef> slow =
                    CompletableFuture.supplyAsync(() -> bench.cloud().begin(plan));
            awaitCall(bench, "PUT /s3/*");
            ResourceRef quick = bench.cloud().begin(plan);
            gate.countDown();
            assertThat(slow.get(30, TimeUnit.SECONDS)).isEqualTo(quick);
            assertThat(bench.vendor.models()).containsExactly(quick.id());
            assertThat(bench.vendor.deployments(quick.id())).hasSize(1);
        }
    }

    @Test
    void manyThatDoTheSameAtOnceMakeOneModel() throws Exception {
        try (Bench bench = Bench.instant()) {
            ServerlessPlan plan = bench.plan(CHAT);
            List<CompletableFuture<ResourceRef>> all = IntStream.range(0, 6)
                    .mapToObj(each ->
                            CompletableFuture.supplyAsync(() -> bench.cloud().begin(plan)))
                    .toList();
            for (CompletableFuture<ResourceRef> each : all) {
                assertThat(each.get(60, TimeUnit.SECONDS)).isEqualTo(plan.resource());
            }
            assertThat(bench.vendor.models()).containsExactly(plan.resource().id());
            assertThat(bench.vendor.deployments(plan.resource().id())).hasSize(1);
        }
    }

    /** The slow one has got as far as its upload; what it does next is held. */
    private static void awaitCall(Bench bench, String call) throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        while (!bench.calls().contains(call)) {
            @SuppressWarnings("unused") // nobody counts it down
            boolean told = never.await(5, TimeUnit.MILLISECONDS);
        }
    }

    @Test
    void aDeploymentThatDoesNotShowYetIsNotMadeAgain() throws Exception {
        try (Bench bench = new Bench(Bench.quick().hiddenFor(Duration.ofHours(1)))) {
            ServerlessPlan plan = bench.plan(CHAT);
            ServerlessCloud cloud = bench.cloud();
            cloud.begin(plan);
            assertThat(cloud.observe(plan.resource()).phase()).isEqualTo(BackendPhase.REQUESTED);
            bench.cloud().begin(plan);
            assertThat(bench.observe(plan.resource()).phase()).isEqualTo(BackendPhase.REQUESTED);
            assertThat(bench.vendor.deployments(plan.resource().id())).hasSize(1);
            bench.pass(Duration.ofMinutes(6));
            assertThat(bench.observe(plan.resource()))
                    .satisfies(seen -> assertThat(seen.phase()).isEqualTo(BackendPhase.FAILED))
                    .satisfies(seen -> assertThat(seen.detail()).contains("has no deployment"));
        }
    }

    @Test
    void changedScalingIsNoPush() throws Exception {
        try (Bench bench = Bench.instant()) {
            ResourceRef resource = bench.begin(CHAT);
            bench.begin(CHAT.scaling(scaling -> scaling.workersMax(9)));
            assertThat(bench.vendor.deployments(resource.id())).hasSize(1);
            assertThat(bench.vendor.production(resource.id())).contains("\"max_replica\":9");
        }
    }

    @Test
    void aLargerMachineIsAPushThatTheEnvironmentFollows() throws Exception {
        try (Bench bench = Bench.instant()) {
            ResourceRef resource = bench.begin(CHAT);
            bench.observe(resource);
            bench.begin(CHAT.on(2, "L4"));
            assertThat(bench.observe(resource).usdPerHour())
                    .hasValueSatisfying(price -> assertThat(price).isEqualByComparingTo("2.4012"));
            assertThat(bench.vendor.production(resource.id())).contains("L4:2x24x96");
        }
    }

    @Test
    void whatSomebodyDeactivatedIsActivatedByBeginning() throws Exception {
        try (Bench bench = Bench.instant()) {
            ResourceRef resource = bench.begin(CHAT);
            bench.observe(resource);
            bench.vendor.giveUp(resource.id());
            assertThat(bench.observe(resource).phase()).isEqualTo(BackendPhase.FAILED);
            bench.begin(CHAT);
            assertThat(bench.observe(resource).phase()).isEqualTo(BackendPhase.READY);
            assertThat(bench.vendor.deployments(resource.id())).hasSize(1);
        }
    }

    @Test
    void anUploadThatS3RefusesIsToldWithoutItsCredentials() throws Exception {
        try (Bench bench = Bench.instant()) {
            bench.vendor.inject(VendorFault.answering(
                    "PUT .*",
                    VendorAnswer.of(
                            403,
                            "application/xml",
                            "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and"
                                    + " the server's time is too large.</Message></Error>")));
            assertThatThrownBy(() -> bench.begin(CHAT)).isInstanceOfSatisfying(ProviderException.class, e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.PROVIDER_REFUSED);
                assertThat(e.retryable()).isFalse();
                assertThat(e).hasMessageContaining("clock is off");
                bench.vendor
                        .uploadSecrets()
                        .forEach(secret ->
                                assertThat(e.toString().contains(secret)).isFalse());
            });
            bench.vendor.inject(VendorFault.answering(
                    "PUT .*", VendorAnswer.of(400, "application/xml", "<Error><Code>ExpiredToken</Code></Error>")));
            assertThatThrownBy(() -> bench.begin(CHAT))
                    .isInstanceOfSatisfying(
                            TunaException.class, e -> assertThat(e.retryable()).isTrue());
        }
    }

    @Test
    void teamsHaveModelsAndSecretsOfTheirOwn() throws Exception {
        try (Bench bench = Bench.instant()) {
            var cloud = new BasetenCloud(bench.context.withSetting("team_id", "team1"), variable -> null, time -> {});
            ResourceRef resource = bench.begin(cloud, CHAT);
            assertThat(cloud.observe(resource).phase()).isEqualTo(BackendPhase.READY);
            assertThat(cloud.find()).hasSize(2);
            cloud.destroy(resource);
            assertThat(cloud.observe(resource).phase()).isEqualTo(BackendPhase.GONE);
            assertThat(new ArrayList<>(bench.calls()))
                    .contains(
                            "POST /v1/teams/team1/secrets",
                            "GET /v1/teams/team1/models",
                            "POST /v1/teams/team1/models",
                            "DELETE /v1/teams/team1/secrets/*")
                    .doesNotContain("GET /v1/models", "POST /v1/models", "GET /v1/secrets");
        }
    }
}
