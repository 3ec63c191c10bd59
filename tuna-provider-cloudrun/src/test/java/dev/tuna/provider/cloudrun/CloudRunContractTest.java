package dev.tuna.provider.cloudrun;

import dev.tuna.api.ScalingPolicy;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.ServerlessProviderContract;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract on private services, which are guarded by IAM. Covers P-30 to P-35. */
class CloudRunContractTest extends ServerlessProviderContract {

    /** Instances are counted once a minute, which nobody should wait for. */
    private static final Duration STEP = Duration.ofSeconds(1);

    private static final AtomicLong AHEAD = new AtomicLong();
    private static final InstantSource CLOCK = () -> Instant.now().plusNanos(AHEAD.get());

    private static CloudRunStandIn vendor;

    @BeforeAll
    static void start() {
        vendor = CloudRunStandIn.builder().clock(CLOCK).start();
    }

    @AfterAll
    static void stop() throws IOException {
        vendor.close();
        Wire.checkConformance(vendor);
    }

    @Override
    protected ServerlessProvider provider() {
        return new CloudRunProvider();
    }

    @Override
    protected ContractContext context() {
        return Contexts.of(vendor).withClock(CLOCK);
    }

    /** Time passes faster while something is waited for. */
    @Override
    protected boolean eventually(BooleanSupplier condition) {
        return super.eventually(() -> {
            boolean met = condition.getAsBoolean();
            AHEAD.addAndGet(met ? 0 : STEP.toNanos());
            return met;
        });
    }

    @Override
    protected ContractContext broken(ContractContext working) {
        return working.withSetting("api_url", "http://127.0.0.1:1");
    }

    @Override
    protected Map<String, ServerlessSpec> impossibleSpecs() {
        ServerlessSpec fine = spec("tuna-a");
        ScalingPolicy.Serverless scaling = fine.scaling();
        return Map.of(
                "a region of another cloud", Specs.in(fine, "eu-central-1"),
                "a GPU that Cloud Run has not", Specs.with(fine, Specs.on(fine.engine(), "H100", 1)),
                "two GPUs", Specs.with(fine, Specs.on(fine.engine(), "L4", 2)),
                "an option nobody knows", Specs.with(fine, Map.of("memory", "32")),
                "less memory than the GPU needs", Specs.with(fine, Map.of("memory_gib", "8")),
                "a request of two hours",
                        Specs.with(
                                fine,
                                scaling.toBuilder().timeout(Duration.ofHours(2)).build()),
                "an idle window of its own",
                        Specs.with(
                                fine,
                                scaling.toBuilder()
                                        .scaledownWindow(Duration.ofMinutes(2))
                                        .build()),
                "a queue delay",
                        Specs.with(fine, scaling.toBuilder().scalerValue(9).build()));
    }
}
