package dev.tuna.core.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Policies beside each other, on the same traffic, the same markets and the same chance. */
class ReplayTest {

    private static final int SERVERLESS_UNLIMITED = 20;
    private static final int WORKERS = Parameters.MAX_REPLICAS;
    private static final List<String> OURS = List.of("Tuna", "Tuna, first_token_limit 10s");
    private static final String LOWER_BOUND = "lower bound";

    private static List<Supplier<Policy>> policies() {
        return List.of(
                () -> new Ours(OURS.get(0), Optional.empty()),
                () -> new Ours(OURS.get(1), Optional.of(Parameters.TARGET_FIRST_TOKEN)),
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
            outcomes.merge(LOWER_BOUND, LowerBound.of(supply, load, serverlessUsd), Outcome::plus);
        }
        return outcomes;
    }

    /** Weeks, but for the busy traffic, which has more requests in a day than the others in a week. */
    private static int days(String traffic) {
        return traffic.equals("busy") ? 1 : 7;
    }

    private static void table(List<Long> seeds, List<String> traffics, List<String> markets) {
        for (String market : markets) {
            for (String traffic : traffics) {
                for (double usd : Parameters.SERVERLESS_USD) {
                    Map<String, Outcome> outcomes = replay(traffic, market, usd, days(traffic), seeds);
                    System.out.printf(
                            Locale.ROOT,
                            "%n%s market, %s traffic, %d times %d days, containers at $%.2f an hour%n%n",
                            market,
                            traffic,
                            seeds.size(),
                            days(traffic),
                            usd);
                    System.out.println(Outcome.HEAD);
                    outcomes.forEach((name, outcome) -> System.out.println(outcome.row(name)));
                    judge(outcomes);
                }
            }
        }
    }

    /** Nothing fails, and of those that answer as quickly as was asked for nobody is cheaper by more than a hundredth. */
    private static void judge(Map<String, Outcome> outcomes) {
        double cheapest = outcomes.entrySet().stream()
                .filter(entry -> !OURS.contains(entry.getKey())
                        && !entry.getKey().equals(LOWER_BOUND)
                        && entry.getValue().meetsTarget())
                .mapToDouble(entry -> entry.getValue().usd())
                .min()
                .orElse(Double.POSITIVE_INFINITY);
        assertThat(outcomes)
                .hasEntrySatisfying(
                        OURS.get(0), ours -> assertThat(ours.failed()).isZero());
        assertThat(outcomes).hasEntrySatisfying(OURS.get(1), ours -> {
            assertThat(ours.meetsTarget()).isTrue();
            assertThat(ours.usd()).isLessThanOrEqualTo(1.01 * cheapest);
        });
    }

    private static List<String> chosen(String property, String all) {
        return List.of(System.getProperty(property, all).split(",", -1));
    }

    /** To work on policies with; {@code -Dtuna.replay.traffic=} and {@code -Dtuna.replay.market=} choose. */
    @Test
    @Tag("full")
    void trainingSeeds() {
        table(
                Parameters.TRAINING,
                chosen("tuna.replay.traffic", "busy,office,sparse"),
                chosen("tuna.replay.market", "made,recorded"));
    }

    /** The table of docs/fleet-policy.md. */
    @Test
    @Tag("full")
    void heldOutSeeds() {
        table(
                Parameters.HELD_OUT,
                chosen("tuna.replay.traffic", "busy,office,sparse"),
                chosen("tuna.replay.market", "made,recorded"));
    }

    @Test
    @DisplayName("T-02, T-05, T-07: a day in an office, beside the original's policy and others")
    void aDayInAnOffice() {
        Map<String, Outcome> outcomes = replay("office", "made", 0.80, 1, List.of(1L));
        System.out.println(Outcome.HEAD);
        outcomes.forEach((name, outcome) -> System.out.println(outcome.row(name)));
        judge(outcomes);
    }
}
