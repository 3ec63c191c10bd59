package dev.tuna.spot.aws;

import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Checks;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.ssm.model.ParameterTier;
import software.amazon.awssdk.services.ssm.model.ParameterType;

/**
 * Whether a router's machine could be launched, and whoever launches it may do what else that takes. Makes nothing: what would
 * have an effect is asked with something that is not there, or as a dry run. Confined to one report.
 */
final class RouterChecks {

    private static final int LONGER_THAN_A_PARAMETER = 4097;

    private final AwsClients clients;
    private final String ownerId;
    private final RouterOptions options;
    private final String region;
    private final List<Check> checks = new ArrayList<>();
    private final List<String> allowed = new ArrayList<>();
    private final List<String> untold = new ArrayList<>();
    private String fix = "";

    RouterChecks(AwsClients clients, String ownerId, RouterOptions options) {
        this.clients = clients;
        this.ownerId = ownerId;
        this.options = options;
        this.region = options.region();
    }

    /**
     * Checks.
     *
     * @return what was found; nothing if it cannot be told who is calling, which the other checks say
     */
    List<Check> run() {
        try {
            var identity = new AwsCalls(region).caller(clients);
            policy(String.valueOf(identity.account()), String.valueOf(identity.arn()));
        } catch (TunaException e) {
            return List.of();
        }
        told("router_machine", "see docs/providers/aws.md", this::machine);
        parameters();
        options.bucket().ifPresentOrElse(this::bucket, this::noBucket);
        checks.add(Check.passed(
                "router_permissions",
                String.join(", ", allowed) + " are allowed in " + region
                        + (untold.isEmpty()
                                ? ""
                                : "; AWS does not say without doing it whether these are: "
                                        + String.join(", ", untold))));
        return checks;
    }

    /** Whoever sets the account up needs it, whether something is missing or not. */
    private void policy(String account, String who) {
        String profile = options.instanceProfile();
        String role = "arn:aws:iam::" + account + ":role/" + profile.replaceFirst(".*/", "");
        String document =
                IamPolicy.routerPolicy(role, options.bucket().orElse("BUCKET")).toString();
        fix = AwsPreflight.policyCommand(who, "tuna-router", document);
        checks.add(Check.passed(
                "router_policy",
                "what whoever has routers on machines of their own must be allowed besides, if the role of " + profile
                        + " has its name: " + document));
    }

    private void told(String name, String how, Supplier<Check> check) {
        try {
            checks.add(check.get());
        } catch (TunaException e) {
            checks.add(Checks.failed(name, e, how));
        }
    }

    // --- the machine ---

    private Check machine() {
        Optional<Network> network = new Networks(clients, region).find(options.vpc(), options.subnets());
        if (network.isEmpty() || network.get().subnets().isEmpty()) {
            return Check.failed(
                    "router_machine",
                    "there is no network for it in " + region,
                    Networks.CREATE_DEFAULT + region + ", or set the option router_subnet");
        }
        String image =
                new Images(clients, region).find(List.of(options.imageWanted())).id();
        AwsFault fault = AwsFault.NOT_OFFERED;
        String words = "";
        for (List<String> subnets : network.get().subnets().values()) {
            Optional<SdkException> refusal = dryRun(image, subnets.get(0), true);
            fault = refusal.flatMap(AwsErrors::fault).orElse(AwsFault.TRANSIENT);
            words = refusal.map(AwsErrors::words).orElse("");
            if (fault != AwsFault.NOT_OFFERED && fault != AwsFault.CAPACITY) {
                if (fault == AwsFault.PERMISSION) {
                    boolean alone = isPassed(dryRun(image, subnets.get(0), false));
                    return forbidden(alone ? "iam:PassRole" : "ec2:RunInstances");
                }
                break;
            }
        }
        String machine = options.instanceType() + " in " + region + " with the role of " + options.instanceProfile();
        if (fault == AwsFault.DRY_RUN_PASSED) {
            allowed.addAll(List.of("ec2:RunInstances", "iam:PassRole"));
            return Check.passed("router_machine", machine + " may be launched");
        }
        return Check.failed(
                "router_machine",
                machine + " would not be launched: " + words,
                "set router_region, router_instance_type or router_instance_profile");
    }

    private Optional<SdkException> dryRun(String image, String subnet, boolean withRole) {
        String profile = options.instanceProfile();
        boolean isArn = profile.startsWith("arn:");
        try {
            clients.ec2(region).runInstances(request -> {
                request.dryRun(true)
                        .imageId(image)
                        .instanceType(options.instanceType())
                        .subnetId(subnet)
                        .minCount(1)
                        .maxCount(1);
                if (withRole) {
                    request.iamInstanceProfile(
                            name -> name.name(isArn ? null : profile).arn(isArn ? profile : null));
                }
            });
            return Optional.empty();
        } catch (SdkException e) {
            return Optional.of(e);
        }
    }

    private static boolean isPassed(Optional<SdkException> refusal) {
        return refusal.filter(e -> AwsErrors.is(e, AwsFault.DRY_RUN_PASSED)).isPresent();
    }

    // --- what is kept of it, and its jar ---

    private void parameters() {
        String name = "/tuna/" + ownerId + "/check"; // no machine's
        ask(
                "ssm:GetParameter",
                Set.of(AwsFault.NOT_FOUND),
                () -> clients.ssm(region).getParameter(request -> request.name(name)));
        ask(
                "ssm:DeleteParameter",
                Set.of(AwsFault.NOT_FOUND),
                () -> clients.ssm(region).deleteParameter(request -> request.name(name)));
        // It is refused for its length, if for nothing else.
        ask(
                "ssm:PutParameter",
                Set.of(),
                () -> clients.ssm(region)
                        .putParameter(request -> request.name(name)
                                .type(ParameterType.SECURE_STRING)
                                .tier(ParameterTier.STANDARD)
                                .overwrite(false)
                                .value("x".repeat(LONGER_THAN_A_PARAMETER))));
    }

    private void bucket(String bucket) {
        String prefix = "tuna/" + ownerId + "/check/";
        boolean mayList = ask(
                "s3:ListBucket",
                Set.of(),
                () -> clients.s3(region)
                        .listObjectsV2(
                                request -> request.bucket(bucket).prefix(prefix).maxKeys(1)));
        // Who may not list a bucket is not told what is not in it.
        if (mayList) {
            ask(
                    "s3:GetObject",
                    Set.of(AwsFault.NOT_FOUND),
                    () -> clients.s3(region)
                            .headObject(request -> request.bucket(bucket).key(prefix + "none.jar")));
        } else {
            untold.add("s3:GetObject");
        }
        untold.addAll(List.of("s3:PutObject", "s3:DeleteObject"));
    }

    private void noBucket() {
        checks.add(Check.warning(
                "router_bucket",
                "option artifact_bucket is not set: the machine can be given a jar with an https URL only, and none that"
                        + " is a file"));
    }

    /**
     * Asks for something without effect.
     *
     * @param passes faults that only come to who may do it
     * @return whether it is allowed
     */
    private boolean ask(String action, Set<AwsFault> passes, Supplier<?> call) {
        try {
            var unused = call.get();
            allowed.add(action);
            return true;
        } catch (SdkException e) {
            AwsFault fault = AwsErrors.fault(e).orElse(AwsFault.TRANSIENT);
            if (passes.contains(fault)) {
                allowed.add(action);
                return true;
            }
            switch (fault) {
                case PERMISSION -> checks.add(forbidden(action));
                case THROTTLED, TRANSIENT ->
                    checks.add(Checks.failed(
                            "router_permissions",
                            AwsErrors.of("ask whether " + action + " is allowed", action, region, e),
                            "https://health.aws.amazon.com/health/status"));
                default -> {
                    if (action.startsWith("s3:")) {
                        checks.add(noSuchBucket(e));
                    }
                    untold.add(action);
                }
            }
            return false;
        }
    }

    private Check noSuchBucket(SdkException e) {
        String bucket = options.bucket().orElseThrow();
        return Check.failed(
                "router_bucket",
                "bucket " + bucket + " cannot be used in " + region + ": " + AwsErrors.words(e),
                "aws s3 mb s3://" + bucket + " --region " + region + ", or set artifact_bucket to one in that region");
    }

    private Check forbidden(String action) {
        String name = action.replaceFirst(".*:", "").replaceAll("(?<=[a-z])([A-Z])", "_$1");
        return Check.failed("router_may_" + name.toLowerCase(Locale.ROOT), action + " is not allowed", fix);
    }
}
