package dev.tuna.testkit.cloud.simulated;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Secret;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.model.EndpointView;
import dev.tuna.testkit.cloud.plugin.Specs;
import dev.tuna.testkit.cloud.plugin.TestContext;
import dev.tuna.testkit.time.VirtualTime;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SimulatedServerlessTest {

    private static final Duration WINDOW = Duration.ofMinutes(1);

    private final VirtualTime time = VirtualTime.create();
    private final TestContext context = TestContext.of(Map.of());
    private SimulatedCloud cloud = SimulatedCloud.on(time);
    private ServerlessCloud serverless = cloud.serverless().open(context);

    @BeforeEach
    void key() {
        context.secrets().put(Specs.KEY, Secret.of("key"));
        use(CloudSettings.DEFAULT.withColdStart(Duration.ofSeconds(10)));
        cloud.engineStart(Duration.ofSeconds(5));
    }

    private void use(CloudSettings settings) {
        cloud = SimulatedCloud.on(time, settings);
        serverless = cloud.serverless().open(context);
    }

    private ResourceRef begin(ScalingPolicy.Serverless scaling) {
        ResourceRef endpoint = serverless.begin(serverless.plan(Specs.serverless(Specs.engine(), scaling)));
        time.runDue();
        return endpoint;
    }

    private BackendAddress address(ResourceRef endpoint) {
        return serverless.observe(endpoint).address().orElseThrow();
    }

    private CompletableFuture<Integer> request(ResourceRef endpoint, int seconds) {
        return cloud.request(address(endpoint), Duration.ofSeconds(seconds));
    }

    private EndpointView view(ResourceRef endpoint) {
        return cloud.snapshot().endpoint(endpoint.id());
    }

    private int containers(ResourceRef endpoint) {
        return serverless.observe(endpoint).containers().orElseThrow();
    }

    @Test
    void isReadyWithoutAContainer() {
        ResourceRef endpoint = begin(Specs.window(WINDOW));
        ServerlessObservation seen = serverless.observe(endpoint);
        assertThat(seen.phase()).isEqualTo(BackendPhase.READY);
        assertThat(seen.detail()).isEqualTo("scaled to zero");
        assertThat(seen.containers()).hasValue(0);
        assertThat(seen.usdPerHour()).contains(new BigDecimal("1.10"));
    }

    @Test
    void offersEachNumberOfGpusThatAContainerCanHave() {
        assertThat(serverless.offers(GpuQuery.gpu("l4")))
                .extracting(
                        offer -> offer.gpuCount() + " at " + offer.usdPerHour().orElseThrow())
                .containsExactly("1 at 1.10", "2 at 2.20", "4 at 4.40", "8 at 8.80");
    }

    @Test
    void takesItsTimeToBeDeployedIfTold() {
        use(CloudSettings.DEFAULT.withDeployTime(Duration.ofSeconds(30)));
        ResourceRef endpoint = begin(Specs.window(WINDOW));
        CompletableFuture<Integer> early = request(endpoint, 1);
        time.advance(Duration.ofSeconds(30).minusNanos(1));
        assertThat(serverless.observe(endpoint).phase()).isEqualTo(BackendPhase.BOOTING);
        time.advance(Duration.ofNanos(1));
        assertThat(serverless.observe(endpoint).phase()).isEqualTo(BackendPhase.READY);
        time.advance(Duration.ofSeconds(1));
        assertThat(early).isCompletedWithValue(200);
    }

    @Test
    void scalesToZeroExactlyAfterTheWindowAndBillsToTheNanosecond() {
        ResourceRef endpoint = begin(Specs.window(WINDOW));
        CompletableFuture<Integer> answer = request(endpoint, 7);
        time.advance(Duration.ofSeconds(10 + 5 + 7).minusNanos(1));
        assertThat(answer).isNotDone();
        time.advance(Duration.ofNanos(1));
        assertThat(answer).isCompletedWithValue(200);
        time.advance(WINDOW.minusNanos(1));
        assertThat(containers(endpoint)).isEqualTo(1);
        time.advance(Duration.ofNanos(1));
        assertThat(containers(endpoint)).isZero();
        time.advance(Duration.ofHours(5));
        assertThat(serverless.observe(endpoint).containerTime()).contains(Duration.ofSeconds(82));
        assertThat(view(endpoint).usd()).isEqualByComparingTo("0.025055555556"); // 82 s at 1.10 $/h
        assertThat(view(endpoint).completed()).isEqualTo(1);
        assertThat(cloud.snapshot().machines()).isZero();
    }

    @Test
    void startsTheWindowAnewWithEachRequest() {
        ResourceRef endpoint = begin(Specs.window(WINDOW));
        CompletableFuture<Integer> first = request(endpoint, 1);
        time.advance(Duration.ofSeconds(16 + 59));
        assertThat(first).isCompletedWithValue(200);
        CompletableFuture<Integer> second = request(endpoint, 1);
        time.advance(Duration.ofSeconds(60));
        assertThat(second).isCompletedWithValue(200);
        assertThat(containers(endpoint)).isEqualTo(1);
        time.advance(Duration.ofSeconds(1));
        assertThat(containers(endpoint)).isZero();
    }

    @Test
    void keepsWorkersThatMustAlwaysRun() {
        ResourceRef endpoint = begin(
                Specs.window(WINDOW).toBuilder().workersMin(1).workersMax(2).build());
        time.advance(Duration.ofDays(1));
        assertThat(containers(endpoint)).isEqualTo(1);
        assertThat(serverless.observe(endpoint).containerTime()).contains(Duration.ofDays(1));
    }

    @Test
    void startsAsManyContainersAsTheRequestsNeedAndNoMoreThanAllowed() {
        ResourceRef endpoint = begin(
                Specs.window(WINDOW).toBuilder().concurrency(2).workersMax(3).build());
        List<CompletableFuture<Integer>> answers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            answers.add(request(endpoint, 10));
        }
        assertThat(containers(endpoint)).isEqualTo(2);
        for (int i = 0; i < 5; i++) {
            answers.add(request(endpoint, 10));
        }
        assertThat(containers(endpoint)).isEqualTo(3);
        time.advance(Duration.ofSeconds(15 + 10));
        assertThat(answers.stream().filter(CompletableFuture::isDone)).hasSize(6);
        time.advance(Duration.ofSeconds(10));
        assertThat(answers).allMatch(answer -> answer.join() == 200);
        time.advance(WINDOW);
        assertThat(containers(endpoint)).isZero();
    }

    @Test
    void answers429WhenTooManyWait() {
        use(CloudSettings.DEFAULT.withQueueLimit(1).withColdStart(Duration.ofSeconds(1)));
        ResourceRef endpoint = begin(Specs.window(WINDOW));
        CompletableFuture<Integer> waits = request(endpoint, 1);
        assertThat(request(endpoint, 1)).isCompletedWithValue(429);
        time.advance(Duration.ofSeconds(2));
        assertThat(waits).isCompletedWithValue(200);
    }

    @Test
    void answers504WhenARequestTakesTooLongWaitingOrWorking() {
        ResourceRef endpoint = begin(Specs.window(WINDOW).toBuilder()
                .concurrency(1)
                .workersMax(1)
                .timeout(Duration.ofSeconds(30))
                .build());
        CompletableFuture<Integer> works = request(endpoint, 100);
        CompletableFuture<Integer> waits = request(endpoint, 1);
        time.advance(Duration.ofSeconds(30));
        assertThat(works).isCompletedWithValue(504);
        assertThat(waits).isCompletedWithValue(504);
        assertThat(view(endpoint).refused()).isEqualTo(2);
    }

    @Test
    void demandsTheKey() {
        ResourceRef endpoint = begin(Specs.window(WINDOW));
        BackendAddress right = address(endpoint);
        BackendAddress none = BackendAddress.of(right.url());
        BackendAddress wrong = new BackendAddress(
                right.url(), Optional.of(Credential.bearer(Secret.of("wrong"))), "/health", Optional.empty(), 0);
        assertThat(cloud.request(none, Duration.ZERO)).isCompletedWithValue(401);
        assertThat(cloud.request(wrong, Duration.ZERO)).isCompletedWithValue(401);
        assertThat(view(endpoint).requests()).isZero();
        assertThat(containers(endpoint)).isZero();
    }

    @Test
    void freesTheContainerWhenTheClientGoesAway() {
        ResourceRef endpoint = begin(
                Specs.window(WINDOW).toBuilder().concurrency(1).workersMax(1).build());
        CompletableFuture<Integer> left = request(endpoint, 1000);
        CompletableFuture<Integer> next = request(endpoint, 1);
        time.advance(Duration.ofSeconds(20));
        left.cancel(true);
        time.advance(Duration.ofSeconds(1));
        assertThat(next).isCompletedWithValue(200);
    }

    @Test
    void endsRequestsAndContainersWhenDestroyedAndTellsTheFinalMeter() {
        cloud.engineStop(Duration.ofSeconds(3));
        ResourceRef endpoint = begin(
                Specs.window(WINDOW).toBuilder().concurrency(1).workersMax(1).build());
        CompletableFuture<Integer> works = request(endpoint, 1000);
        CompletableFuture<Integer> waits = request(endpoint, 1);
        time.advance(Duration.ofSeconds(20));
        serverless.destroy(endpoint);
        assertThat(works).isCompletedWithValue(404);
        assertThat(waits).isCompletedWithValue(404);
        assertThat(serverless.observe(endpoint).phase()).isEqualTo(BackendPhase.DRAINING);
        time.advance(Duration.ofSeconds(3));
        assertThat(serverless.observe(endpoint).phase()).isEqualTo(BackendPhase.GONE);
        assertThat(serverless.observe(endpoint).containerTime()).contains(Duration.ofSeconds(23));
        assertThat(cloud.snapshot().empty()).isTrue();
        time.advance(CloudSettings.DEFAULT.endedMemory().plusNanos(1));
        assertThat(serverless.observe(endpoint).containerTime()).isEmpty();
    }

    @Test
    void givesUpOnWaitingRequestsAfterThreeFailedBootsAndRecovers() {
        ResourceRef endpoint = begin(Specs.window(WINDOW));
        cloud.failBoots(endpoint.id(), 3);
        CompletableFuture<Integer> lost = request(endpoint, 1);
        time.advance(Duration.ofSeconds(30));
        assertThat(lost).isCompletedWithValue(503);
        assertThat(serverless.observe(endpoint).phase()).isEqualTo(BackendPhase.FAILED);
        assertThat(serverless.observe(endpoint).detail()).contains("3 boots failed in a row");
        CompletableFuture<Integer> next = request(endpoint, 1);
        time.advance(Duration.ofSeconds(16));
        assertThat(next).isCompletedWithValue(200);
        assertThat(serverless.observe(endpoint).phase()).isEqualTo(BackendPhase.READY);
    }

    @Test
    void losesWhatALostContainerWorkedOnAndStartsAnotherForTheRest() {
        ResourceRef endpoint = begin(
                Specs.window(WINDOW).toBuilder().concurrency(1).workersMax(1).build());
        CompletableFuture<Integer> works = request(endpoint, 1000);
        CompletableFuture<Integer> waits = request(endpoint, 1);
        time.advance(Duration.ofSeconds(20));
        cloud.lose(view(endpoint).containers().get(0).id());
        assertThat(works).isCompletedWithValue(502);
        time.advance(Duration.ofSeconds(16));
        assertThat(waits).isCompletedWithValue(200);
    }

    @Test
    void finishesOnOldContainersWhatTheyHaveWhenTheEndpointChanges() {
        ResourceRef endpoint = begin(Specs.window(WINDOW));
        CompletableFuture<Integer> before = request(endpoint, 100);
        time.advance(Duration.ofSeconds(20));
        String old = view(endpoint).containers().get(0).id();
        serverless.begin(
                serverless.plan(Specs.serverless(Specs.engine("--standin-version", "2"), Specs.window(WINDOW))));
        CompletableFuture<Integer> after = request(endpoint, 1);
        time.advance(Duration.ofSeconds(16));
        assertThat(after).isCompletedWithValue(200);
        assertThat(view(endpoint).containers()).hasSize(2);
        time.advance(Duration.ofSeconds(80));
        assertThat(before).isCompletedWithValue(200);
        assertThat(view(endpoint).containers())
                .noneMatch(container -> container.id().equals(old));
    }

    @Test
    void billsContainersAtThePriceOfTheTime() {
        ResourceRef endpoint =
                begin(Specs.window(WINDOW).toBuilder().workersMin(1).build());
        time.advance(Duration.ofHours(1));
        cloud.setServerlessPrice("L4", new BigDecimal("2.20"));
        time.advance(Duration.ofHours(1));
        assertThat(view(endpoint).usd()).isEqualByComparingTo("3.30");
    }
}
