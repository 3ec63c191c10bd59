package dev.tuna.spot.aws;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Checks;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Checks whether replicas could be launched, and makes nothing. Confined to one report. */
final class AwsPreflight {

    private final ProviderContext context;
    private final AwsSettings settings;
    private final AwsClients clients;
    private final Atlas atlas;
    private final Supplier<String> host;
    private final ReplicaSpec spec;
    private final List<Check> checks = new ArrayList<>();

    AwsPreflight(
            ProviderContext context,
            AwsSettings settings,
            AwsClients clients,
            Atlas atlas,
            Supplier<String> host,
            ReplicaSpec spec) {
        this.context = context;
        this.settings = settings;
        this.clients = clients;
        this.atlas = atlas;
        this.host = host;
        this.spec = spec;
    }

    /**
     * Checks.
     *
     * @param plan plans a launch in given pools, to see whether the request can be honoured
     */
    PreflightReport report(Consumer<List<CapacityPool>> plan) {
        try {
            run(AwsOptions.of(context.settings(), spec.options()), plan);
        } catch (TunaException e) {
            checks.add(Checks.failed("options", e, "change what is named"));
        }
        return new PreflightReport(AwsOptions.PROVIDER, checks);
    }

    private void run(AwsOptions options, Consumer<List<CapacityPool>> plan) {
        Checks.missingSecrets(spec.engine(), context.secrets()).forEach(checks::add);
        List<String> regions = spec.regions().isEmpty() ? options.regions() : spec.regions();
        Optional<String> who = caller(regions.get(0));
        if (who.isEmpty()) {
            return;
        }
        policy(options);
        List<RegionChecks.Result> results = atlas.atOnce(
                regions,
                region -> new RegionChecks(
                                clients, spec, options, region, context.clock().instant())
                        .run());
        boolean usable = results.stream().anyMatch(RegionChecks.Result::isUsable);
        // A region that will not do is no reason to fail while another one will.
        results.stream()
                .flatMap(result -> result.checks().stream())
                .map(check -> usable ? RegionChecks.softened(check) : check)
                .forEach(checks::add);
        results.stream()
                .filter(result -> result.zone().isPresent() && result.image().isPresent())
                .findFirst()
                .ifPresent(result -> permissions(result, options, who.get()));
        ingress(options);
        size(results);
        planned(results, plan);
    }

    /** Who is calling; empty if that cannot be told, and then nothing else can be. */
    private Optional<String> caller(String region) {
        try {
            var identity = new AwsCalls(region).caller(clients);
            checks.add(Check.passed("credentials", "account " + identity.account() + " as " + identity.arn()));
            return Optional.of(String.valueOf(identity.arn()));
        } catch (TunaException e) {
            checks.add(Checks.failed(
                    "credentials",
                    e,
                    e.code() == ErrorCode.CREDENTIALS || e.code() == ErrorCode.NOT_CONFIGURED
                            ? AwsErrors.LOGIN
                            : "https://health.aws.amazon.com/health/status"));
            return Optional.empty();
        }
    }

    /** Whoever sets the account up needs it, whether something is missing or not. */
    private void policy(AwsOptions options) {
        checks.add(Check.passed(
                "policy",
                "the least that whoever runs Tuna must be allowed"
                        + (options.instanceProfile().isPresent()
                                ? ", beside iam:PassRole on the instance profile's role"
                                : "")
                        + ": " + IamPolicy.policy(Optional.empty())));
    }

    private void permissions(RegionChecks.Result result, AwsOptions options, String who) {
        Network network = result.network().orElseThrow();
        String subnet = network.subnets()
                .getOrDefault(result.zone().orElseThrow(), List.of())
                .get(0);
        checks.addAll(new Permissions(clients.ec2(result.region()), result.region(), policyCommand(who))
                .report(
                        network,
                        subnet,
                        result.image().orElseThrow().id(),
                        result.types().get(0).name(),
                        options));
    }

    /** One command that allows everything, for whoever it is that calls. */
    static String policyCommand(String arn) {
        return policyCommand(arn, "tuna", IamPolicy.policy(Optional.empty()).toString());
    }

    static String policyCommand(String arn, String name, String document) {
        String policy = " --policy-name " + name + " --policy-document '" + document + "'";
        String[] parts = arn.replaceFirst(".*:", "").split("/");
        if (arn.contains(":user/")) {
            return "aws iam put-user-policy --user-name " + parts[parts.length - 1] + policy;
        } else if (arn.contains(":assumed-role/") && parts.length > 1) {
            return "aws iam put-role-policy --role-name " + parts[1] + policy;
        }
        return "aws iam create-policy" + policy;
    }

    private void ingress(AwsOptions options) {
        String port = "port " + options.port() + " of machines is open to ";
        if (!options.ingress().equals(AwsOptions.INGRESS_HOST)) {
            checks.add(Check.passed(
                    "ingress", port + (options.isPrivate() ? "their own network only" : options.ingress())));
            return;
        }
        try {
            checks.add(Check.passed("ingress", port + host.get() + ", the address this host is seen from"));
        } catch (TunaException e) {
            checks.add(Checks.failed(
                    "ingress", e, "set the option ingress to the address ranges that may connect, or to vpc"));
        }
    }

    private void size(List<RegionChecks.Result> results) {
        int gib = results.stream()
                .flatMap(result -> result.types().stream())
                .mapToInt(type -> spec.engine().gpuCount() * type.gpuMib() / 1024)
                .max()
                .orElse(0);
        Optional<Secret> token =
                Optional.ofNullable(spec.engine().secrets().get("HF_TOKEN")).flatMap(context.secrets()::get);
        new ModelHub(context, settings.hubUrl())
                .tooLarge(spec.engine(), gib, token)
                .ifPresent(problem -> checks.add(Check.warning("model_fits", problem)));
    }

    private void planned(List<RegionChecks.Result> results, Consumer<List<CapacityPool>> plan) {
        List<CapacityPool> pools = results.stream()
                .flatMap(result -> result.zone().stream()
                        .map(zone -> new CapacityPool(
                                AwsOptions.PROVIDER,
                                result.region(),
                                zone,
                                result.types().get(0).name(),
                                Tier.SPOT)))
                .toList();
        if (pools.isEmpty()) {
            return;
        }
        try {
            plan.accept(pools);
            checks.add(Check.passed("request", "the request can be honoured"));
        } catch (TunaException e) {
            checks.add(new Check(
                    "request", Outcome.FAILED, String.valueOf(e.getMessage()), Optional.of("change what is named")));
        }
    }
}
