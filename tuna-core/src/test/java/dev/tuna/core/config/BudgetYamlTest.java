package dev.tuna.core.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Budget;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ScalingPolicy;
import java.math.BigDecimal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BudgetYamlTest {

    private static final String BOTH = """
            spot:
              max_replicas: 3
            budget:
              usd_per_hour: 2.50
              usd_per_day: 20
              usd_per_month: 300
              action: serverless_only
            """;

    @Test
    void theBudgetStandsBesideTheNumbersOfScaling() {
        assertThat(BudgetYaml.read(BOTH, "scaling.yaml"))
                .isEqualTo(Budget.builder()
                        .usdPerHour(new BigDecimal("2.50"))
                        .usdPerDay(new BigDecimal("20"))
                        .usdPerMonth(new BigDecimal("300"))
                        .action(Budget.Action.SERVERLESS_ONLY)
                        .build());
        assertThat(ScalingPolicyYaml.read(BOTH, "scaling.yaml").spot().maxReplicas())
                .isEqualTo(3);
    }

    @Test
    void withoutTheSectionThereIsNoLimit() {
        assertThat(BudgetYaml.read("spot:\n  max_replicas: 3\n", "scaling.yaml"))
                .isEqualTo(Budget.NONE);
        assertThat(BudgetYaml.read("", "scaling.yaml")).isEqualTo(Budget.NONE);
        assertThat(ScalingPolicyYaml.read("budget:\n  usd_per_day: 5\n", "scaling.yaml"))
                .isEqualTo(ScalingPolicy.DEFAULT);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "usd_per_dya: 5|unknown key 'budget.usd_per_dya'; did you mean 'usd_per_day'",
                "usd_per_day: 0|budget.usd_per_day is '0' but must be a number of US dollars above 0",
                "usd_per_day: -5|budget.usd_per_day is '-5'",
                "usd_per_day: much|budget.usd_per_day is 'much'",
                "action: stop|budget.action is 'stop' but must be one of warn, stop_scaling, serverless_only, refuse",
                "action: |budget.action is empty"
            })
    void whatIsWrongIsNamedWithItsLineByBothReaders(String line, String named) {
        String text = "budget:\n  " + line + "\n";
        assertThatThrownBy(() -> BudgetYaml.read(text, "scaling.yaml"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("scaling.yaml, line 2")
                .hasMessageContaining(named);
        assertThatThrownBy(() -> ScalingPolicyYaml.read(text, "scaling.yaml"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(named);
    }
}
