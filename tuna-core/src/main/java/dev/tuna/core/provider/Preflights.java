package dev.tuna.core.provider;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.ProviderNotFoundException;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.TunaException;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Runs providers' checks. A provider that fails instead of reporting gives a report with a check that failed, or that
 * could not be made if the same call may succeed later, so that one broken provider never keeps a person from reading
 * about the others. Thread-safe; calls take as long as the provider takes.
 */
public final class Preflights {

    /** The GPU that is checked for when none is named: every serverless cloud has it. */
    public static final String DEFAULT_GPU = "L4";

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final String DEPLOYMENT = "tuna-check";

    private final Clouds clouds;

    /**
     * Checks with these clouds.
     *
     * @param clouds opened as needed, stays open
     */
    public Preflights(Clouds clouds) {
        this.clouds = Objects.requireNonNull(clouds, "clouds");
    }

    /**
     * Checks a provider for a small model on one {@link #DEFAULT_GPU}. Creates and mends nothing.
     *
     * @param provider the exact name of a serverless or spot provider; of both, if both have it
     * @param options options for this provider
     * @return every check made
     * @throws ProviderNotFoundException if no provider has this name
     */
    public PreflightReport check(String provider, Map<String, String> options) {
        return check(provider, DEFAULT_GPU, options, false);
    }

    /**
     * Checks a provider for a small model on one GPU.
     *
     * @param provider the exact name of a serverless or spot provider; of both, if both have it
     * @param gpu canonical GPU name
     * @param options options for this provider
     * @param fix whether to mend harmless things
     * @return every check made
     * @throws ProviderNotFoundException if no provider has this name
     */
    public PreflightReport check(String provider, String gpu, Map<String, String> options, boolean fix) {
        ProviderCatalog catalog = clouds.catalog();
        catalog.requireKnown(provider);
        var checks = new ArrayList<PreflightReport.Check>();
        if (catalog.serverlessNames().contains(provider)) {
            var spec = new ServerlessSpec(
                    DEPLOYMENT, engine(gpu), ScalingPolicy.DEFAULT.serverless(), Optional.empty(), false, options);
            checks.addAll(serverless(provider, spec, fix).checks());
        }
        if (catalog.spotNames().contains(provider)) {
            var spec = new ReplicaSpec(DEPLOYMENT, engine(gpu), List.of(), Duration.ofMinutes(10), options);
            checks.addAll(spot(provider, spec, fix).checks());
            checks.addAll(guarded(provider, () -> routers(provider, options)).checks());
        }
        return new PreflightReport(provider, checks);
    }

    /**
     * Checks whether a serverless cloud can take a deployment.
     *
     * @param provider exact name
     * @param spec what would be deployed
     * @param fix whether to mend harmless things
     * @return every check made
     * @throws ProviderNotFoundException if no serverless provider has this name
     */
    public PreflightReport serverless(String provider, ServerlessSpec spec, boolean fix) {
        return guarded(provider, () -> clouds.serverless(provider).preflight(spec, fix));
    }

    /**
     * Checks whether a cloud can launch replicas of a deployment.
     *
     * @param provider exact name
     * @param spec what would be launched
     * @param fix whether to mend harmless things
     * @return every check made
     * @throws ProviderNotFoundException if no spot provider has this name
     */
    public PreflightReport spot(String provider, ReplicaSpec spec, boolean fix) {
        return guarded(provider, () -> clouds.spot(provider).preflight(spec, fix));
    }

    /** Machines of routers are none of a deployment's own checks: whoever runs it may have no right to rent them. */
    private PreflightReport routers(String provider, Map<String, String> options) {
        return new PreflightReport(
                provider,
                clouds.spot(provider)
                        .routers()
                        .map(cloud -> cloud.preflight(options))
                        .orElse(List.of()));
    }

    private static PreflightReport guarded(String provider, Supplier<PreflightReport> preflight) {
        try {
            return preflight.get();
        } catch (ProviderNotFoundException e) {
            throw e;
        } catch (TunaException e) {
            if (e.code() == ErrorCode.CLOSED) {
                throw e;
            }
            String message = String.valueOf(e.getMessage());
            var outcome = e.retryable() ? PreflightReport.Outcome.UNKNOWN : PreflightReport.Outcome.FAILED;
            var check = new PreflightReport.Check(checkName(e), outcome, message, Optional.empty());
            return new PreflightReport(provider, List.of(check));
        }
    }

    /** What the failure says about the provider, in the words that its own checks would use. */
    private static String checkName(TunaException failure) {
        return switch (failure.code()) {
            case UNREACHABLE, TIMEOUT -> "reachable";
            case CREDENTIALS, NOT_CONFIGURED -> "credentials";
            case QUOTA, CAPACITY -> "capacity";
            default -> failure instanceof ConfigurationException ? "settings" : "preflight";
        };
    }

    private static EngineSpec engine(String gpu) {
        return new EngineSpec(
                MODEL,
                MODEL,
                gpu,
                Optional.empty(),
                1,
                1,
                4096,
                Optional.empty(),
                true,
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Map.of());
    }
}
