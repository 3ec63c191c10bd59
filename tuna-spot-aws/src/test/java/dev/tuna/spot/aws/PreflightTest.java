package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.Secret;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.aws.AwsFaults;
import dev.tuna.testkit.contract.ContractContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is found before anything is made, with what to do about it. */
class PreflightTest {

    private static final Map<String, String> ONE_REGION = Map.of("regions", "us-east-1");

    private final Aws aws = Aws.start();

    @AfterEach
    void close() {
        aws.close();
    }

    private PreflightReport report(ContractContext context, ReplicaSpec spec) {
        try (SpotCloud cloud = aws.provider().open(context)) {
            return cloud.preflight(spec, false);
        }
    }

    private PreflightReport report(Map<String, String> options) {
        return report(aws.context(), Specs.of("chat", "L4", 1, options));
    }

    private static Stream<Check> named(PreflightReport report, String name) {
        return report.checks().stream().filter(check -> check.name().equals(name));
    }

    private static Check failed(PreflightReport report, String name) {
        assertThat(named(report, name)).as("%s", report).anyMatch(check -> check.outcome() == Outcome.FAILED);
        return named(report, name)
                .filter(check -> check.outcome() == Outcome.FAILED)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void whereAllIsWellEverythingIsToldAndNothingIsMade() {
        PreflightReport report = report(Map.of());
        assertThat(report.passed()).as("%s", report).isTrue();
        assertThat(report.checks())
                .extracting(Check::name)
                .contains(
                        "credentials",
                        "gpu_offered",
                        "network",
                        "image",
                        "spot_quota",
                        "on_demand_quota",
                        "spot_placement",
                        "spot_role",
                        "permissions",
                        "ingress",
                        "request");
        assertThat(report.checks()).allMatch(check -> check.outcome() == Outcome.PASSED);
        assertThat(named(report, "ingress").findFirst().orElseThrow().message()).contains("203.0.113.7/32");
        assertThat(aws.cloud().things()).isEmpty();
    }

    @Test
    void wrongCredentialsAreToldWithHowToLogIn() {
        ContractContext wrong = aws.context()
                .withSecret("aws/wrong", Aws.keys(Secret.of("AKIAWRONG00000000000"), Secret.of("wrong")))
                .withSetting("credentials_secret", "aws/wrong");
        PreflightReport report = report(wrong, Specs.of("chat"));
        assertThat(failed(report, "credentials").fix()).contains(AwsErrors.LOGIN);
    }

    @Test
    void missingCredentialsAreToldWithHowToLogIn() {
        ContractContext none = aws.context().withSetting("credentials_secret", "aws/none");
        Check check = failed(report(none, Specs.of("chat")), "credentials");
        assertThat(check.fix()).contains(AwsErrors.LOGIN);
        assertThat(check.message()).contains("no AWS credentials");
    }

    @Test
    void anAwsThatDoesNotAnswerIsNoFailure() {
        PreflightReport report = report(aws.context().withSetting("endpoint", "http://127.0.0.1:1"), Specs.of("chat"));
        assertThat(report.retryable()).as("%s", report).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ec2:CreateFleet",
                "ec2:RunInstances",
                "ec2:CreateLaunchTemplate",
                "ec2:CreateSecurityGroup",
                "ec2:DescribeTags",
                "ec2:DescribeVolumes",
                "ec2:DescribeSpotInstanceRequests"
            })
    void eachActionThatIsNotAllowedIsNamedWithACommandThatAllowsAll(String action) {
        aws.cloud().deny(action);
        PreflightReport report = report(ONE_REGION);
        assertThat(report.checks().stream().filter(check -> check.outcome() == Outcome.FAILED))
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.name()).startsWith("may_");
                    assertThat(check.message()).contains(action);
                    assertThat(check.fix().orElseThrow())
                            .startsWith("aws iam put-user-policy --user-name tuna")
                            .contains("\"ec2:CreateFleet\"");
                });
    }

    @Test
    void theLeastPolicyPassesAndIsEnoughForALifeOfAReplica() {
        List<String> owned = new ArrayList<>();
        IamPolicy.policy(Optional.empty())
                .path("Statement")
                .forEach(statement -> statement
                        .path("Condition")
                        .path("StringLike")
                        .fieldNames()
                        .forEachRemaining(key -> statement.path("Action").forEach(action -> {
                            owned.add(action.asText());
                            aws.cloud().allowOnlyTagged(action.asText(), key.replace("aws:ResourceTag/", ""));
                        })));
        PreflightReport report = report(ONE_REGION);
        assertThat(report.checks()).as("%s", report).allMatch(check -> check.outcome() == Outcome.PASSED);
        assertThat(named(report, "permissions").findFirst().orElseThrow().message())
                .contains(owned);
        try (SpotCloud cloud = aws.provider().open(aws.context())) {
            ReplicaSpec spec = Specs.of("chat", "L4", 1, ONE_REGION);
            ResourceRef replica = cloud.launch(
                    cloud.plan(spec, List.of(cloud.pools(spec).get(0).pool()), "chat-r1"));
            cloud.terminate(replica);
            cloud.terminate(Names.ref(Names.INSTANCE, "us-east-1", "i-0123456789abcdef0"));
            while (!aws.cloud().things().isEmpty()) {
                aws.cloud().letTimePass();
                cloud.cleanUp("chat");
            }
            cloud.cleanUp("chat");
        }
    }

    @Test
    void theLeastPolicyIsToldWhetherSomethingIsMissingOrNot() throws Exception {
        for (String denied : List.of("", "ec2:CreateFleet")) {
            aws.cloud().deny(denied.isEmpty() ? "none:None" : denied);
            String told = named(report(ONE_REGION), "policy")
                    .findFirst()
                    .orElseThrow()
                    .message();
            assertThat(SdkJson.JSON.readTree(told.substring(told.indexOf('{'))))
                    .isEqualTo(SdkJson.JSON.readTree(IamPolicy.json()));
        }
        String profile = named(report(Map.of("regions", "us-east-1", "instance_profile", "tuna")), "policy")
                .findFirst()
                .orElseThrow()
                .message();
        assertThat(profile).contains("iam:PassRole on the instance profile's role");
    }

    @Test
    void aMissingSpotRoleIsToldWithTheCommandThatMakesIt() {
        aws.cloud().spotRole(false);
        aws.cloud().deny("iam:CreateServiceLinkedRole");
        assertThat(failed(report(ONE_REGION), "spot_role").fix()).contains(AwsErrors.SPOT_ROLE);
    }

    @Test
    void withoutAnyQuotaTheRequestForOneIsTheFix() {
        aws.cloud().quota("us-east-1", "L-3819A6DF", 0);
        aws.cloud().quota("us-east-1", "L-DB2E81BA", 3);
        PreflightReport report = report(ONE_REGION);
        assertThat(failed(report, "spot_quota").fix().orElseThrow())
                .isEqualTo("aws service-quotas request-service-quota-increase --service-code ec2"
                        + " --quota-code L-3819A6DF --desired-value 16 --region us-east-1");
        assertThat(failed(report, "on_demand_quota").message())
                .contains("may have 3")
                .contains("g6.xlarge has 4");
    }

    @Test
    void aQuotaOfOneMarketIsEnoughAndTheOtherAWarning() {
        aws.cloud().quota("us-east-1", "L-3819A6DF", 0);
        PreflightReport report = report(ONE_REGION);
        assertThat(report.passed()).as("%s", report).isTrue();
        assertThat(named(report, "spot_quota")).allMatch(check -> check.outcome() == Outcome.WARNING);
    }

    @Test
    void pTypesHaveAQuotaOfTheirOwn() {
        aws.cloud().quota("us-east-1", "L-7212CCBC", 0);
        aws.cloud().quota("us-east-1", "L-417A185B", 0);
        PreflightReport report = report(aws.context(), Specs.of("chat", "H100", 1, ONE_REGION));
        assertThat(failed(report, "spot_quota").message())
                .contains("L-7212CCBC")
                .contains("p5.4xlarge has 16");
    }

    @Test
    void aRegionThatWillNotDoIsAWarningWhileAnotherWill() {
        aws.cloud().quota("us-east-1", "L-3819A6DF", 0);
        aws.cloud().quota("us-east-1", "L-DB2E81BA", 0);
        PreflightReport report = report(Map.of());
        assertThat(report.passed()).as("%s", report).isTrue();
        assertThat(named(report, "spot_quota").map(Check::outcome)).contains(Outcome.WARNING, Outcome.PASSED);
    }

    @Test
    void aRegionWithoutTheGpuIsNamed() {
        PreflightReport report = report(
                aws.context(),
                new ReplicaSpec(
                        "chat", Specs.engine("A100_80GB", 1), List.of("us-east-2"), Duration.ofMinutes(15), Map.of()));
        assertThat(failed(report, "gpu_offered").message())
                .contains("us-east-2")
                .contains("A100_80GB");
    }

    @Test
    void aMissingImageIsNamed() {
        AwsOptions.of(Map.of(), Map.of())
                .imageParameters()
                .forEach(name -> aws.cloud().removeParameter("us-east-1", name));
        assertThat(failed(report(ONE_REGION), "image").fix()).contains("set the option ami");
    }

    @Test
    void aSubnetThatIsNotThereIsNamed() {
        PreflightReport report = report(Map.of("regions", "us-east-1", "subnets", "subnet-0123456789abcdef0"));
        assertThat(failed(report, "network").message()).contains("not in us-east-1");
    }

    @Test
    void scarceCapacityIsAWarning() {
        aws.cloud().placementScore("us-east-1", 1);
        for (int zone = 1; zone <= 6; zone++) {
            aws.cloud().placementScore("use1-az" + zone, 1);
        }
        assertThat(named(report(ONE_REGION), "spot_placement"))
                .singleElement()
                .extracting(Check::outcome)
                .isEqualTo(Outcome.WARNING);
    }

    @Test
    void whoMayNotAskForScoresDoesWithout() {
        aws.cloud().deny("ec2:GetSpotPlacementScores");
        assertThat(report(ONE_REGION).passed()).isTrue();
    }

    @Test
    void anAddressThatNobodyTellsIsNoFailureButHasAFix() {
        ContractContext context = aws.context().withSetting("ingress_url", "http://127.0.0.1:1");
        PreflightReport report = report(context, Specs.of("chat", "L4", 1, ONE_REGION));
        assertThat(named(report, "ingress")).singleElement().satisfies(check -> {
            assertThat(check.outcome()).isEqualTo(Outcome.UNKNOWN);
            assertThat(check.fix().orElseThrow()).contains("option ingress");
        });
    }

    @Test
    void machinesOfAPrivateNetworkAreOpenToItOnly() {
        Check check = named(report(Map.of("regions", "us-east-1", "ingress", "vpc")), "ingress")
                .findFirst()
                .orElseThrow();
        assertThat(check.message()).contains("their own network only");
    }

    @Test
    void anOptionThatIsNotKnownIsTheOnlyThingTold() {
        assertThat(failed(report(Map.of("spot_price", "1")), "options").message())
                .contains("spot_price");
    }

    @Test
    void anEngineThatCannotBeRunIsTold() {
        ReplicaSpec good = Specs.of("chat", "L4", 1, ONE_REGION);
        ReplicaSpec bad = new ReplicaSpec(
                "chat",
                good.engine().withArguments(List.of("--no-such-flag")),
                List.of(),
                Duration.ofMinutes(15),
                good.options());
        assertThat(failed(report(aws.context(), bad), "request").message()).contains("--no-such-flag");
    }

    @Test
    void aSecretThatIsNotThereIsNamedE16() {
        ContractContext context = aws.context();
        context.secrets().remove(ContractContext.MODEL_TOKEN);
        assertThat(failed(report(context, Specs.of("chat", "L4", 1, ONE_REGION)), "secret_present")
                        .message())
                .contains(ContractContext.MODEL_TOKEN.name());
    }

    @Test
    void throttledQuestionsAreAskedAgain() {
        aws.cloud().inject(AwsFaults.throttling("servicequotas:GetServiceQuota").times(2));
        assertThat(report(ONE_REGION).passed()).isTrue();
    }
}
