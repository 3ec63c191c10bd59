package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.api.SecretRef;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.examples.terminal.Terminal;
import dev.tuna.testkit.aws.AwsStandIn;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the command says of AWS, told by a stand-in of it. */
class AwsCommandsTest {

    private static final String KEYS = "aws/credentials";

    @SuppressWarnings("NullAway.Init")
    private static AwsStandIn aws;

    @TempDir
    private Path state;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeAll
    static void start() {
        aws = AwsStandIn.builder().start();
    }

    @AfterAll
    static void stop() {
        aws.close();
    }

    private int tuna(String line) {
        out.reset();
        err.reset();
        new FileSecretStore(state).put(new SecretRef(KEYS), aws.credentials());
        var words = new ArrayList<>(List.of(line.split(" ")));
        aws.settings().forEach((key, value) -> words.addAll(List.of("-P", "aws." + key + "=" + value)));
        return TunaCli.run(
                new Session(
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        Terminal.PLAIN,
                        new BufferedReader(new StringReader("")),
                        Map.of(
                                "TUNA_STATE_DIR",
                                state.toString(),
                                "TUNA_ROUTER_VM_JAR",
                                "https://repo.example/tuna.jar",
                                "TUNA_ROUTER_VM_SHA256",
                                "ab".repeat(32)),
                        new CompletableFuture<>(),
                        Interrupts.UNASKED),
                words.toArray(String[]::new));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void checkGoesThroughAccountRegionsAndQuota() {
        assertThat(tuna("check --provider aws --gpu L4"))
                .as(() -> out() + err())
                .isIn(ExitCode.DONE, ExitCode.FAILED);
        assertThat(out())
                .contains("credentials: account " + aws.accountId(), "gpu_offered", "spot_quota")
                .doesNotContain("router_");
    }

    @Test
    void checkAsksForWhatARoutersMachineTakesWhereOneIsSetUp() {
        aws.bucket("jars");
        aws.deny("iam:PassRole");
        assertThat(
                        tuna(
                                "check --provider aws --gpu L4 -P aws.router_instance_profile=router -P aws.artifact_bucket=jars"))
                .isEqualTo(ExitCode.FAILED);
        aws.allow("iam:PassRole");
        assertThat(out())
                .contains(
                        "FAILED   router_may_pass_role: iam:PassRole is not allowed",
                        "fix: aws iam put-user-policy --user-name tuna --policy-name tuna-router",
                        "PASSED   router_policy",
                        "arn:aws:s3:::jars/tuna/*",
                        "parameter/tuna/*");
    }

    @Test
    void aDryRunShowsTheMachineOfTheRouterWithItsPlaceAndPrice() throws IOException {
        String line =
                "deploy --model Qwen/Qwen3-0.6B --gpu L4 --service-name chat --serverless-provider runpod --spots-cloud"
                        + " aws --region us-east-1 --use-different-vm-for-lb --dry-run -P aws.router_instance_profile=router"
                        + " -P runpod.api_url=" + aws.uri();
        assertThat(tuna(line)).as(this::err).isZero();
        assertThat(out())
                .containsPattern("aws +router +Router VM chat: one t3.small at list price in us-east-1, 20 GB of disk,"
                        + " clients at port 8080, \\$0.0280 per hour");
        assertThat(tuna(line + " -o json -P aws.router_region=us-east-2")).isZero();
        JsonNode router = new JsonMapper().readTree(out()).path("router");
        assertThat(router.path("machine").asText()).isEqualTo("t3.small");
        assertThat(router.path("region").asText()).isEqualTo("us-east-2");
        assertThat(router.path("shared").asBoolean()).isFalse();
        assertThat(aws.things()).isEmpty();
    }

    @Test
    void spotPricesOfAwsStandBesideThoseOfOthers() {
        assertThat(tuna("show-gpus --spot --provider aws")).as(this::err).isZero();
        assertThat(out()).containsPattern("L4 +24 +\\$[0-9.]+ +aws +us-[a-z]+-[0-9] +g6.xlarge");
    }

    @Test
    void orphansAreLookedForInEveryRegion() {
        assertThat(tuna("orphans")).as(this::err).isZero();
        assertThat(out()).startsWith("No orphans were found.");
        assertThat(err()).contains("nothing is set up for them").doesNotContain("aws");
    }
}
