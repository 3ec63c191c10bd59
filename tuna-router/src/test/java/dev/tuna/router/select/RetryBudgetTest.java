package dev.tuna.router.select;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RetryBudgetTest {

    private static final long SECOND = 1_000_000_000L;

    @Test
    void savesAThousandRequestsOfAReplicaThatDies() {
        RetryBudget budget = RetryBudget.full(0);
        for (int i = 0; i < 1000; i++) {
            assertThat(budget.allowsRetry(0)).isTrue();
            budget = budget.retried(0);
        }

        assertThat(budget.allowsRetry(0)).isFalse();
    }

    @Test
    void aFifthOfTheRequestsMayBeSentAgain() {
        RetryBudget budget = empty();
        int retries = 0;
        for (int i = 0; i < 1000; i++) {
            budget = budget.requested(0);
            if (budget.allowsRetry(0)) {
                budget = budget.retried(0);
                retries++;
            }
        }

        assertThat(retries).isEqualTo(200);
    }

    @Test
    void afterASilenceTenASecondMayBeSentAgain() {
        RetryBudget budget = empty();
        assertThat(budget.allowsRetry(SECOND / 10 - 1_000_000)).isFalse();
        assertThat(budget.allowsRetry(SECOND / 10)).isTrue();
        for (int i = 0; i < 20; i++) {
            budget = budget.retried(2 * SECOND);
        }

        assertThat(budget.allowsRetry(2 * SECOND)).isFalse();
    }

    @Test
    void timeInSmallPiecesAddsUp() {
        RetryBudget budget = empty();
        for (long now = 0; now <= SECOND; now += 33_333) {
            budget = budget.requested(now);
        }

        assertThat(budget.milliTokens()).isBetween(30_000L * 200 / 1000, RetryBudget.CAPACITY * 1000L);
        assertThat(empty().requested(50_000).at())
                .as("less than a thousandth is kept")
                .isZero();
    }

    @Test
    void neverHoldsMoreThanAFullBucket() {
        RetryBudget budget = RetryBudget.full(0).requested(3600 * SECOND);

        assertThat(budget.milliTokens()).isEqualTo(RetryBudget.CAPACITY * 1000L);
        assertThat(budget.at()).isEqualTo(3600 * SECOND);
    }

    @Test
    void aClockThatStandsStillOrGoesBackAddsNothing() {
        assertThat(empty().requested(-5 * SECOND).milliTokens()).isEqualTo(200);
    }

    private static RetryBudget empty() {
        RetryBudget budget = RetryBudget.full(0);
        for (int i = 0; i < 1000; i++) {
            budget = budget.retried(0);
        }
        return budget;
    }
}
