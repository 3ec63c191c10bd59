package dev.tuna.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MoneyTest {

    @ParameterizedTest(name = "{0} at {1} microdollars per hour costs {2}")
    @CsvSource({
        "PT1H,         800000,  800000",
        "PT30M,        800000,  400000",
        "PT0S,         800000,  0",
        "PT1H,         0,       0",
        "PT0.0045S,    800000,  1", // exactly one
        "PT0.00225S,   800000,  1", // exactly a half, upwards
        "PT0.002249999S, 800000, 0",
        "PT87600H,     98000000, 8584800000000",
    })
    void roundsEachAmountHalfUpToTheMicrodollar(Duration billed, long price, long cost) {
        assertThat(Money.cost(billed, OptionalLong.of(price))).hasValue(cost);
    }

    @Test
    void anUnknownPriceIsUnknownAndNeverZero() {
        assertThat(Money.cost(Duration.ofHours(1), OptionalLong.empty())).isEmpty();
        assertThat(Money.microUsdPerHour(Optional.empty())).isEmpty();
        assertThat(Money.usd(OptionalLong.empty())).isEmpty();
    }

    @Test
    void readsAndShowsPricesExactly() {
        assertThat(Money.microUsdPerHour(Optional.of(new BigDecimal("3.95")))).hasValue(3_950_000);
        assertThat(Money.microUsdPerHour(Optional.of(new BigDecimal("0.0000005"))))
                .hasValue(1);
        assertThat(Money.usd(OptionalLong.of(3_950_001))).contains(new BigDecimal("3.950001"));
    }

    @Test
    void agreesWithExactArithmeticOnAnyTimeAndPrice() {
        for (long seed = 0; seed < 2_000; seed++) {
            var random = new Random(seed);
            Duration billed = Duration.ofSeconds(random.nextLong(10_000_000), random.nextInt(1_000_000_000));
            long price = random.nextLong(200_000_000);
            BigDecimal exact = new BigDecimal(
                            BigInteger.valueOf(billed.toNanos()).multiply(BigInteger.valueOf(price)))
                    .divide(new BigDecimal("3600000000000"), 0, RoundingMode.HALF_UP);

            assertThat(Money.cost(billed, OptionalLong.of(price)))
                    .as("seed %d", seed)
                    .hasValue(exact.longValueExact());
        }
    }
}
