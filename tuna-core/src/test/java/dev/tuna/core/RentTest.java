package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.core.control.Allowance;
import dev.tuna.core.control.HostMachine;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a rented machine costs is in the bills of those who live on it, each minute once, whatever happens in between. */
class RentTest {

    private final Simulation world = new Simulation();
    private Instant since = Instant.EPOCH;

    @BeforeEach
    void rent() {
        since = world.time.instant();
        world.machine = Optional.of(new HostMachine("local-spot", "router", Optional.of(new BigDecimal("36")), since));
    }

    @AfterEach
    void close() {
        world.close();
    }

    private static Duration rented(CostReport bill) {
        return bill.lines().stream()
                .filter(line -> line.backend().equals("router"))
                .map(CostReport.Line::billed)
                .reduce(Duration.ZERO, Duration::plus);
    }

    private Duration rented(String deployment) {
        return rented(world.tuna.cost(deployment));
    }

    private Duration passed() {
        return Duration.between(since, world.time.instant());
    }

    private static Deployment deploy(Tuna tuna, String name, String model) {
        return tuna.deploy(DeployRequest.builder(model, "L4")
                .serviceName(name)
                .serverlessProviders("local")
                .build());
    }

    private void destroy(String name) {
        var gone = world.tuna.destroy(name);
        assertThat(world.until(gone::isDone)).isTrue();
    }

    @Test
    void theBillOfOneThatIsDestroyedHasTheRentToItsEnd() {
        deploy(world.start(), "chat", "Qwen/Qwen3-0.6B");
        world.pass(Duration.ofSeconds(615));

        destroy("chat");

        assertThat(rented("chat")).isEqualTo(passed());
        assertThat(rented(world.crash().cost("chat"))).isEqualTo(passed());
    }

    @Test
    void whoComesWhenAllOthersHaveGonePaysFromThenOn() {
        deploy(world.start(), "chat", "Qwen/Qwen3-0.6B");
        world.pass(Duration.ofMinutes(30));
        destroy("chat");
        Duration first = passed();
        world.crash();

        deploy(world.tuna, "next", "Qwen/Qwen3-0.6B");
        world.pass(Duration.ofMinutes(10));
        destroy("next");

        assertThat(rented("chat")).isEqualTo(first);
        assertThat(rented("next")).isEqualTo(passed().minus(first));
    }

    @Test
    void twoShareItFromWhenTheSecondOneComesAndACrashBillsNoMinuteTwice() {
        deploy(world.start(), "chat", "Qwen/Qwen3-0.6B");
        world.pass(Duration.ofSeconds(630));
        Duration alone = passed();
        deploy(world.tuna, "second", "Qwen/Qwen3-1.7B");
        world.pass(Duration.ofSeconds(90));
        world.crash();
        world.pass(Duration.ofSeconds(90));

        destroy("second");

        assertThat(rented("second")).isEqualTo(passed().minus(alone).dividedBy(2));
        assertThat(rented("chat").plus(rented("second"))).isEqualTo(passed());
    }

    /** What the rent of a span comes to, and whether all of it has a price. */
    private void isPaid(String deployment, String usd) {
        List<CostReport.Line> rent = world.tuna.cost(deployment).lines().stream()
                .filter(line -> line.backend().equals("router"))
                .toList();
        assertThat(rent).isNotEmpty().allSatisfy(line -> assertThat(line.usd()).isPresent());
        assertThat(rent.stream().map(line -> line.usd().orElseThrow()).reduce(BigDecimal.ZERO, BigDecimal::add))
                .isCloseTo(new BigDecimal(usd), within(new BigDecimal("0.0001")));
    }

    private void tell(String usdPerHour) {
        var unused = world.host
                .orElseThrow()
                .allow(new Allowance(
                        Optional.empty(), Optional.empty(), List.of(), Optional.of(new BigDecimal(usdPerHour))));
    }

    @Test
    void whatTheHostSeesItCostHoldsFromThenOnAlsoInTheNextProgram() {
        deploy(world.start(), "chat", "Qwen/Qwen3-0.6B");
        world.pass(Duration.ofMinutes(10).minus(passed()));
        tell("72");
        tell("72.00");
        world.pass(Duration.ofMinutes(20).minus(passed()));
        world.crash();
        world.pass(Duration.ofMinutes(30).minus(passed()));

        isPaid("chat", "30"); // 10 minutes at 36 an hour, 20 at 72
    }

    @Test
    void aPriceThatNobodyKnewAtFirstHoldsForAllThatIsNotPaid() {
        world.machine = Optional.of(new HostMachine("local-spot", "router", Optional.empty(), since));
        world.start();
        world.pass(Duration.ofMinutes(5));
        tell("36");
        world.crash();
        deploy(world.tuna, "chat", "Qwen/Qwen3-0.6B");
        world.pass(Duration.ofMinutes(10).minus(passed()));

        isPaid("chat", "6");
    }

    @Test
    void whatRunsNowCostsPerHourWithEachOnesPartOfTheMachine() {
        Duration idle = Duration.ofMinutes(30); // nothing else runs then
        Deployment chat = deploy(world.start(), "chat", "Qwen/Qwen3-0.6B");
        world.pass(idle);
        assertThat(chat.cost().usdPerHourNow()).isEqualByComparingTo("36");

        Deployment second = deploy(world.tuna, "second", "Qwen/Qwen3-1.7B");
        world.pass(idle);
        assertThat(chat.cost().usdPerHourNow()).isEqualByComparingTo("18");
        assertThat(second.cost().lines())
                .filteredOn(CostReport.Line::running)
                .singleElement()
                .satisfies(line -> assertThat(line.backend()).isEqualTo("router"));

        destroy("second");
        assertThat(chat.cost().usdPerHourNow()).isEqualByComparingTo("36");
        destroy("chat");
        assertThat(world.tuna.cost("chat").usdPerHourNow()).isZero();
    }

    @Test
    void aMachineWithoutAPriceMakesTheBillIncompleteAtOnce() {
        world.machine = Optional.of(new HostMachine("local-spot", "router", Optional.empty(), since));

        Deployment chat = deploy(world.start(), "chat", "Qwen/Qwen3-0.6B");

        assertThat(chat.cost().complete()).isFalse();
        assertThat(chat.cost().usdPerHourNow()).isZero();
    }
}
