package dev.tuna.provider.baseten;

import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Checks;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.provider.support.Newest;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Checks what Baseten can tell without making anything. Confined to one report. */
final class BasetenPreflight {

    private static final String KEYS_PAGE = "https://app.baseten.co/settings/api_keys";
    private static final String BILLING_PAGE = "https://app.baseten.co/settings/billing";
    private static final String SECRETS_PAGE = "https://app.baseten.co/settings/secrets";
    private static final String SUPPORT = "write to support@baseten.co to have it enabled, or choose another GPU";

    private final ProviderContext context;
    private final BasetenSettings settings;
    private final BasetenApi api;
    private final Newest<InstanceCatalog> catalog;
    private final ServerlessSpec spec;
    private final List<Check> checks = new ArrayList<>();

    BasetenPreflight(
            ProviderContext context,
            BasetenSettings settings,
            BasetenApi api,
            Newest<InstanceCatalog> catalog,
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
        Checks.missingSecrets(spec.engine(), context.secrets()).forEach(checks::add);
        if (hasKey() && takesKey()) {
            InstanceCatalog machines = catalog.fresh();
            Optional<BasetenOptions> options = options();
            options.ifPresent(given -> checkMachine(machines, given));
            Optional<ServerlessPlan> planned = checkPlan(plan);
            planned.ifPresent(this::checkPush);
            options.flatMap(BasetenOptions::tokenSecret).ifPresent(this::checkTokenSecret);
        }
        return new PreflightReport(BasetenProvider.NAME, checks);
    }

    private boolean hasKey() {
        boolean present = api.key().isPresent();
        checks.add(Checks.apiKey(present, settings.apiKey(), BasetenSettings.KEY_VARIABLE, KEYS_PAGE));
        settings.endpointKey()
                .filter(ref -> context.secrets().get(ref).isEmpty())
                .ifPresent(ref -> checks.add(Check.failed(
                        "endpoint_key_present",
                        "there is no secret '" + ref.name() + "', which endpoint_key_secret names",
                        "put a key that may call models into it; make one at " + KEYS_PAGE)));
        return present;
    }

    private boolean takesKey() {
        try {
            String workspace =
                    api.workspace().map(name -> "; the workspace is " + name).orElse("");
            checks.add(Check.passed("api_key_valid", "Baseten takes the key" + workspace));
            return true;
        } catch (TunaException e) {
            checks.add(
                    e.code() == ErrorCode.UNREACHABLE
                            ? Checks.failed("api_reachable", e, "curl -sS " + settings.apiUrl() + "/v1/users/me")
                            : Checks.failed("api_key_valid", e, "make a key of the whole workspace at " + KEYS_PAGE));
            return false;
        }
    }

    private Optional<BasetenOptions> options() {
        try {
            return Optional.of(BasetenOptions.of(context.settings(), spec.options()));
        } catch (ConfigurationException e) {
            // The plan will say so.
            return Optional.empty();
        }
    }

    private void checkMachine(InstanceCatalog machines, BasetenOptions options) {
        String gpu = spec.engine().gpu();
        int count = spec.engine().gpuCount();
        Optional<InstanceType> machine = options.instanceType().isPresent()
                ? machines.sku(options.instanceType().get())
                : machines.best(gpu, count);
        if (machine.isEmpty()) {
            checks.add(Check.failed(
                    "gpu_offered",
                    "Baseten has no machine "
                            + options.instanceType().orElse("with " + count + " x " + gpu)
                            + " for this workspace",
                    "choose one of " + String.join(", ", offered(machines)) + ", or " + SUPPORT));
            return;
        }
        InstanceType type = machine.get();
        String price = type.usdPerHour()
                .map(usd -> usd.stripTrailingZeros().toPlainString() + " $/h")
                .orElse("its price is not told");
        checks.add(
                machines.source().equals(InstanceCatalog.LIVE)
                        ? Check.passed("gpu_offered", "Baseten has machine " + type.sku() + ", " + price)
                        : Check.warning(
                                "gpu_offered", "Baseten's machines cannot be read; going by the " + machines.source()));
        checkSize(type);
    }

    private static List<String> offered(InstanceCatalog machines) {
        return machines.gpus().stream()
                .map(gpu -> gpu + " x " + machines.counts(gpu))
                .toList();
    }

    private void checkSize(InstanceType type) {
        ModelHub hub = new ModelHub(context, settings.hubUrl());
        var token = Optional.ofNullable(spec.engine().secrets().get("HF_TOKEN")).flatMap(context.secrets()::get);
        OptionalLong bytes = hub.weightBytes(spec.engine().model(), token);
        bytes.ifPresent(weights -> {
            ModelHub.tooLarge(spec.engine(), weights, type.gpuMemoryGib())
                    .ifPresent(problem -> checks.add(Check.warning("model_fits", problem)));
            if (type.isTightFor(weights)) {
                checks.add(Check.warning(
                        "host_memory",
                        "machine " + type.sku() + " has only " + type.memoryGib()
                                + " GiB beside its cards, in which the engine may be killed while it loads the model; name a"
                                + " larger one in the option instance_type"));
            }
        });
    }

    private Optional<ServerlessPlan> checkPlan(Supplier<ServerlessPlan> plan) {
        try {
            ServerlessPlan planned = plan.get();
            checks.add(Check.passed("request_valid", planned.summary()));
            return Optional.of(planned);
        } catch (ConfigurationException e) {
            e.problems()
                    .forEach(problem -> checks.add(
                            Check.failed("request_valid", problem, "change the request as the message says")));
            return Optional.empty();
        }
    }

    /** Baseten checks the very push that would follow. Whether that covers billing is not documented. */
    private void checkPush(ServerlessPlan planned) {
        ModelPlan push = ModelPlan.read(planned.body());
        try {
            api.check(api.models(push.name()).stream().findFirst(), push);
            checks.add(Check.passed("push_valid", "Baseten would take the push; nothing was made"));
        } catch (CapacityException e) {
            String said = String.valueOf(e.getMessage());
            boolean payment = said.toLowerCase(Locale.ROOT).matches(".*(payment|credit|billing|402).*");
            checks.add(
                    payment ? Check.failed("billing", said, BILLING_PAGE) : Check.failed("gpu_enabled", said, SUPPORT));
        } catch (TunaException e) {
            checks.add(Checks.failed("push_valid", e, "change the request as the message says"));
        }
    }

    private void checkTokenSecret(String name) {
        try {
            checks.add(
                    api.secrets().contains(name)
                            ? Check.passed("hf_secret_present", "the workspace has a secret '" + name + "'")
                            : Check.failed(
                                    "hf_secret_present",
                                    "the workspace has no secret '" + name + "', which hf_secret names",
                                    "add it at " + SECRETS_PAGE));
        } catch (TunaException e) {
            checks.add(Check.warning("hf_secret_present", "secrets cannot be listed: " + e.getMessage()));
        }
    }
}
