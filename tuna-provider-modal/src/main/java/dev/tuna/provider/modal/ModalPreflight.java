package dev.tuna.provider.modal;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Checks;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Checks what Modal's command line can tell without making anything. Confined to one report. */
final class ModalPreflight {

    private static final String INSTALL = "pip install --upgrade modal";
    private static final String LOGIN = "modal setup";

    /** The first with a limit of its own for a container's start, on which the script relies. */
    private static final int[] OLDEST = {1, 1, 4};

    /** The first that can make and list proxy tokens. */
    private static final int[] PROXY_TOKENS = {1, 5, 1};

    /** GPUs that a workspace on the Starter plan has at once (modal.com/pricing, October 2026). */
    private static final int STARTER_GPUS = 10;

    private static final Pattern NUMBERS = Pattern.compile("(\\d+)\\.(\\d+)\\.(\\d+)");

    private final ProviderContext context;
    private final Modal modal;
    private final ServerlessSpec spec;
    private final List<Check> checks = new ArrayList<>();

    ModalPreflight(ProviderContext context, Modal modal, ServerlessSpec spec) {
        this.context = context;
        this.modal = modal;
        this.spec = spec;
    }

    /**
     * Makes the checks, up to one without which the others would say the same.
     *
     * @param plan what would be sent
     */
    PreflightReport report(Supplier<ServerlessPlan> plan) {
        Checks.missingSecrets(spec.engine(), context.secrets()).forEach(checks::add);
        checkGpu();
        Optional<AppPlan> planned = checkPlan(plan);
        Optional<String> version = checkVersion();
        if (version.isPresent() && checkToken()) {
            checkEnvironment();
            if (planned.isEmpty() || planned.get().tag().access() == Access.PROXY_TOKEN) {
                checkProxyToken(version.get());
            }
        }
        return new PreflightReport(ModalProvider.NAME, checks);
    }

    // --- the command line ---

    private Optional<String> checkVersion() {
        try {
            String version = modal.api().version();
            if (isBefore(version, OLDEST)) {
                checks.add(Check.failed(
                        "cli_version", "Modal's client is " + version + ", 1.1.4 or later is needed", INSTALL));
                return Optional.empty();
            }
            checks.add(Check.passed("cli_version", "Modal's client is " + version));
            return Optional.of(version);
        } catch (TunaException e) {
            checks.add(Checks.failed("cli_present", e, INSTALL));
            return Optional.empty();
        }
    }

    private boolean checkToken() {
        try {
            checks.add(Check.passed(
                    "token_valid", "Modal takes the token: " + modal.api().account()));
            return true;
        } catch (TunaException e) {
            checks.add(Checks.failed(e.code() == ErrorCode.UNREACHABLE ? "api_reachable" : "token_valid", e, LOGIN));
            return false;
        }
    }

    private void checkEnvironment() {
        modal.settings().environment().ifPresent(wanted -> {
            try {
                List<String> all = modal.api().environments();
                checks.add(
                        all.contains(wanted)
                                ? Check.passed("environment_exists", "there is an environment '" + wanted + "'")
                                : Check.failed(
                                        "environment_exists",
                                        "there is no environment '" + wanted + "', only " + String.join(", ", all),
                                        "modal environment create " + wanted));
            } catch (TunaException e) {
                checks.add(Checks.failed("environment_exists", e, "modal environment list"));
            }
        });
    }

    private void checkProxyToken(String version) {
        String name = modal.proxyToken().ref().name();
        Optional<Secret> token = modal.proxyToken().known();
        boolean canAsk = !isBefore(version, PROXY_TOKENS);
        if (token.isEmpty()) {
            checks.add(
                    canAsk
                            ? Check.passed(
                                    "proxy_token",
                                    "there is no secret '" + name + "' yet; a proxy token will be made and put there")
                            : Check.failed(
                                    "proxy_token",
                                    "there is no secret '" + name + "', and Modal's client " + version
                                            + " cannot make a proxy token",
                                    INSTALL));
        } else if (!ProxyToken.isOne(token.get())) {
            checks.add(Check.failed(
                    "proxy_token",
                    "secret '" + name + "' is not of the form wk-….ws-…",
                    "modal workspace proxy-tokens create"));
        } else if (canAsk) {
            checkKnown(name, ProxyToken.id(token.get()));
        }
    }

    private void checkKnown(String name, String id) {
        try {
            checks.add(
                    modal.api().proxyTokens().contains(id)
                            ? Check.passed("proxy_token", "Modal knows the proxy token in secret '" + name + "'")
                            : Check.failed(
                                    "proxy_token",
                                    "Modal does not know the proxy token " + id + " in secret '" + name
                                            + "' any more; remove the secret, and a new one will be made",
                                    "modal workspace proxy-tokens list"));
        } catch (TunaException e) {
            // Members may lack the right to list tokens and have one all the same.
            checks.add(Check.warning("proxy_token", "the proxy token could not be looked up: " + e.getMessage()));
        }
    }

    // --- the request ---

    private void checkGpu() {
        GpuTable table = modal.prices();
        Optional<GpuTable.Gpu> gpu = table.find(spec.engine().gpu());
        if (gpu.isEmpty()) {
            checks.add(Check.failed(
                    "gpu_offered",
                    "Modal has no " + spec.engine().gpu(),
                    "choose one of " + String.join(", ", table.names())));
            return;
        }
        checks.add(Check.passed(
                "gpu_offered",
                "Modal has " + gpu.get().name() + ", " + gpu.get().usdPerHour().setScale(2, RoundingMode.HALF_UP)
                        + " $/h each (" + table.source() + ")"));
        Optional<Secret> token =
                Optional.ofNullable(spec.engine().secrets().get("HF_TOKEN")).flatMap(context.secrets()::get);
        new ModelHub(context, modal.settings().hubUrl())
                .tooLarge(spec.engine(), gpu.get().memoryGib() * spec.engine().gpuCount(), token)
                .ifPresent(problem -> checks.add(Check.warning("model_fits", problem)));
        int most = spec.scaling().workersMax() * spec.engine().gpuCount();
        if (most > STARTER_GPUS) {
            checks.add(Check.warning(
                    "gpu_quota",
                    most + " GPUs may be in use at once; on the Starter plan Modal gives " + STARTER_GPUS
                            + " and lets further requests wait"));
        }
    }

    private Optional<AppPlan> checkPlan(Supplier<ServerlessPlan> plan) {
        try {
            ServerlessPlan planned = plan.get();
            checks.add(Check.passed("request_valid", planned.summary()));
            return Optional.of(AppPlan.read(planned.body()));
        } catch (ConfigurationException e) {
            List<String> problems = e.problems().isEmpty() ? List.of(String.valueOf(e.getMessage())) : e.problems();
            problems.forEach(problem ->
                    checks.add(Check.failed("request_valid", problem, "change the request as the message says")));
            return Optional.empty();
        }
    }

    private static boolean isBefore(String version, int[] other) {
        Matcher numbers = NUMBERS.matcher(version);
        if (!numbers.find()) {
            return false;
        }
        for (int at = 0; at < other.length; at++) {
            int difference = Integer.compare(Integer.parseInt(numbers.group(at + 1)), other[at]);
            if (difference != 0) {
                return difference < 0;
            }
        }
        return false;
    }
}
