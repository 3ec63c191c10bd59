package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.runpod.RunPodStandIn;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever step fails and however, the same call made again ends in one endpoint, or none. */
class FailuresTest {

    private static final String LIST = "GET /v2/serverless";
    private static final String CREATE = "POST /v2/serverless";
    private static final String UPDATE = "PATCH /v2/serverless/.*";
    private static final String WORKERS = "GET /v2/serverless/[^/]+/workers";
    private static final String DELETE = "DELETE /v2/serverless/.*";
    private static final int MOST_CALLS = 5;

    private final Rig rig = new Rig();

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    /** A way in which a step fails, and what is to be said of it. */
    private record Failing(String name, Function<String, VendorFault> fault) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Failing answering(String name, VendorAnswer answer) {
        // Thrice, so that a call that is tried again by itself fails too.
        return new Failing(name, step -> VendorFault.answering(step, answer).times(3));
    }

    private static final List<Failing> WAYS = List.of(
            answering("500", Wire.problem(500, "internal error")),
            answering("503 of a gateway", VendorAnswer.of(503, "text/html", "<h1>Service Unavailable</h1>")),
            answering("429 for long", Wire.problem(429, "rate limit").with("Retry-After", "60")),
            answering("200 that is no JSON", VendorAnswer.of(200, "text/html", "<h1>Welcome</h1>")),
            new Failing(
                    "cut before it is done",
                    step -> VendorFault.cutting(step, false).times(3)),
            new Failing(
                    "cut after it is done",
                    step -> VendorFault.cutting(step, true).times(3)));

    static Stream<Arguments> steps() {
        return Stream.of(LIST, CREATE, UPDATE, WORKERS, DELETE)
                .flatMap(step -> WAYS.stream().map(way -> Arguments.of(step, way)));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("steps")
    @DisplayName("a step that fails can be tried again")
    void failingStep(String step, Failing way) {
        ServerlessPlan plan = rig.always("tuna-f", 1);
        ServerlessPlan changed = rig.always("tuna-f", 2);
        if (!step.equals(CREATE) && !step.equals(LIST)) {
            rig.ready(plan);
        }
        rig.vendor.inject(way.fault().apply(step));
        ResourceRef resource = untilItWorks(() -> rig.cloud.begin(changed));
        assertThat(rig.vendor.endpoints()).as("made once").containsExactly(resource.id());
        assertThat(rig.vendor.workersMax(resource.id())).as("as the plan says").isEqualTo(2);
        rig.await(
                "it is ready",
                () -> untilItWorks(() -> rig.cloud.observe(resource)).phase() == BackendPhase.READY);
        untilItWorks(() -> {
            rig.cloud.destroy(resource);
            return resource;
        });
        rig.vendor.clearFaults();
        assertThat(rig.cloud.observe(resource).phase()).isEqualTo(BackendPhase.GONE);
        assertThat(rig.vendor.endpoints()).isEmpty();
    }

    /** As core does: what may succeed later is tried again, and no error of another kind comes out. */
    private static <T> T untilItWorks(Supplier<T> call) {
        TunaException last = null;
        for (int calls = 0; calls < MOST_CALLS; calls++) {
            try {
                return call.get();
            } catch (TunaException e) {
                last = e;
            }
        }
        throw new AssertionError("did not work in " + MOST_CALLS + " calls", last);
    }

    static Stream<Arguments> refusals() {
        return Stream.of(
                Arguments.of(401, "key is not valid", ErrorCode.CREDENTIALS, false),
                Arguments.of(403, "access denied", ErrorCode.CREDENTIALS, false),
                Arguments.of(402, "payment required", ErrorCode.QUOTA, false),
                Arguments.of(400, "Max workers must not exceed your workers quota (5).", ErrorCode.QUOTA, false),
                Arguments.of(400, "insufficient funds", ErrorCode.QUOTA, false),
                Arguments.of(
                        400,
                        "There are no longer any instances available with the requested specifications.",
                        ErrorCode.CAPACITY,
                        true),
                Arguments.of(400, "exactly one of gpu and cpu is required", ErrorCode.PROVIDER_REFUSED, false),
                Arguments.of(422, "Request validation failed.", ErrorCode.PROVIDER_REFUSED, false),
                Arguments.of(429, "slow down", ErrorCode.PROVIDER_REFUSED, true),
                Arguments.of(500, "internal error", ErrorCode.PROVIDER_REFUSED, true));
    }

    @ParameterizedTest(name = "{0} {1}: {2}")
    @MethodSource("refusals")
    @DisplayName("P-12, P-14 a refusal says what kind it is, what RunPod says, and whether time helps")
    void refusal(int status, String said, ErrorCode code, boolean retryable) {
        rig.vendor.inject(
                VendorFault.answering(CREATE, Wire.problem(status, said).with("Retry-After", "60")));
        ServerlessPlan plan = rig.plan(Specs.named("tuna-f"));
        TunaException refusal = failure(() -> rig.cloud.begin(plan)).orElseThrow();
        assertThat(refusal.code()).isEqualTo(code);
        assertThat(refusal.retryable()).isEqualTo(retryable);
        assertThat(refusal).hasMessageContaining("create endpoint").hasMessageContaining(said);
        assertThat(rig.vendor.endpoints()).isEmpty();
    }

    private static Optional<TunaException> failure(Runnable call) {
        try {
            call.run();
            return Optional.empty();
        } catch (TunaException e) {
            return Optional.of(e);
        }
    }

    @Test
    @DisplayName("a rate limit is waited for if it is short, and handed on with its time if it is long")
    void throttled() {
        ServerlessPlan plan = rig.plan(Specs.named("tuna-f"));
        rig.vendor.inject(VendorFault.answering(
                ".*", Wire.problem(429, "rate limit exceeded").with("Retry-After", "1")));
        ResourceRef resource = rig.cloud.begin(plan);
        rig.vendor.inject(VendorFault.answering(
                WORKERS, Wire.problem(429, "rate limit exceeded").with("Retry-After", "55")));
        TunaException told = failure(() -> rig.cloud.observe(resource)).orElseThrow();
        assertThat(told.retryable()).isTrue();
        assertThat(((ProviderException) told).retryAfter()).contains(Duration.ofSeconds(55));
        assertThat(rig.cloud.observe(resource).phase()).isEqualTo(BackendPhase.READY);
    }

    @Test
    @DisplayName("P-12 what an interrupted begin has left is adopted by the next process, not made again")
    void restartInTheMiddle() {
        ServerlessPlan plan = rig.always("tuna-f", 1);
        rig.vendor.inject(VendorFault.cutting(CREATE, true));
        TunaException lost = failure(() -> rig.cloud.begin(plan)).orElseThrow();
        assertThat(lost.code()).isEqualTo(ErrorCode.UNREACHABLE);
        assertThat(lost.retryable()).isTrue();
        assertThat(rig.vendor.endpoints()).as("made all the same").hasSize(1);
        try (var next = rig.open()) {
            assertThat(next.find()).hasSize(1);
            ResourceRef adopted = next.begin(plan);
            assertThat(rig.vendor.endpoints()).containsExactly(adopted.id());
            rig.await("it serves", () -> next.observe(adopted).phase() == BackendPhase.READY);
        }
    }

    @Test
    @DisplayName("an endpoint that was made with other settings than the plan's is made to fit, in one call")
    void halfMade() {
        rig.cloud.begin(rig.plan(Specs.named("tuna-f").version("0.30.0")));
        int before = rig.vendor.exchanges().size();
        ServerlessPlan plan = rig.plan(Specs.named("tuna-f").gpu("L40S", 2));
        ResourceRef resource = rig.open().begin(plan);
        assertThat(rig.vendor.endpoints()).containsExactly(resource.id());
        assertThat(rig.vendor.exchanges().subList(before, rig.vendor.exchanges().size()))
                .extracting(Object::toString)
                .containsExactly("GET /v2/serverless -> 200", "PATCH /v2/serverless/ep000001 -> 200");
        before = rig.vendor.exchanges().size();
        rig.open().begin(plan);
        assertThat(rig.vendor.exchanges().subList(before, rig.vendor.exchanges().size()))
                .as("there is nothing left to change")
                .extracting(Object::toString)
                .containsExactly("GET /v2/serverless -> 200");
    }

    @Test
    @DisplayName("two endpoints of one name, left by two processes, become one")
    void twins() {
        ServerlessPlan plan = rig.always("tuna-f", 1);
        CountDownLatch both = new CountDownLatch(1);
        rig.vendor.inject(VendorFault.slow(CREATE, both).times(2));
        var first = CompletableFuture.supplyAsync(() -> rig.cloud.begin(plan));
        var second = CompletableFuture.supplyAsync(() -> rig.open().begin(plan));
        rig.await(
                "both have seen that there is none",
                () -> rig.vendor.exchanges().stream()
                                .filter(exchange -> exchange.toString().startsWith(LIST + " "))
                                .count()
                        == 2);
        both.countDown();
        assertThat(first.join()).isEqualTo(second.join());
        assertThat(rig.vendor.endpoints()).containsExactly(plan.resource().id());
        rig.await("it serves", () -> rig.cloud.observe(plan.resource()).phase() == BackendPhase.READY);
        rig.cloud.destroy(plan.resource());
        assertThat(rig.vendor.endpoints()).isEmpty();
    }

    @Test
    @DisplayName("an operation that takes long is waited for, and others go on meanwhile")
    void slowOperation() {
        ResourceRef other = rig.ready(rig.always("tuna-other", 1));
        CountDownLatch gate = new CountDownLatch(1);
        rig.vendor.inject(VendorFault.slow(CREATE, gate));
        ServerlessPlan plan = rig.plan(Specs.named("tuna-f"));
        var begun = CompletableFuture.supplyAsync(() -> rig.cloud.begin(plan));
        assertThat(rig.cloud.observe(other).phase()).isEqualTo(BackendPhase.READY);
        gate.countDown();
        assertThat(begun.join()).isEqualTo(plan.resource());
    }

    @Test
    @DisplayName("P-14 an endpoint that RunPod will not delete while it has workers is emptied first")
    void deleteNeedsAnEmptyEndpoint() {
        ResourceRef resource = rig.ready(rig.always("tuna-f", 1));
        rig.vendor.inject(VendorFault.answering(DELETE, Wire.problem(400, "workers must be 0 before deleting")));
        rig.cloud.destroy(resource);
        assertThat(rig.vendor.endpoints()).isEmpty();
        assertThat(rig.vendor.exchanges())
                .extracting(Object::toString)
                .contains("PATCH /v2/serverless/ep000001 -> 200");
    }

    @Test
    @DisplayName("an endpoint of another type cannot be changed, and the error says what to do")
    void otherType() {
        rig.cloud.begin(rig.plan(Specs.named("tuna-f")));
        ServerlessPlan queued = rig.plan(Specs.queued("tuna-f"));
        assertThat(failure(() -> rig.cloud.begin(queued)).orElseThrow())
                .hasMessageContaining("LOAD_BALANCER, which RunPod cannot change to QUEUE; destroy it first");
    }

    @Test
    @DisplayName("more workers than the account may have is a matter of quota, and nothing is left")
    void quota() throws Exception {
        try (Rig poor = new Rig(RunPodStandIn.builder().workerQuota(3).balance(BigDecimal.ONE))) {
            TunaException refusal = failure(() -> poor.cloud.begin(poor.plan(Specs.named("tuna-f"))))
                    .orElseThrow();
            assertThat(refusal.code()).isEqualTo(ErrorCode.QUOTA);
            assertThat(poor.vendor.endpoints()).isEmpty();
        }
    }

    @Test
    @DisplayName("an engine that cannot start fails after three minutes, not before, and its last words are told")
    void crashingEngine() {
        ResourceRef resource = rig.cloud.begin(rig.always("tuna-f", 1));
        rig.vendor.trouble(resource.id(), RunPodStandIn.Trouble.CRASHING);
        rig.await("it is unhealthy", () -> rig.cloud.observe(resource).detail().contains("1 unhealthy"));
        rig.vendor.write(resource.id(), "CUDA out of memory");
        rig.pass(Duration.ofMinutes(2));
        assertThat(rig.cloud.observe(resource).phase()).isEqualTo(BackendPhase.BOOTING);
        rig.pass(Duration.ofMinutes(2));
        var failed = rig.cloud.observe(resource);
        assertThat(failed.phase()).isEqualTo(BackendPhase.FAILED);
        assertThat(failed.detail())
                .contains("no worker has been healthy for", "console.runpod.io", "CUDA out of memory");
        rig.vendor.trouble(resource.id(), RunPodStandIn.Trouble.NONE);
        rig.await("it has recovered", () -> rig.cloud.observe(resource).phase() == BackendPhase.READY);
    }

    @Test
    @DisplayName("an endpoint for which there is no machine says so and waits")
    void noMachine() {
        ResourceRef resource = rig.cloud.begin(rig.always("tuna-f", 1));
        rig.vendor.trouble(resource.id(), RunPodStandIn.Trouble.NO_MACHINE);
        rig.await("it is seen", () -> rig.cloud.observe(resource).detail().contains("waiting for a machine"));
        assertThat(rig.cloud.observe(resource).phase()).isEqualTo(BackendPhase.REQUESTED);
        assertThat(rig.cloud.observe(resource).containers()).hasValue(0);
    }
}
