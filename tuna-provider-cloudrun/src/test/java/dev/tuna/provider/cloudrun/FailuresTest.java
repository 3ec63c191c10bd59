package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.TunaException;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever step fails and however, the same call made again ends in one service, or none. */
class FailuresTest {

    private static final String READ = "GET .*/services/[^/:]+";
    private static final String CREATE = "POST .*/services";
    private static final String UPDATE = "PATCH .*";
    private static final String POLICY = "GET .*:getIamPolicy";
    private static final String GRANT = "POST .*:setIamPolicy";
    private static final String OPERATION = "GET .*/operations/.*";
    private static final String REVISION = "GET .*/revisions/.*";
    private static final String DELETE = "DELETE .*";
    private static final int MOST_CALLS = 5;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private static World world;

    @BeforeAll
    static void start() {
        world = World.create();
    }

    @AfterAll
    static void stop() {
        // Injected answers need not be as Google's documents say, so conformance is not checked here.
        world.vendor.close();
    }

    @AfterEach
    void clear() {
        world.vendor.clearFaults();
    }

    /** A way in which a step fails. */
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

    private static VendorAnswer error(int status, String name) {
        return VendorAnswer.json(
                status,
                "{\"error\":{\"code\":" + status + ",\"message\":\"as scripted\",\"status\":\"" + name + "\"}}");
    }

    static Stream<Arguments> steps() {
        Stream<Failing> ways = Stream.of(
                answering("500", error(500, "INTERNAL")),
                answering("429 for long", error(429, "RESOURCE_EXHAUSTED").with("Retry-After", "60")),
                answering("409 aborted", error(409, "ABORTED")),
                answering("200 that is no JSON", VendorAnswer.of(200, "text/html", "<h1>Welcome</h1>")),
                new Failing(
                        "cut before it is done",
                        step -> VendorFault.cutting(step, false).times(3)),
                new Failing(
                        "cut after it is done",
                        step -> VendorFault.cutting(step, true).times(3)));
        return ways.flatMap(way -> Stream.of(READ, CREATE, UPDATE, POLICY, GRANT, OPERATION, REVISION, DELETE)
                .map(step -> Arguments.of(step, way)));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("steps")
    @DisplayName("a step that fails can be tried again")
    void failingStep(String step, Failing way) {
        String deployment = "fail-" + NUMBER.incrementAndGet();
        var spec = Specs.of(deployment);
        ServerlessPlan plan = world.cloud.plan(spec);
        ServerlessPlan changed =
                world.cloud.plan(Specs.with(spec, Specs.arguments(spec.engine(), "--max-num-seqs", "8")));
        boolean isThere = step.equals(UPDATE);
        if (isThere) {
            world.until(world.cloud.begin(plan), BackendPhase.READY);
        }
        world.vendor.inject(way.fault().apply(step));
        ResourceRef resource = untilItWorks(() -> world.cloud.begin(changed));
        String service = Place.of(resource).service();
        assertThat(world.vendor.services()).containsExactly(service);
        untilItIs(resource, BackendPhase.READY);
        assertThat(world.vendor.revisions(service)).isEqualTo(isThere ? 2 : 1);
        assertThat(world.vendor.invokers(service)).hasSize(1);
        untilItWorks(() -> {
            world.cloud.destroy(resource);
            return resource;
        });
        untilItIs(resource, BackendPhase.GONE);
        assertThat(world.vendor.services()).isEmpty();
    }

    private static void untilItIs(ResourceRef resource, BackendPhase phase) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (untilItWorks(() -> world.cloud.observe(resource)).phase() != phase) {
            assertThat(System.nanoTime()).as("waiting for %s", phase).isLessThan(deadline);
        }
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
}
