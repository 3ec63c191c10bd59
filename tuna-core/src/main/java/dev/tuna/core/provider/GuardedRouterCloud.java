package dev.tuna.core.provider;

import dev.tuna.api.PreflightReport;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmObservation;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.RouterVmSpec;
import java.net.URI;
import java.util.List;
import java.util.Map;

/** The part of a plugin's cloud that rents machines for routers, behind a guard. Thread-safe as the plugin is. */
record GuardedRouterCloud(RouterCloud cloud, PluginGuard guard) implements RouterCloud {

    @Override
    public List<PreflightReport.Check> preflight(Map<String, String> options) {
        return guard.call("check router VM", () -> List.copyOf(cloud.preflight(options)));
    }

    @Override
    public RouterVmPlan plan(RouterVmSpec spec, String token) {
        return guard.call("plan router VM", () -> cloud.plan(spec, token));
    }

    @Override
    public ResourceRef launch(RouterVmPlan plan) {
        return guard.call("launch router VM", () -> cloud.launch(plan));
    }

    @Override
    public RouterVmObservation observe(ResourceRef vm, String name) {
        return guard.call("observe router VM", () -> cloud.observe(vm, name));
    }

    @Override
    public URI deliver(RouterVmPlan plan, URI jar, String sha256) {
        return guard.call("deliver jar", () -> cloud.deliver(plan, jar, sha256));
    }

    @Override
    public void terminate(ResourceRef vm) {
        guard.run("terminate router VM", () -> cloud.terminate(vm));
    }

    @Override
    public void cleanUp(FoundRouterVm found) {
        guard.run("clean up after router VM", () -> cloud.cleanUp(found));
    }

    @Override
    public List<FoundRouterVm> find() {
        return guard.call("find router VMs", () -> List.copyOf(cloud.find()));
    }
}
