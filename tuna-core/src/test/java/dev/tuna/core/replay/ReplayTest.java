package dev.tuna.core.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Policies beside each other, on the same traffic, the same markets and the same chance. */
class ReplayTest {

    private static final int SERVERLESS_UNLIMITED = 20;
    private static final int WORKERS = Parameters.MAX_REPLICAS;

    private static List<Supplier<Policy>> policies() {
        return List.of(
                () -> new Ours("Tuna", Optional.empty()),
                () -> new Ours("Tuna, first token within 10 s", Optional.of(Parameters.TARGET_FIRST_TOKEN)),
                Original::new,
                SkyServe::new,
                AllServerless::new,
                AllOnDemand::new);
    }

    private static Load load(String name, long seed, int days) {
        return switch (name) {
            case "busy" -> Load.busy(seed, days);
            case "office" -> Load.office(seed, days);
            default -> Load.sparse(seed, days);
        };
    }

    private static Supply supply(String market, long seed, int days) {
        return market.equals("made") ? SyntheticSpot.supply(seed, days) : BambooSpot.supply(seed, days);
    }

    /** All policies over some seeds, added up. */
    private static Map<String, Outcome> replay(
            String traffic, String market, double serverlessUsd, int days, List<Long> seeds) {
        var outcomes = new LinkedHashMap<String, Outcome>();
        for (long seed : seeds) {
            Load load = load(traffic, seed, days);
            Supply supply = supply(market, seed, days);
            for (Supplier<Policy> each : policies()) {
                Policy policy = each.get();
                int workers = policy instanceof AllServerless ? SERVERLESS_UNLIMITED : WORKERS;
                outcomes.merge(
                        policy.name(), World.replay(supply, load, serverlessUsd, workers, policy, seed), Outcome::plus);
            }
            outcomes.merge("lower bound", LowerBound.of(supply, load, serverlessUsd), Outcome::plus);
        }
        return outcomes;
    }

    private static void table(List<Long> seeds, List<String> traffics, List<String> markets, int days) {
        var lines = new ArrayList<String>();
        for (String market : markets) {
            for (String traffic : traffics) {
                for (double usd : Parameters.SERVERLESS_USD) {
                    Map<String, Outcome> outcomes = replay(traffic, market, usd, days, seeds);
                    lines.add(String.format(
                            Locale.ROOT,
                            "%n%s market, %s traffic, containers at $%.2f an hour:",
                            market,
                            traffic,
                            usd));
                    outcomes.forEach((name, outcome) -> lines.add(outcome.row(name)));
                    lines.forEach(System.out::println);
                    lines.clear();
                }
            }
        }
    }

    @Test
    @Tag("full")
    void training() {
        String traffic = System.getProperty("tuna.replay.traffic", "busy,office,sparse");
        String market = System.getProperty("tuna.replay.market", "made,recorded");
        table(
                Parameters.TRAINING,
                List.of(traffic.split(",", -1)),
                List.of(market.split(",", -1)),
                Integer.getInteger("tuna.replay.days", 3));
    }

    @Test
    void aDayOfOurs() {
        Map<String, Outcome> outcomes = replay("office", "made", 0.80, 1, List.of(1L));
        outcomes.forEach((name, outcome) -> System.out.println(outcome.row(name)));
        assertThat(outcomes)
                .hasEntrySatisfying("Tuna", ours -> assertThat(ours.failed()).isZero());
    }
}
