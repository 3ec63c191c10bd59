package dev.tuna.provider.runpod;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Checks;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.provider.support.Newest;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Supplier;

/** Checks what RunPod can tell without making anything. Confined to one report. */
final class RunPodPreflight {

    private static final String KEYS_PAGE = "https://console.runpod.io/user/settings";
    private static final String BILLING_PAGE = "https://console.runpod.io/user/billing";
    private static final String QUOTA_PAGE = "https://docs.runpod.io/serverless/workers/overview";

    private final ProviderContext context;
    private final RunPodSettings settings;
    private final RunPodApi api;
    private final Newest<GpuCatalog> catalog;
    private final ServerlessSpec spec;
    private final List<Check> checks = new ArrayList<>();

    RunPodPreflight(
            ProviderContext context,
            RunPodSettings settings,
            RunPodApi api,
            Newest<GpuCatalog> catalog,
            ServerlessSpec spec) {
        this.context = context;
        this.settings = settings;
        this.api = api;
        this.catalog = catalog;
        this.spec = spec;
    }

    /**
     * Makes the checks, up to one without which the others would say the same.
     *
     * @param plan what would be sent, asked for when the catalogue has been read
     */
    PreflightReport report(Supplier<ServerlessPlan> plan) {
        boolean present = hasKey();
        Checks.missingSecrets(spec.engine(), context.secrets()).forEach(checks::add);
        Optional<List<Endpoint>> endpoints = present ? readEndpoints() : Optional.empty();
        if (endpoints.isPresent()) {
            checkGpu(catalog.fresh());
        }
        checkPlan(plan);
        endpoints.ifPresent(this::checkBalance);
        return done();
    }

    private PreflightReport done() {
        return new PreflightReport(RunPodProvider.NAME, checks);
    }

    private boolean hasKey() {
        boolean present = api.key().isPresent();
        checks.add(Checks.apiKey(present, settings.apiKey(), RunPodSettings.KEY_VARIABLE, KEYS_PAGE));
        settings.endpointKey()
                .filter(ref -> context.secrets().get(ref).isEmpty())
                .ifPresent(ref -> checks.add(Check.failed(
                        "endpoint_key_present",
                        "there is no secret '" + ref.name() + "', which endpoint_key_secret names",
                        "put a key that may call endpoints into it; make one at " + KEYS_PAGE)));
        return present;
    }

    private Optional<List<Endpoint>> readEndpoints() {
        try {
            List<Endpoint> endpoints = api.endpoints();
            checks.add(Check.passed(
                    "api_key_valid", "RunPod takes the key; the account has " + endpoints.size() + " endpoints"));
            return Optional.of(endpoints);
        } catch (TunaException e) {
            checks.add(
                    e.code() == ErrorCode.UNREACHABLE
                            ? Checks.failed("api_reachable", e, "curl -sS " + settings.apiUrl() + "/v2/openapi.json")
                            : Checks.failed(
                                    "api_key_valid", e, "make a key with access to the REST API at " + KEYS_PAGE));
            return Optional.empty();
        }
    }

    private void checkGpu(GpuCatalog gpus) {
        String gpu = spec.engine().gpu();
        RunPodOptions options;
        try {
            options = RunPodOptions.of(context.settings(), spec.options());
        } catch (ConfigurationException e) {
            // The plan will say so.
            return;
        }
        List<GpuType> types = options.pools().isEmpty()
                ? gpus.of(gpu)
                : options.pools().stream()
                        .flatMap(pool -> gpus.in(pool).stream())
                        .toList();
        if (types.isEmpty()) {
            checks.add(Check.failed(
                    "gpu_offered",
                    "RunPod has no " + (options.pools().isEmpty() ? gpu : options.pools()) + " for endpoints",
                    "choose one of " + String.join(", ", gpus.gpus())));
        } else if (!gpus.source().equals(GpuCatalog.LIVE)) {
            checks.add(
                    Check.warning("gpu_offered", "RunPod's catalogue cannot be read; going by the " + gpus.source()));
        } else if (types.stream().noneMatch(GpuType::available)) {
            checks.add(Check.warning("gpu_offered", "RunPod has " + gpu + ", but none to give at the moment"));
        } else {
            checkPlace(gpu, types, options);
        }
        checkSize(types);
    }

    /** Workers may get any of the types, so the smallest counts. */
    private void checkSize(List<GpuType> types) {
        int memoryGb = types.stream().mapToInt(GpuType::memoryGb).min().orElse(0);
        Optional<Secret> token =
                Optional.ofNullable(spec.engine().secrets().get("HF_TOKEN")).flatMap(context.secrets()::get);
        new ModelHub(context, settings.hubUrl())
                .tooLarge(spec.engine(), memoryGb * spec.engine().gpuCount(), token)
                .ifPresent(problem -> checks.add(Check.warning("model_fits", problem)));
    }

    private void checkPlace(String gpu, List<GpuType> types, RunPodOptions options) {
        List<String> wanted = spec.region().map(List::of).orElse(options.dataCenters());
        TreeSet<String> offered = new TreeSet<>();
        types.forEach(type -> offered.addAll(type.dataCenters()));
        if (!wanted.isEmpty() && !offered.isEmpty() && wanted.stream().noneMatch(offered::contains)) {
            checks.add(Check.failed(
                    "gpu_offered",
                    "RunPod has no " + gpu + " in " + String.join(", ", wanted),
                    "choose one of " + String.join(", ", offered) + " or leave the region unset"));
            return;
        }
        String price = GpuCatalog.dearest(types).map(usd -> usd + " $/h each").orElse("its price is not told");
        checks.add(Check.passed("gpu_offered", "RunPod has " + gpu + " to give, " + price));
    }

    private void checkPlan(Supplier<ServerlessPlan> plan) {
        try {
            checks.add(Check.passed("request_valid", plan.get().summary()));
        } catch (ConfigurationException e) {
            e.problems()
                    .forEach(problem -> checks.add(
                            Check.failed("request_valid", problem, "change the request as the message says")));
        }
    }

    private void checkBalance(List<Endpoint> endpoints) {
        Optional<BigDecimal> balance;
        try {
            balance = api.balance();
        } catch (TunaException e) {
            checks.add(Check.warning("balance", "the balance cannot be read: " + e.getMessage()));
            return;
        }
        if (balance.isEmpty()) {
            checks.add(Check.warning("balance", "RunPod does not tell this key the balance"));
            return;
        }
        BigDecimal usd = balance.get();
        checks.add(
                usd.signum() > 0
                        ? Check.passed("balance", "the account has " + usd + " $")
                        : Check.failed("balance", "the account has " + usd + " $, so nothing starts", BILLING_PAGE));
        checkQuota(endpoints, usd);
    }

    /** RunPod may have granted an account more than its balance says, so this is only a warning. */
    private void checkQuota(List<Endpoint> endpoints, BigDecimal balance) {
        int quota = WorkerQuota.of(balance);
        String own = EndpointPlanner.name(spec.deployment(), context.ownerId());
        int taken = endpoints.stream()
                .filter(endpoint -> !endpoint.isNamed(own))
                .mapToInt(Endpoint::workersMax)
                .sum();
        int wanted = spec.scaling().workersMax();
        checks.add(
                taken + wanted <= quota
                        ? Check.passed(
                                "worker_quota", taken + " of " + quota + " workers are taken, " + wanted + " wanted")
                        : new Check(
                                "worker_quota",
                                Outcome.WARNING,
                                taken + " of about " + quota + " workers are taken by other endpoints, and " + wanted
                                        + " are wanted; RunPod may refuse",
                                Optional.of("lower serverless.workers_max, or see " + QUOTA_PAGE)));
    }
}
