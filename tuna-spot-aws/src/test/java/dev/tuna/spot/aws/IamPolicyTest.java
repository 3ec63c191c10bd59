package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class IamPolicyTest {

    private static final Pattern ACTION =
            Pattern.compile("\"((?:ec2|s3|ssm|pricing|servicequotas|sts|iam):[A-Z]\\w+)\"");

    private static Set<String> actions(JsonNode policy) {
        Set<String> actions = new TreeSet<>();
        policy.path("Statement")
                .forEach(statement -> statement.path("Action").forEach(action -> actions.add(action.asText())));
        return actions;
    }

    /** Every call names its action, since errors do; the policy must have all of them. */
    @Test
    void allowsEverythingThatIsCalled() throws IOException {
        Set<String> called = new TreeSet<>();
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".java") && !path.endsWith("IamPolicy.java"))
                    .toList()) {
                ACTION.matcher(Files.readString(file)).results().forEach(match -> called.add(match.group(1)));
            }
        }
        assertThat(called).hasSizeGreaterThan(25);
        assertThat(IamPolicy.actions()).containsAll(called);
        String role = "arn:aws:iam::123456789012:role/tuna";
        Set<String> allowed = actions(IamPolicy.policy(Optional.of(role)));
        allowed.addAll(actions(IamPolicy.routerPolicy(role, "artifacts")));
        assertThat(allowed).containsExactlyInAnyOrderElementsOf(IamPolicy.actions());
    }

    @Test
    void routersReachNothingButWhatIsTunas() {
        for (JsonNode statement : IamPolicy.routerPolicy("arn:aws:iam::123456789012:role/router", "artifacts")
                .path("Statement")) {
            assertThat(statement.path("Resource").asText())
                    .isIn(
                            "arn:aws:s3:::artifacts/tuna/*",
                            "arn:aws:s3:::artifacts",
                            "arn:aws:ssm:*:*:parameter/tuna/*",
                            "arn:aws:iam::123456789012:role/router");
        }
    }

    @Test
    void endsOnlyWhatIsOwned() {
        JsonNode policy = IamPolicy.policy(Optional.empty());
        for (JsonNode statement : policy.path("Statement")) {
            String actions = statement.path("Action").toString();
            if (actions.contains("Terminate") || actions.contains("Delete")) {
                assertThat(statement.path("Condition").toString()).contains("aws:ResourceTag/tuna-owner");
            }
        }
        assertThat(policy.toString()).doesNotContain("\"ec2:*\"", "iam:PassRole");
    }

    @Test
    void fitsIntoWhatIamTakes() {
        // A managed policy has at most 6,144 characters, an inline one of a user 2,048, of a role 10,240; white space
        // not counted.
        assertThat(IamPolicy.policy(Optional.empty()).toString()).hasSizeLessThan(2048);
        assertThat(IamPolicy.routerPolicy("arn:aws:iam::123456789012:role/router", "artifacts")
                        .toString())
                .hasSizeLessThan(2048);
    }

    @Test
    void isGivenToWhoeverCalls() {
        assertThat(AwsPreflight.policyCommand("arn:aws:iam::123456789012:user/path/ann"))
                .startsWith("aws iam put-user-policy --user-name ann ");
        assertThat(AwsPreflight.policyCommand("arn:aws:sts::123456789012:assumed-role/app/i-1"))
                .startsWith("aws iam put-role-policy --role-name app ");
        assertThat(AwsPreflight.policyCommand("arn:aws:iam::123456789012:root")).startsWith("aws iam create-policy ");
        assertThat(List.of(IamPolicy.json(), IamPolicy.json("arn:aws:iam::123456789012:role/tuna")))
                .doesNotHaveDuplicates();
    }
}
