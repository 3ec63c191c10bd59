package dev.tuna.provider.baseten;

import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.testkit.baseten.BasetenStandIn;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.vendor.VendorExchange;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A stand-in and what works on it. Time passes only when it is told to; the stand-in's own time is real, and with a boot time
 * of zero nothing has to be waited for.
 */
final class Bench implements AutoCloseable {

    final BasetenStandIn vendor;
    final ContractContext context;
    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.now());

    Bench(BasetenStandIn.Builder builder) {
        vendor = builder.start();
        context = Contexts.of(vendor).withClock(now::get);
    }

    static Bench instant() {
        return new Bench(quick());
    }

    /** Deployments are active as soon as somebody looks. */
    static BasetenStandIn.Builder quick() {
        return BasetenStandIn.builder().bootTime(Duration.ZERO);
    }

    /** A cloud that remembers nothing, as after a restart. */
    ServerlessCloud cloud() {
        return new BasetenCloud(context, variable -> null, time -> {});
    }

    void pass(Duration time) {
        now.updateAndGet(before -> before.plus(time));
    }

    String name(String deployment) {
        return ModelPlanner.name(deployment, context.ownerId());
    }

    ResourceRef begin(Specs specs) {
        return begin(cloud(), specs);
    }

    ResourceRef begin(ServerlessCloud cloud, Specs specs) {
        return cloud.begin(cloud.plan(specs.spec()));
    }

    ServerlessPlan plan(Specs specs) {
        return cloud().plan(specs.spec());
    }

    ServerlessObservation observe(ResourceRef resource) {
        return cloud().observe(resource);
    }

    /** Method and path of every request so far, ids and keys of objects left out. */
    List<String> calls() {
        return vendor.exchanges().stream().map(Bench::call).toList();
    }

    static String call(VendorExchange exchange) {
        return exchange.request()
                .toString()
                .replaceAll("(mdl|dep)\\d+", "*")
                .replaceFirst("/s3/.*", "/s3/*")
                .replaceFirst("secrets/.*", "secrets/*");
    }

    @Override
    public void close() {
        vendor.close();
        StandInTest.seen(vendor.exchanges());
    }
}
