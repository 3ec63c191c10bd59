package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Deployment;
import dev.tuna.testkit.cloud.simulated.CloudCall.Operation;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A long time at the cadence of production. */
class YearTest {

    private static long cpu() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    @Test
    @Tag("full")
    void aYearOfOneDeploymentAtTheDefaultCadence() {
        int days = Integer.getInteger("tuna.year.days", 365);
        try (var year = new Simulation()) {
            Deployment chat = year.start().deploy(Simulation.chat().build());
            long start = cpu();
            for (int day = 0; day < days; day++) {
                year.traffic("chat", Duration.ofHours(12), Duration.ofMinutes(1), Duration.ofSeconds(20));
                year.pass(Duration.ofHours(12));
                if (day % 3 == 0 && !year.running().isEmpty()) {
                    year.cloud.lose(year.running().get(0).id());
                }
            }
            System.out.printf(
                    Locale.ROOT,
                    "%d days at the default cadence: %d calls to clouds, %d launches, %.1f s of CPU%n",
                    days,
                    year.cloud.callCount(),
                    year.cloud.callCount(Operation.LAUNCH),
                    (cpu() - start) / 1e9);
            assertThat(chat.status().traffic().succeeded()).isGreaterThanOrEqualTo(720L * days - 2);
            assertThat(chat.status().traffic().failed()).isZero();
            assertThat(year.until(chat.destroy()::isDone)).isTrue();
            assertThat(year.cloud.snapshot().empty()).isTrue();
        }
    }
}
