package dev.tuna.testkit.cloud.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LocalPreflightTest {

    private static final ServerlessSpec SPEC = Specs.serverless(Specs.engine(), Specs.window(Duration.ofMinutes(1)));

    private static Check failed(PreflightReport report) {
        return report.checks().stream()
                .filter(check -> check.outcome() == Outcome.FAILED)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void namesTheCommandThatStartsACloudWhenTheUrlIsMissing() {
        TestContext context = TestContext.of(Map.of());
        Check serverless = failed(new LocalProvider().open(context).preflight(SPEC, false));
        Check spot = failed(new LocalSpotProvider().open(context).preflight(Specs.replica(Specs.engine()), false));
        assertThat(serverless.message()).isEqualTo("setting url of provider local is missing");
        assertThat(spot.message()).isEqualTo("setting url of provider local-spot is missing");
        assertThat(serverless.fix().orElseThrow()).contains("dev.tuna.testkit.cloud.LocalCloudMain --port 7077");
    }

    @Test
    void namesTheUrlThatIsNone() {
        TestContext context = TestContext.of(Map.of("url", "localhost:7077"));
        assertThat(failed(new LocalProvider().open(context).preflight(SPEC, false))
                        .message())
                .contains("'localhost:7077' but must be an http URL");
    }

    @Test
    void namesTheCommandWhenNobodyAnswers() {
        TestContext context = TestContext.of(Map.of("url", "http://127.0.0.1:1"));
        PreflightReport report = new LocalProvider().open(context).preflight(SPEC, false);
        Check check = report.checks().get(1);
        assertThat(report.passed()).isFalse();
        assertThat(check.outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(check.name()).isEqualTo("cloud_reachable");
        assertThat(check.fix().orElseThrow()).contains("LocalCloudMain");
    }

    @Test
    void plansWithoutAUrlButBeginsNothing() {
        ServerlessCloud cloud = new LocalProvider().open(TestContext.of(Map.of()));
        ServerlessPlan plan = cloud.plan(SPEC);
        assertThat(plan.resource().id()).isEqualTo("chat-owner123");
        assertThat(plan.body()).contains("deployments/chat/key");
        assertThatThrownBy(() -> cloud.observe(plan.resource()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("LocalCloudMain");
    }

    @Test
    void namesTheSecretThatIsMissing() {
        ServerlessCloud cloud = new LocalProvider().open(TestContext.of(Map.of("url", "http://127.0.0.1:1")));
        assertThatThrownBy(() -> cloud.begin(cloud.plan(SPEC)))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("secret 'deployments/chat/key' is not in the secret store");
    }
}
