package dev.tuna.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Tier;
import dev.tuna.spi.LedgerEntry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class MetersTest {

    private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");
    private static final OptionalLong UNKNOWN = OptionalLong.empty();

    private static OptionalLong usd(double perHour) {
        return OptionalLong.of(Math.round(perHour * 1_000_000));
    }

    private static Instant minute(int minute) {
        return START.plus(Duration.ofMinutes(minute));
    }

    private static long sum(List<LedgerEntry> entries) {
        return entries.stream()
                .mapToLong(entry -> entry.microUsd().orElseThrow())
                .sum();
    }

    @Nested
    class AReplica {

        private final BilledBackend who = new BilledBackend("d1", Tier.SPOT, "local-spot", "replica-1");

        @Test
        void isBilledFromLaunchToEnd() {
            var meter = new ReplicaMeter(who, START, usd(0.6));

            assertThat(meter.end(minute(30))).singleElement().satisfies(entry -> {
                assertThat(entry.from()).isEqualTo(START);
                assertThat(entry.to()).isEqualTo(minute(30));
                assertThat(entry.billed()).isEqualTo(Duration.ofMinutes(30));
                assertThat(entry.microUsd()).hasValue(300_000);
                assertThat(entry.estimated()).isFalse();
            });
        }

        @Test
        void isBilledAtThePriceOfTheTime() {
            var first = new ReplicaMeter(who, START, usd(0.6)).priced(minute(10), usd(1.2));

            assertThat(first.entries())
                    .singleElement()
                    .satisfies(entry -> assertThat(entry.microUsd()).hasValue(100_000));
            assertThat(first.meter().end(minute(20))).singleElement().satisfies(entry -> {
                assertThat(entry.from()).isEqualTo(minute(10));
                assertThat(entry.microUsd()).hasValue(200_000);
            });
        }

        @Test
        void makesNoEntryWhileThePriceStaysOrIsNotTold() {
            var meter = new ReplicaMeter(who, START, usd(0.6));

            assertThat(meter.priced(minute(1), usd(0.6))).isEqualTo(new Metered<>(meter, List.of()));
            assertThat(meter.priced(minute(1), UNKNOWN)).isEqualTo(new Metered<>(meter, List.of()));
        }

        @Test
        void takesAPriceThatIsToldLateForItsWholeTime() {
            var meter = new ReplicaMeter(who, START, UNKNOWN)
                    .priced(minute(10), usd(0.6))
                    .meter();

            assertThat(sum(meter.end(minute(60)))).isEqualTo(600_000);
        }

        @Test
        void whosePriceIsNeverToldHasAnUnknownCost() {
            assertThat(new ReplicaMeter(who, START, UNKNOWN).end(minute(60)))
                    .singleElement()
                    .satisfies(entry -> assertThat(entry.microUsd()).isEmpty());
        }

        @Test
        void isNotBilledTwiceWhenTheClockJumpsBack() {
            var meter = new ReplicaMeter(who, minute(30), usd(0.6));

            var jumped = meter.priced(minute(10), usd(1.2));
            assertThat(jumped.entries()).isEmpty();
            assertThat(jumped.meter().since()).isEqualTo(minute(30));
            assertThat(meter.end(minute(10))).isEmpty();
            assertThat(meter.open(minute(10)).soFar().billed()).isZero();
        }

        @Test
        void showsWhatItHasCostSoFar() {
            var open = new ReplicaMeter(who, START, usd(0.6)).open(minute(10));

            assertThat(open.soFar().microUsd()).hasValue(100_000);
            assertThat(open.microUsdPerHourNow()).hasValue(600_000);
        }

        @Test
        void costsTheSameHoweverItsTimeIsCut() {
            for (long seed = 0; seed < 500; seed++) {
                var random = new Random(seed);
                Duration life =
                        Duration.ofNanos(random.nextLong(Duration.ofDays(3).toNanos()));
                long price = 1 + random.nextLong(50_000_000);
                long whole = sum(new ReplicaMeter(who, START, OptionalLong.of(price)).end(START.plus(life)));

                var entries = new ArrayList<LedgerEntry>();
                Instant cut = START;
                int cuts = random.nextInt(50);
                for (int i = 0; i < cuts; i++) {
                    Instant next = cut.plusNanos(random.nextLong(1 + life.toNanos() / cuts));
                    entries.addAll(new ReplicaMeter(who, cut, OptionalLong.of(price)).end(next));
                    cut = next;
                }
                entries.addAll(new ReplicaMeter(who, cut, OptionalLong.of(price)).end(START.plus(life)));

                assertThat((double) Math.abs(sum(entries) - whole))
                        .as("seed %d", seed)
                        .isLessThanOrEqualTo((entries.size() + 1) / 2.0);
                assertThat(entries)
                        .as("seed %d", seed)
                        .allMatch(entry -> entry.microUsd().orElseThrow() >= 0);
            }
        }

        @Test
        void isNeverBilledForLessThanNothingNorOverlaps() {
            for (long seed = 0; seed < 500; seed++) {
                var random = new Random(seed);
                var meter = new ReplicaMeter(who, START, random.nextBoolean() ? UNKNOWN : usd(1));
                var entries = new ArrayList<LedgerEntry>();
                for (int i = 0; i < 40; i++) {
                    var metered = meter.priced(
                            minute(random.nextInt(600)), random.nextInt(3) == 0 ? UNKNOWN : usd(random.nextInt(3)));
                    entries.addAll(metered.entries());
                    meter = metered.meter();
                }
                entries.addAll(meter.end(minute(600)));

                for (int i = 1; i < entries.size(); i++) {
                    assertThat(entries.get(i).from())
                            .as("seed %d", seed)
                            .isEqualTo(entries.get(i - 1).to());
                }
                assertThat(entries)
                        .as("seed %d", seed)
                        .allMatch(entry -> !entry.billed().isZero());
            }
        }
    }

    @Nested
    class AnEndpoint {

        private final BilledBackend who = new BilledBackend("d1", Tier.SERVERLESS, "local", "endpoint");
        private final EndpointMeter meter = new EndpointMeter(who, START, Duration.ZERO, usd(3.6), false);

        @Test
        void isBilledByTheGrowthOfItsMeter() {
            var first = meter.read(minute(5), Duration.ofSeconds(100), usd(3.6));
            var second = first.meter().read(minute(6), Duration.ofSeconds(130), usd(3.6));

            assertThat(first.entries())
                    .singleElement()
                    .satisfies(entry -> assertThat(entry.microUsd()).hasValue(100_000));
            assertThat(second.entries()).singleElement().satisfies(entry -> {
                assertThat(entry.from()).isEqualTo(minute(5));
                assertThat(entry.to()).isEqualTo(minute(6));
                assertThat(entry.billed()).isEqualTo(Duration.ofSeconds(30));
                assertThat(entry.microUsd()).hasValue(30_000);
            });
        }

        @Test
        void makesNoEntryWhileItIsScaledToZero() {
            var metered = meter.read(minute(5), Duration.ZERO, usd(3.6));

            assertThat(metered.entries()).isEmpty();
            assertThat(metered.meter().since()).isEqualTo(minute(5));
        }

        @Test
        void isBilledAtThePriceThatHeldWhenTheTimePassed() {
            var metered = meter.read(minute(5), Duration.ofSeconds(100), usd(7.2));

            assertThat(sum(metered.entries())).isEqualTo(100_000);
            assertThat(sum(metered.meter()
                            .read(minute(6), Duration.ofSeconds(200), UNKNOWN)
                            .entries()))
                    .isEqualTo(200_000);
        }

        @Test
        void takesAPriceThatIsToldLateForWhatIsNotEnteredYet() {
            var unpriced = new EndpointMeter(who, START, Duration.ZERO, UNKNOWN, true);

            assertThat(unpriced.read(minute(1), Duration.ofSeconds(10), usd(3.6))
                            .entries())
                    .singleElement()
                    .satisfies(entry -> {
                        assertThat(entry.microUsd()).hasValue(10_000);
                        assertThat(entry.estimated()).isTrue();
                    });
        }

        @Test
        void billsNothingTwiceWhenItsReadingFalls() {
            var high = meter.read(minute(1), Duration.ofSeconds(100), usd(3.6)).meter();
            var fallen = high.read(minute(2), Duration.ofSeconds(40), usd(3.6));
            var risen = fallen.meter().read(minute(3), Duration.ofSeconds(110), usd(3.6));

            assertThat(fallen.entries()).isEmpty();
            assertThat(sum(risen.entries())).isEqualTo(10_000);
        }

        @Test
        void showsWhatItsContainersCostTogetherNow() {
            assertThat(meter.open(minute(1), Duration.ofSeconds(60), 3).microUsdPerHourNow())
                    .hasValue(10_800_000);
            assertThat(new EndpointMeter(who, START, Duration.ZERO, UNKNOWN, false)
                            .open(minute(1), Duration.ZERO, 1)
                            .microUsdPerHourNow())
                    .isEmpty();
            assertThat(new EndpointMeter(who, START, Duration.ZERO, UNKNOWN, false)
                            .open(minute(1), Duration.ZERO, 0)
                            .microUsdPerHourNow())
                    .as("nothing runs, which costs nothing at any price")
                    .hasValue(0);
        }

        @Test
        void entersEverySecondOfAnyReadingsOnce() {
            for (long seed = 0; seed < 500; seed++) {
                var random = new Random(seed);
                var current = meter;
                Duration highest = Duration.ZERO;
                Duration billed = Duration.ZERO;
                for (int i = 0; i < 40; i++) {
                    Duration reading = highest.plusMillis(random.nextInt(-5_000, 20_000));
                    reading = reading.isNegative() ? Duration.ZERO : reading;
                    highest = reading.compareTo(highest) > 0 ? reading : highest;
                    var metered = current.read(minute(random.nextInt(600)), reading, usd(random.nextInt(3)));
                    for (LedgerEntry entry : metered.entries()) {
                        billed = billed.plus(entry.billed());
                    }
                    current = metered.meter();
                }

                assertThat(billed).as("seed %d", seed).isEqualTo(highest);
            }
        }
    }
}
