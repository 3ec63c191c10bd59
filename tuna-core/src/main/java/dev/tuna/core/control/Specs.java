package dev.tuna.core.control;

import dev.tuna.api.ColdStartMode;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.SecretRef;
import dev.tuna.core.catalog.GpuNames;
import dev.tuna.core.catalog.GpuSpec;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Turns a request into what plugins are asked for. Pure. */
final class Specs {

    private Specs() {}

    /** The key that clients send. */
    static SecretRef routerKey(String deploymentId) {
        return new SecretRef("deployments/" + deploymentId + "/router-key");
    }

    /** The key that model servers demand of the router. */
    static SecretRef engineKey(String deploymentId) {
        return new SecretRef("deployments/" + deploymentId + "/engine-key");
    }

    static ServerlessSpec serverless(String deploymentId, DeployRequest request, String provider) {
        return new ServerlessSpec(
                request.serviceName().orElseThrow(),
                engine(deploymentId, request, request.coldStartMode() == ColdStartMode.FAST_BOOT),
                request.effectiveScaling().serverless(),
                request.serverlessRegion(),
                request.publicAccess(),
                request.providerOptions().getOrDefault(provider, Map.of()));
    }

    /** Replicas carry the load for hours: they take the time to boot for full speed. */
    static ReplicaSpec replica(String deploymentId, DeployRequest request, String cloud, Duration orphanTimeout) {
        return new ReplicaSpec(
                request.serviceName().orElseThrow(),
                engine(deploymentId, request, false),
                request.spotRegions(),
                orphanTimeout,
                request.providerOptions().getOrDefault(cloud, Map.of()));
    }

    private static EngineSpec engine(String deploymentId, DeployRequest request, boolean fastBoot) {
        GpuSpec gpu = GpuNames.require(request.gpu());
        return new EngineSpec(
                request.model(),
                request.model(),
                gpu.name(),
                Optional.of(gpu.computeCapability()),
                request.gpuCount(),
                request.effectiveTpSize(),
                request.maxModelLen(),
                request.quantization(),
                fastBoot,
                request.engineVersion(),
                request.engineArguments(),
                request.containerImage(),
                Optional.of(engineKey(deploymentId)),
                request.secrets());
    }

    /** What is wrong, and how to mend it, in one sentence. */
    static String failures(PreflightReport report) {
        return report.checks().stream()
                .filter(check -> switch (check.outcome()) {
                    case FAILED, UNKNOWN -> true;
                    case PASSED, FIXED, WARNING -> false;
                })
                .map(check -> check.message()
                        + check.fix().map(fix -> " (fix: " + fix + ")").orElse(""))
                .collect(Collectors.joining(", "));
    }
}
