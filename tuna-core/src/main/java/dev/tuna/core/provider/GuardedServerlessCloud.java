package dev.tuna.core.provider;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LogLine;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.util.List;

/** A plugin's cloud behind a guard. Thread-safe as the plugin is. */
final class GuardedServerlessCloud implements ServerlessCloud {

    private final ServerlessCloud cloud;
    private final PluginGuard guard;

    GuardedServerlessCloud(ServerlessCloud cloud, PluginGuard guard) {
        this.cloud = cloud;
        this.guard = guard;
    }

    @Override
    public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
        return guard.call("preflight", () -> cloud.preflight(spec, fix));
    }

    @Override
    public List<GpuOffer> offers(GpuQuery query) {
        return guard.call("list offers", () -> List.copyOf(cloud.offers(query)));
    }

    @Override
    public ServerlessPlan plan(ServerlessSpec spec) {
        return guard.call("plan endpoint", () -> cloud.plan(spec));
    }

    @Override
    public ResourceRef begin(ServerlessPlan plan) {
        return guard.call("create endpoint", () -> cloud.begin(plan));
    }

    @Override
    public ServerlessObservation observe(ResourceRef resource) {
        return guard.call("observe endpoint", () -> cloud.observe(resource));
    }

    @Override
    public void destroy(ResourceRef resource) {
        guard.run("destroy endpoint", () -> cloud.destroy(resource));
    }

    @Override
    public List<FoundResource> find() {
        return guard.call("find resources", () -> List.copyOf(cloud.find()));
    }

    @Override
    public List<LogLine> logs(ResourceRef resource, int lines) {
        return guard.call("read logs", () -> List.copyOf(cloud.logs(resource, lines)));
    }

    @Override
    public void clearCache(ResourceRef resource) {
        guard.run("clear cache", () -> cloud.clearCache(resource));
    }

    @Override
    public void park(ResourceRef resource) {
        guard.run("park endpoint", () -> cloud.park(resource));
    }

    @Override
    public void unpark(ResourceRef resource) {
        guard.run("unpark endpoint", () -> cloud.unpark(resource));
    }

    @Override
    public void close() {
        guard.run("close", cloud::close);
    }
}
