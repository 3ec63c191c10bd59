package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.aws.AwsFaults;
import dev.tuna.testkit.aws.InstanceState;
import dev.tuna.testkit.aws.InstanceView;
import dev.tuna.testkit.aws.Market;
import dev.tuna.testkit.aws.Pool;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.vendor.VendorFault;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Launching, and what goes wrong with it. */
class LaunchTest {

    private static final CapacityPool EAST_A = spot("us-east-1a", "g6.xlarge");
    private static final CapacityPool EAST_B = spot("us-east-1b", "g6.xlarge");
    private static final CapacityPool WEST_A = spot("us-west-2a", "g6.xlarge");
    private static final CapacityPool LIST =
            new CapacityPool("aws", "us-east-1", "us-east-1a", "g6.xlarge", Tier.ON_DEMAND);

    private final Aws aws = Aws.start();
    private final ContractContext context = aws.context();
    private final SpotCloud cloud = aws.provider().open(context);
    private final ReplicaSpec spec = Specs.of("chat");

    @AfterEach
    void close() {
        cloud.close();
        aws.close();
    }

    private static CapacityPool spot(String zone, String type) {
        return new CapacityPool("aws", zone.substring(0, zone.length() - 1), zone, type, Tier.SPOT);
    }

    private LaunchPlan plan(CapacityPool... pools) {
        return cloud.plan(spec, List.of(pools), "chat-r1");
    }

    private long calls(String action) {
        return aws.cloud().calls().stream()
                .filter(call -> call.endsWith(" " + action))
                .count();
    }

    private void dry(CapacityPool... pools) {
        List.of(pools).forEach(pool -> aws.cloud().stock(new Pool(pool.zone(), pool.machineType(), Market.SPOT), 0));
    }

    @Test
    void theMachineIsMadeAsItMustBe() {
        cloud.launch(plan(EAST_A));
        InstanceView machine = aws.cloud().instances().get(0);
        assertThat(machine.zone()).isEqualTo("us-east-1a");
        assertThat(machine.market()).isEqualTo(Market.SPOT);
        assertThat(machine.publicAddress()).isPresent();
        assertThat(machine.tags())
                .containsEntry("tuna-owner", context.ownerId())
                .containsEntry("tuna-deployment", "chat")
                .containsEntry("tuna-replica", "chat-r1");
        assertThat(machine.script()).startsWith("#!/bin/sh").contains("vllm serve contract/tiny");
    }

    @Test
    void whereOneRegionIsDryTheNextIsAskedAtOnceT02T06() {
        dry(EAST_A, EAST_B);
        ResourceRef replica = cloud.launch(plan(EAST_A, EAST_B, WEST_A));
        assertThat(replica.id()).startsWith("us-west-2/i-");
    }

    @Test
    void listPriceFollowsInTheSameWayWhereItIsAllowedT02() {
        dry(EAST_A);
        cloud.launch(plan(EAST_A, LIST));
        assertThat(aws.cloud().instances())
                .singleElement()
                .extracting(InstanceView::market)
                .isEqualTo(Market.ON_DEMAND);
    }

    @Test
    void listPriceDoesNotFollowWhereSpotWasRefusedForWantOfSomethingElse() {
        aws.cloud().inject(AwsFaults.error("ec2:CreateFleet", 403, "UnauthorizedOperation", "no"));
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A, LIST))).isInstanceOf(ProviderException.class);
        assertThat(aws.cloud().instances()).isEmpty();
    }

    @Test
    void aLaunchIsOneMachineAndEc2NeitherAddsNorReplacesAnyT05() {
        cloud.launch(plan(EAST_A));
        ResourceRef second = cloud.launch(cloud.plan(spec, List.of(EAST_A), "chat-r2"));
        assertThat(fleets())
                .hasSize(2)
                .allMatch(body -> body.contains("Type=instant")
                        && body.contains("TargetCapacitySpecification.TotalTargetCapacity=1"));
        cloud.terminate(second);
        aws.cloud().letTimePass();
        cloud.observe(List.of(second));
        assertThat(running()).hasSize(1);
    }

    private List<String> fleets() {
        return aws.cloud().exchanges().stream()
                .map(exchange -> exchange.request().body())
                .filter(body -> body.contains("Action=CreateFleet"))
                .toList();
    }

    private List<InstanceView> running() {
        return aws.cloud().instances().stream()
                .filter(machine -> machine.state() == InstanceState.PENDING || machine.state() == InstanceState.RUNNING)
                .toList();
    }

    @Test
    void nothingRunsAtZeroAndTheNextReplicaUsesWhatIsThereT10() {
        cloud.terminate(cloud.launch(plan(EAST_A)));
        aws.cloud().letTimePass();
        assertThat(running()).isEmpty();
        cloud.launch(cloud.plan(spec, List.of(EAST_A), "chat-r2"));
        assertThat(running()).hasSize(1);
        assertThat(calls("ec2:CreateLaunchTemplate")).isEqualTo(1);
        assertThat(calls("ec2:CreateSecurityGroup")).isEqualTo(1);
    }

    @Test
    void aShortageIsToldAsOneAndLeavesNoFleet() {
        dry(EAST_A);
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A)))
                .isInstanceOf(CapacityException.class)
                .hasMessageContaining("us-east-1")
                .extracting(error -> ((TunaException) error).code())
                .isEqualTo(ErrorCode.CAPACITY);
        assertThat(calls("ec2:DeleteFleets")).isEqualTo(1);
        assertThat(context.journal().open("chat")).extracting(ResourceRef::kind).doesNotContain("fleet");
    }

    @Test
    void aQuotaIsToldAsOneWithWhereToRaiseIt() {
        aws.cloud().quota("us-east-1", "L-3819A6DF", 0);
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A)))
                .isInstanceOf(CapacityException.class)
                .hasMessageContaining("servicequotas")
                .extracting(error -> ((TunaException) error).code())
                .isEqualTo(ErrorCode.QUOTA);
    }

    @Test
    void aQuotaInOneRegionAndAShortageInAnotherIsAShortage() {
        aws.cloud().quota("us-east-1", "L-3819A6DF", 0);
        dry(WEST_A);
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A, WEST_A)))
                .extracting(error -> ((TunaException) error).code())
                .isEqualTo(ErrorCode.CAPACITY);
    }

    static Stream<VendorFault> faultsOfOneRegion() {
        String denied =
                "You are not authorized to perform this operation with an explicit deny in a service control policy";
        return Stream.of(
                AwsFaults.error("us-east-1 ec2:\\w+", 403, "UnauthorizedOperation", denied),
                AwsFaults.cutting("us-east-1 ec2:\\w+", false),
                AwsFaults.error("us-east-1 ec2:CreateFleet", 403, "UnauthorizedOperation", denied),
                AwsFaults.error(
                        "us-east-1 ec2:CreateFleet",
                        400,
                        "InvalidKeyPair.NotFound",
                        "The key pair 'ann' does not exist"),
                AwsFaults.error("us-east-1 ec2:DescribeSubnets", 400, "InvalidSubnetID.NotFound", "does not exist"),
                AwsFaults.internal("us-east-1 ec2:CreateLaunchTemplateVersion"),
                AwsFaults.error("us-east-1 ssm:GetParameter", 400, "AccessDeniedException", denied));
    }

    @ParameterizedTest
    @MethodSource("faultsOfOneRegion")
    void whateverOneRegionRefusesTheNextIsAskedAtOnce(VendorFault fault) {
        aws.cloud().inject(fault.times(1000));
        LaunchPlan plan = plan(EAST_A, WEST_A);
        ResourceRef replica = cloud.launch(plan);
        assertThat(replica.id()).startsWith("us-west-2/i-");
        try (SpotCloud restarted = aws.provider().open(context)) {
            assertThat(restarted.launch(plan)).isEqualTo(replica);
        }
        assertThat(aws.cloud().instances()).hasSize(1);
    }

    @Test
    void aRegionThatMayHaveLaunchedIsNotLeftForAnother() {
        LaunchPlan plan = plan(EAST_A, WEST_A);
        aws.cloud().inject(AwsFaults.cutting("us-east-1 ec2:CreateFleet", true).times(4));
        aws.cloud().hideFresh(1000, java.time.Duration.ofHours(1));
        assertThatThrownBy(() -> cloud.launch(plan)).isInstanceOf(ProviderException.class);
        for (String call : List.of("DescribeInstances", "DescribeSubnets", "CreateFleet")) {
            aws.cloud().clearFaults();
            aws.cloud()
                    .inject(AwsFaults.error("us-east-1 ec2:" + call, 403, "UnauthorizedOperation", "no")
                            .times(1000));
            assertThatThrownBy(() -> cloud.launch(plan)).isInstanceOf(ProviderException.class);
        }
        aws.cloud().clearFaults();
        assertThat(cloud.launch(plan).id()).startsWith("us-east-1/i-");
        assertThat(aws.cloud().instances()).hasSize(1);
    }

    @Test
    void aWrongSettingInOneRegionDoesNotEndLaunchesInAnotherThatIsDry() {
        dry(WEST_A);
        aws.cloud()
                .inject(AwsFaults.error("us-east-1 ec2:CreateFleet", 400, "InvalidKeyPair.NotFound", "no key 'ann'")
                        .times(1000));
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A, WEST_A)))
                .isInstanceOf(CapacityException.class)
                .hasMessageContaining("InvalidKeyPair.NotFound")
                .hasMessageContaining("us-west-2")
                .extracting(error -> ((TunaException) error).code())
                .isEqualTo(ErrorCode.CAPACITY);
    }

    @Test
    void whatIsWrongInEveryRegionIsToldAsWrong() {
        aws.cloud()
                .inject(AwsFaults.error("ec2:CreateFleet", 400, "InvalidKeyPair.NotFound", "no key 'ann'")
                        .times(1000));
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A, WEST_A)))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("us-east-1")
                .hasMessageContaining("us-west-2");
    }

    @Test
    void whatPassesSomewhereIsToldAsWhatPasses() {
        aws.cloud()
                .inject(AwsFaults.error("us-west-2 ec2:CreateFleet", 400, "InvalidKeyPair.NotFound", "no key 'ann'")
                        .times(1000));
        aws.cloud().inject(AwsFaults.internal("us-east-1 ec2:DescribeSubnets").times(1000));
        TunaException told = catchThrowableOfType(TunaException.class, () -> cloud.launch(plan(EAST_A, WEST_A)));
        assertThat(told).isInstanceOf(ProviderException.class).hasMessageContaining("InvalidKeyPair.NotFound");
        assertThat(told.retryable()).isTrue();
    }

    @Test
    void aMissingPermissionNamesTheAction() {
        aws.cloud().deny("ec2:CreateFleet");
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A)))
                .isInstanceOf(ProviderException.class)
                .hasMessageContaining("ec2:CreateFleet")
                .extracting(error -> ((TunaException) error).code())
                .isEqualTo(ErrorCode.CREDENTIALS);
    }

    @Test
    void aMissingSpotRoleNamesTheCommand() {
        aws.cloud().spotRole(false);
        aws.cloud().deny("iam:CreateServiceLinkedRole");
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A)))
                .isInstanceOf(TunaException.class)
                .hasMessageContaining(AwsErrors.SPOT_ROLE);
    }

    @Test
    void aCapacityErrorIsNotSentAgainByTheSdk() {
        aws.cloud()
                .inject(AwsFaults.error("ec2:CreateFleet", 500, "InsufficientInstanceCapacity", "There is none.")
                        .times(10));
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A))).isInstanceOf(CapacityException.class);
        assertThat(calls("ec2:CreateFleet")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ec2:CreateFleet", "ec2:CreateLaunchTemplateVersion", "ssm:GetParameter"})
    void throttledCallsAreSentAgain(String action) {
        aws.cloud().inject(AwsFaults.throttling(action).times(2));
        cloud.launch(plan(EAST_A));
        assertThat(aws.cloud().instances()).hasSize(1);
        assertThat(calls(action)).isGreaterThanOrEqualTo(3);
    }

    @Test
    void endlessThrottlingIsToldAsWhatPasses() {
        aws.cloud().inject(AwsFaults.throttling("ec2:CreateFleet").times(100));
        assertThat(catchThrowableOfType(TunaException.class, () -> cloud.launch(plan(EAST_A)))
                        .retryable())
                .isTrue();
    }

    static Stream<String> steps() {
        return Stream.of(
                "ec2:DescribeInstances",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "ec2:DescribeSecurityGroups",
                "ec2:CreateSecurityGroup",
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:DescribeLaunchTemplateVersions",
                "ssm:GetParameter",
                "ec2:DescribeImages",
                "ec2:CreateLaunchTemplate",
                "ec2:CreateLaunchTemplateVersion",
                "ec2:CreateFleet");
    }

    /** Whatever is done and not answered, or not done and answered with an error: one machine in the end, and nothing left after. */
    @ParameterizedTest
    @MethodSource("steps")
    void aLaunchThatBreaksAtAnyStepEndsInOneMachine(String action) throws Exception {
        LaunchPlan plan = plan(EAST_A);
        List<VendorFault> faults = List.of(
                AwsFaults.cutting(action, true).times(4),
                AwsFaults.cutting(action, false).times(4),
                AwsFaults.error(action, 400, "InvalidParameterValue", "no"));
        for (VendorFault fault : faults) {
            aws.cloud().clearFaults();
            aws.cloud().inject(fault);
            SpotCloud dies = aws.provider().open(context);
            try {
                dies.launch(plan);
            } catch (TunaException e) {
                assertThat(e).hasMessageNotContaining("null");
            } finally {
                dies.close();
            }
        }
        aws.cloud().clearFaults();
        ResourceRef replica = aws.provider().open(context).launch(plan);
        assertThat(aws.cloud().instances()).extracting(InstanceView::id).containsExactly(Names.id(replica));
        removed(replica);
    }

    private void removed(ResourceRef replica) throws Exception {
        SpotCloud later = aws.provider().open(context);
        later.terminate(replica);
        for (int tries = 0; tries < 200 && !aws.cloud().things().isEmpty(); tries++) {
            later.cleanUp("chat");
            aws.cloud().letTimePass();
            Thread.onSpinWait();
        }
        assertThat(aws.cloud().things()).isEmpty();
        assertThat(later.find()).allMatch(found -> found.resource().equals(replica));
        later.cleanUp("chat");
        assertThat(context.journal().open("chat")).isEmpty();
        later.close();
    }

    @Test
    void aLaunchWhoseAnswerWasLostIsFoundAgainByItsTokenAfterARestart() {
        LaunchPlan plan = plan(EAST_A);
        aws.cloud().inject(AwsFaults.cutting("ec2:CreateFleet", true).times(4));
        assertThat(catchThrowableOfType(TunaException.class, () -> cloud.launch(plan))
                        .retryable())
                .isTrue();
        assertThat(aws.cloud().instances()).hasSize(1);
        // EC2 does not show it yet: only the token tells.
        try (SpotCloud restarted = aws.provider().open(context)) {
            ResourceRef replica = restarted.launch(plan);
            assertThat(aws.cloud().instances()).extracting(InstanceView::id).containsExactly(Names.id(replica));
        }
    }

    @Test
    void freshMachinesThatEc2HidesAreNotLaunchedTwice() {
        aws.cloud().hideFresh(20, java.time.Duration.ofMinutes(1));
        LaunchPlan plan = plan(EAST_A);
        ResourceRef replica = cloud.launch(plan);
        try (SpotCloud restarted = aws.provider().open(context)) {
            assertThat(restarted.launch(plan)).isEqualTo(replica);
        }
        assertThat(aws.cloud().instances()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void groupsAndTemplatesThatEc2DoesNotShowYetAreWaitedFor(int answers) {
        aws.cloud().hideFreshHelpers(answers);
        LaunchPlan plan = plan(EAST_A);
        List<TunaException> told = new ArrayList<>();
        while (aws.cloud().instances().isEmpty() && told.size() < 20) {
            try {
                cloud.launch(plan);
            } catch (TunaException e) {
                told.add(e);
            }
        }
        assertThat(told)
                .hasSizeGreaterThan(2)
                .allMatch(TunaException::retryable)
                .allMatch(error -> String.valueOf(error.getMessage()).contains("not seen yet"));
        assertThat(aws.cloud().instances()).hasSize(1);
        assertThat(aws.cloud().groups()).hasSize(1);
        assertThat(aws.cloud().templates()).hasSize(1);
    }

    @Test
    void aGroupThatWasNamedAndDoesNotExistIsAMistake() {
        ReplicaSpec wrong = Specs.of("chat", "L4", 1, Map.of("ingress", "sg-0123456789abcdef0"));
        aws.cloud()
                .inject(AwsFaults.error(
                        "ec2:AuthorizeSecurityGroupIngress",
                        400,
                        "InvalidGroup.NotFound",
                        "The security group 'sg-0123456789abcdef0' does not exist"));
        assertThatThrownBy(() -> cloud.launch(cloud.plan(wrong, List.of(EAST_A), "chat-r1")))
                .isInstanceOf(ConfigurationException.class);
    }

    @Test
    void severalProcessesThatLaunchTheSameMakeOneMachine() throws Exception {
        LaunchPlan plan = plan(EAST_A, EAST_B);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<SpotCloud> clouds = new ArrayList<>();
        List<Callable<ResourceRef>> launches = new ArrayList<>();
        for (int each = 0; each < 4; each++) {
            SpotCloud one = aws.provider().open(context);
            clouds.add(one);
            launches.add(() -> one.launch(plan));
        }
        try {
            List<ResourceRef> replicas = new ArrayList<>();
            for (Future<ResourceRef> launch : threads.invokeAll(launches)) {
                replicas.add(launch.get());
            }
            assertThat(replicas).containsOnly(replicas.get(0));
            assertThat(aws.cloud().instances()).hasSize(1);
        } finally {
            threads.shutdownNow();
            clouds.forEach(SpotCloud::close);
        }
    }

    @Test
    void theImageIsSettledOnceForADeployment() {
        cloud.launch(plan(EAST_A));
        String image = aws.cloud().instances().get(0).image();
        AwsOptions.of(Map.of(), Map.of())
                .imageParameters()
                .forEach(name -> aws.cloud().removeParameter("us-east-1", name));
        cloud.launch(cloud.plan(spec, List.of(EAST_A), "chat-r2"));
        assertThat(aws.cloud().instances())
                .hasSize(2)
                .allMatch(machine -> machine.image().equals(image));
    }

    @Test
    void whereTheNewestImageIsNotThereTheNextOneIsTakenT03() {
        aws.cloud()
                .removeParameter(
                        "us-east-1",
                        AwsOptions.of(Map.of(), Map.of()).imageParameters().get(0));
        cloud.launch(plan(EAST_A));
        assertThat(aws.cloud().instances()).hasSize(1);
    }

    @Test
    void withoutAnyImageTheOptionIsNamed() {
        AwsOptions.of(Map.of(), Map.of())
                .imageParameters()
                .forEach(name -> aws.cloud().removeParameter("us-east-1", name));
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A)))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("ami_parameters");
    }

    @Test
    void aPoolThatIsNotSoldIsNotOfferedAgain() {
        aws.cloud().inject(AwsFaults.error("ec2:CreateFleet", 400, "Unsupported", "not in that zone"));
        assertThatThrownBy(() -> cloud.launch(plan(EAST_A))).isInstanceOf(CapacityException.class);
    }

    @Test
    void aPlanOfSomebodyElseIsRefused() {
        LaunchPlan plan = plan(EAST_A);
        for (String body : List.of("{}", "no json", "{\"steps\":[{\"region\":\"us-east-1\",\"market\":\"SPOT\"}]}")) {
            LaunchPlan other = new LaunchPlan(plan.deployment(), plan.token(), plan.pools(), plan.summary(), body);
            assertThatThrownBy(() -> cloud.launch(other))
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("plan again");
        }
    }
}
