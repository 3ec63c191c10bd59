package dev.tuna.spot.aws;

import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.Tier;
import dev.tuna.provider.support.Checks;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.FleetLaunchTemplateConfigRequest;
import software.amazon.awssdk.services.ec2.model.FleetType;
import software.amazon.awssdk.services.ec2.model.InstanceType;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.MarketType;

/**
 * Asks EC2 action by action whether it would be done, without its being done. Confined to one report.
 */
final class Permissions {

    private static final String NOBODY = "0123456789abcdef0";
    private static final int SOME_PORT = 8443;

    private final Ec2Client ec2;
    private final String region;
    private final String fix;
    private final List<Check> checks = new ArrayList<>();
    private final List<String> allowed = new ArrayList<>();
    private final List<String> untold = new ArrayList<>();
    private boolean roleMissing;

    /**
     * Asks nothing yet.
     *
     * @param fix what an administrator does to allow everything
     */
    Permissions(Ec2Client ec2, String region, String fix) {
        this.ec2 = ec2;
        this.region = region;
        this.fix = fix;
    }

    /**
     * Asks.
     *
     * @param network where machines would be
     * @param subnet one of its subnets
     * @param image what they would boot
     * @param type one of the types that would do
     * @param options what the request says
     * @return a check for each action that is not allowed, and one that sums up
     */
    List<Check> report(Network network, String subnet, String image, String type, AwsOptions options) {
        reads();
        ask(
                "CreateSecurityGroup",
                ec2 -> ec2.createSecurityGroup(request -> request.dryRun(true)
                        .groupName("tuna-check")
                        .description("tuna check")
                        .vpcId(network.vpc())));
        ask(
                "CreateLaunchTemplate",
                ec2 -> ec2.createLaunchTemplate(request -> request.dryRun(true)
                        .launchTemplateName("tuna-check")
                        .launchTemplateData(data -> data.imageId(image))));
        ask("RunInstances", ec2 -> runInstances(ec2, subnet, image, type, options, Tier.ON_DEMAND));
        spotRole(subnet, image, type, options);
        ask(
                "CreateFleet",
                ec2 -> ec2.createFleet(request -> request.dryRun(true)
                        .type(FleetType.INSTANT)
                        .targetCapacitySpecification(capacity -> capacity.totalTargetCapacity(1))
                        .launchTemplateConfigs(FleetLaunchTemplateConfigRequest.builder()
                                .launchTemplateSpecification(template -> template.launchTemplateName("tuna-check")
                                        .version("1"))
                                .build())));
        changes();
        checks.add(Check.passed(
                "permissions",
                allowed.size() + " actions of EC2 are allowed in " + region
                        + (untold.isEmpty()
                                ? ""
                                : "; EC2 does not say without something to do it to whether these are: "
                                        + String.join(", ", untold))));
        return checks;
    }

    private void reads() {
        ask("DescribeInstances", ec2 -> ec2.describeInstances(request -> request.dryRun(true)));
        ask("DescribeTags", ec2 -> ec2.describeTags(request -> request.dryRun(true)));
        ask("DescribeVolumes", ec2 -> ec2.describeVolumes(request -> request.dryRun(true)));
        ask("DescribeSecurityGroups", ec2 -> ec2.describeSecurityGroups(request -> request.dryRun(true)));
        ask("DescribeLaunchTemplates", ec2 -> ec2.describeLaunchTemplates(request -> request.dryRun(true)));
        ask(
                "DescribeLaunchTemplateVersions",
                ec2 -> ec2.describeLaunchTemplateVersions(
                        request -> request.dryRun(true).versions("$Latest")));
        ask("DescribeFleets", ec2 -> ec2.describeFleets(request -> request.dryRun(true)));
        ask("DescribeSpotInstanceRequests", ec2 -> ec2.describeSpotInstanceRequests(request -> request.dryRun(true)));
        ask("DescribeSpotPriceHistory", ec2 -> ec2.describeSpotPriceHistory(request -> request.dryRun(true)));
        ask("DescribeRegions", ec2 -> ec2.describeRegions(request -> request.dryRun(true)));
    }

    /**
     * What is named here does not exist. EC2 may say that first; or that it is not allowed, since what does not exist has no
     * owner's tag, for which alone the least policy allows it. Neither tells anything.
     */
    private void changes() {
        askOfNothing(
                "CreateLaunchTemplateVersion",
                ec2 -> ec2.createLaunchTemplateVersion(request -> request.dryRun(true)
                        .launchTemplateName("tuna-check")
                        .launchTemplateData(data -> data.instanceType(InstanceType.G6_XLARGE))));
        askOfNothing(
                "DeleteLaunchTemplateVersions",
                ec2 -> ec2.deleteLaunchTemplateVersions(request ->
                        request.dryRun(true).launchTemplateName("tuna-check").versions("2")));
        IpPermission permission = IpPermission.builder()
                .ipProtocol("tcp")
                .fromPort(SOME_PORT)
                .toPort(SOME_PORT)
                .ipRanges(IpRange.builder().cidrIp("192.0.2.1/32").build())
                .build();
        askOfNothing(
                "AuthorizeSecurityGroupIngress",
                ec2 -> ec2.authorizeSecurityGroupIngress(
                        request -> request.dryRun(true).groupId("sg-" + NOBODY).ipPermissions(permission)));
        askOfNothing(
                "RevokeSecurityGroupIngress",
                ec2 -> ec2.revokeSecurityGroupIngress(
                        request -> request.dryRun(true).groupId("sg-" + NOBODY).ipPermissions(permission)));
        askOfNothing(
                "TerminateInstances",
                ec2 -> ec2.terminateInstances(request -> request.dryRun(true).instanceIds("i-" + NOBODY)));
        askOfNothing(
                "DeleteFleets",
                ec2 -> ec2.deleteFleets(request -> request.dryRun(true)
                        .fleetIds("fleet-01234567-89ab-cdef-0123-456789abcdef")
                        .terminateInstances(true)));
        askOfNothing(
                "DeleteLaunchTemplate",
                ec2 -> ec2.deleteLaunchTemplate(request -> request.dryRun(true).launchTemplateName("tuna-check")));
        askOfNothing(
                "DeleteSecurityGroup",
                ec2 -> ec2.deleteSecurityGroup(request -> request.dryRun(true).groupId("sg-" + NOBODY)));
        askOfNothing(
                "DeleteVolume",
                ec2 -> ec2.deleteVolume(request -> request.dryRun(true).volumeId("vol-" + NOBODY)));
    }

    private static void runInstances(
            Ec2Client ec2, String subnet, String image, String type, AwsOptions options, Tier tier) {
        ec2.runInstances(request -> {
            request.dryRun(true)
                    .imageId(image)
                    .instanceType(type)
                    .subnetId(subnet)
                    .minCount(1)
                    .maxCount(1);
            options.keyName().ifPresent(request::keyName);
            options.instanceProfile()
                    .ifPresent(profile ->
                            request.iamInstanceProfile(name -> name.name(profile.startsWith("arn:") ? null : profile)
                                    .arn(profile.startsWith("arn:") ? profile : null)));
            if (tier == Tier.SPOT) {
                request.instanceMarketOptions(market -> market.marketType(MarketType.SPOT));
            }
        });
    }

    /** The first use of spot in an account needs a role that EC2 makes, if whoever asks may have it made. */
    private void spotRole(String subnet, String image, String type, AwsOptions options) {
        Optional<Fault> fault = fault(ec2 -> runInstances(ec2, subnet, image, type, options, Tier.SPOT));
        roleMissing = fault.filter(found -> found.code().endsWith("ServiceLinkedRoleCreationNotPermitted"))
                .isPresent();
        if (roleMissing) {
            checks.add(Check.failed(
                    "spot_role",
                    "the account has not used spot instances yet, and these credentials may not make the role for it",
                    AwsErrors.SPOT_ROLE));
        } else if (fault.filter(found -> found.fault() == AwsFault.DRY_RUN_PASSED)
                .isPresent()) {
            checks.add(Check.passed("spot_role", "spot instances may be launched"));
        } else {
            checks.add(Check.warning(
                    "spot_role",
                    "EC2 does not say whether spot instances may be launched"
                            + fault.map(found -> ": " + found.code() + " " + AwsErrors.words(found.error()))
                                    .orElse("")));
        }
    }

    private record Fault(AwsFault fault, String code, SdkException error) {}

    private Optional<Fault> fault(Consumer<Ec2Client> call) {
        try {
            call.accept(ec2);
            return Optional.empty();
        } catch (SdkException e) {
            return Optional.of(new Fault(
                    AwsErrors.fault(e).orElse(AwsFault.TRANSIENT),
                    e instanceof AwsServiceException answered ? AwsErrors.code(answered) : "",
                    e));
        }
    }

    private void askOfNothing(String action, Consumer<Ec2Client> call) {
        Optional<Fault> fault = fault(call);
        if (fault.filter(found -> found.fault() == AwsFault.PERMISSION).isPresent()) {
            untold.add("ec2:" + action);
        } else {
            judge(action, fault);
        }
    }

    private void ask(String action, Consumer<Ec2Client> call) {
        judge(action, fault(call));
    }

    private void judge(String action, Optional<Fault> fault) {
        String name = "ec2:" + action;
        // Who is not kept from being answered may do it; looking has no effect anyway.
        switch (fault.map(Fault::fault).orElse(AwsFault.DRY_RUN_PASSED)) {
            case DRY_RUN_PASSED -> allowed.add(name);
            case PERMISSION ->
                checks.add(Check.failed(
                        "may_" + action.replaceAll("(?<=[a-z])([A-Z])", "_$1").toLowerCase(Locale.ROOT),
                        name + " is not allowed",
                        fix));
            case THROTTLED, TRANSIENT ->
                checks.add(Checks.failed(
                        "permissions",
                        AwsErrors.of(
                                "ask whether " + name + " is allowed",
                                name,
                                region,
                                fault.orElseThrow().error()),
                        "https://health.aws.amazon.com/health/status"));
            default -> untold.add(name);
        }
    }
}
