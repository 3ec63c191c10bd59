package dev.tuna.provider.runpod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.runpod.RunPodStandIn;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** A stand-in and a cloud that works with it, closed as one; what went between them is as RunPod's document says. */
final class Rig implements AutoCloseable {

    private static final long PATIENCE = Duration.ofSeconds(60).toNanos();

    final RunPodStandIn vendor;
    final AtomicReference<Duration> passed = new AtomicReference<>(Duration.ZERO);
    final ContractContext context;
    final ServerlessCloud cloud;
    private final List<AutoCloseable> opened = new ArrayList<>();

    Rig() {
        this(RunPodStandIn.builder());
    }

    Rig(RunPodStandIn.Builder builder) {
        vendor = builder.start();
        InstantSource clock = () -> Instant.now().plus(passed.get());
        context = Contexts.of(vendor).withClock(clock);
        cloud = open();
    }

    /** Another process, or this one after a restart. */
    ServerlessCloud open() {
        ServerlessCloud made = new RunPodProvider().open(context);
        opened.add(made);
        return made;
    }

    /** The cloud's clock moves on. */
    void pass(Duration time) {
        passed.updateAndGet(time::plus);
    }

    ServerlessPlan plan(Specs specs) {
        return cloud.plan(specs.spec());
    }

    /** An endpoint that always has workers. */
    ServerlessPlan always(String deployment, int workers) {
        Specs specs = Specs.named(deployment);
        return plan(specs.scaling(specs.scaling().toBuilder()
                .workersMin(workers)
                .workersMax(workers)
                .build()));
    }

    /** Begins and waits until every worker serves that must be there. */
    ResourceRef ready(ServerlessPlan plan) {
        ResourceRef resource = cloud.begin(plan);
        int workers = EndpointPlan.read(plan.body()).create().at("/workers/min").asInt();
        await("it is ready", () -> {
            var now = cloud.observe(resource);
            return now.phase() == BackendPhase.READY
                    && (workers == 0 || now.detail().isEmpty())
                    && now.containers().orElse(0) >= workers;
        });
        return resource;
    }

    void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            pause();
        }
    }

    /** Calls again and again until the answer is as it should be. */
    <T> T eventually(Callable<T> call, Predicate<T> wanted) throws Exception {
        long deadline = System.nanoTime() + PATIENCE;
        T answer = call.call();
        while (!wanted.test(answer)) {
            assertThat(System.nanoTime()).as("last answer: %s", answer).isLessThan(deadline);
            pause();
            answer = call.call();
        }
        return answer;
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(10);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    @Override
    public void close() throws IOException {
        opened.forEach(each -> {
            try {
                each.close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        vendor.close();
        Wire.checkConformance(vendor);
    }
}
