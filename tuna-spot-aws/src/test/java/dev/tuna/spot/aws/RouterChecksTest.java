package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.contract.ContractContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is found before a router's machine is asked for. */
class RouterChecksTest {

    private static final Map<String, String> OPTIONS =
            Map.of("regions", "us-east-1", "router_instance_profile", "tuna-router", "artifact_bucket", "artifacts");

    private final Aws aws = Aws.start();

    @BeforeEach
    void bucket() {
        aws.cloud().bucket("artifacts");
    }

    @AfterEach
    void close() {
        aws.close();
    }

    private List<Check> checks(ContractContext context, Map<String, String> options) {
        try (SpotCloud cloud = aws.provider().open(context)) {
            return cloud.routers().orElseThrow().preflight(options);
        }
    }

    private List<Check> checks(Map<String, String> options) {
        return checks(aws.context(), options);
    }

    private static Map<String, String> with(String option, String value) {
        var options = new HashMap<>(OPTIONS);
        options.put(option, value);
        return options;
    }

    private static Check named(List<Check> checks, String name) {
        return checks.stream()
                .filter(check -> check.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " in " + checks));
    }

    private static List<Check> failed(List<Check> checks) {
        return checks.stream()
                .filter(check -> check.outcome() == Outcome.FAILED)
                .toList();
    }

    @Test
    void whereAllIsWellEachRightIsToldAndNothingIsMade() throws JsonProcessingException {
        List<Check> checks = checks(OPTIONS);
        assertThat(checks).allMatch(check -> check.outcome() == Outcome.PASSED);
        assertThat(named(checks, "router_machine").message())
                .isEqualTo("t3.small in us-east-1 with the role of tuna-router may be launched");
        assertThat(named(checks, "router_permissions").message())
                .contains(
                        "ec2:RunInstances",
                        "iam:PassRole",
                        "ssm:GetParameter",
                        "ssm:DeleteParameter",
                        "s3:ListBucket",
                        "s3:GetObject are allowed in us-east-1")
                .endsWith(
                        "AWS does not say without doing it whether these are: ssm:PutParameter, s3:PutObject, s3:DeleteObject");
        String policy = named(checks, "router_policy").message();
        assertThat(SdkJson.JSON.readTree(policy.substring(policy.indexOf('{'))))
                .isEqualTo(IamPolicy.routerPolicy(
                        "arn:aws:iam::" + aws.cloud().accountId() + ":role/tuna-router", "artifacts"));
        assertThat(aws.cloud().things()).isEmpty();
        assertThat(aws.cloud().parameters()).isEmpty();
        assertThat(aws.cloud().objects()).isEmpty();
    }

    @Test
    void whoeverSaysNothingOfSuchAMachineIsToldNothing() {
        assertThat(checks(Map.of("regions", "us-east-1"))).isEmpty();
        assertThat(checks(aws.context().withSetting("router_instance_profile", "tuna-router"), Map.of()))
                .isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "iam:PassRole, router_may_pass_role",
        "ec2:RunInstances, router_may_run_instances",
        "ssm:PutParameter, router_may_put_parameter",
        "ssm:DeleteParameter, router_may_delete_parameter",
        "s3:ListBucket, router_may_list_bucket",
        "s3:GetObject, router_may_get_object"
    })
    void eachRightThatIsMissingIsNamedWithACommandThatGivesAll(String action, String name) {
        aws.cloud().deny(action);
        assertThat(failed(checks(OPTIONS))).singleElement().satisfies(check -> {
            assertThat(check.name()).isEqualTo(name);
            assertThat(check.message()).isEqualTo(action + " is not allowed");
            assertThat(check.fix().orElseThrow())
                    .startsWith("aws iam put-user-policy --user-name tuna --policy-name tuna-router")
                    .contains("parameter/tuna/*", "arn:aws:s3:::artifacts/tuna/*");
        });
    }

    @Test
    void aBucketThatIsNotThereIsNamedAndNoneAtAllIsAWarning() {
        Check missing = named(checks(with("artifact_bucket", "nowhere")), "router_bucket");
        assertThat(missing.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(missing.message()).contains("nowhere", "us-east-1");
        assertThat(missing.fix().orElseThrow()).contains("aws s3 mb s3://nowhere --region us-east-1");
        var options = new HashMap<>(OPTIONS);
        options.remove("artifact_bucket");
        assertThat(named(checks(options), "router_bucket").outcome()).isEqualTo(Outcome.WARNING);
    }

    @Test
    void whatIsWrongWithTheOptionsIsNamed() {
        assertThat(failed(checks(Map.of("artifact_bucket", "artifacts"))))
                .singleElement()
                .satisfies(check -> assertThat(check.message()).contains("router_instance_profile is missing"));
        assertThat(named(checks(with("router_instance_type", "z9.none")), "router_machine")
                        .message())
                .contains("z9.none in us-east-1", "would not be launched");
        assertThat(named(checks(with("router_subnet", "subnet-0123456789abcdef0")), "router_machine")
                        .fix()
                        .orElseThrow())
                .contains("router_subnet");
    }
}
