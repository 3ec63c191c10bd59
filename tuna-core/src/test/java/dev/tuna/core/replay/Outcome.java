package dev.tuna.core.replay;

import java.util.Locale;

/**
 * What a replay came to.
 *
 * @param requests requests that came
 * @param failed those that got no answer, or not all of it
 * @param within2 those with a first token within 2 s
 * @param within10 those with a first token within 10 s
 * @param spotUsd spent on spot machines
 * @param onDemandUsd spent on machines at list price
 * @param serverlessUsd spent on containers
 * @param launches machines that were launched
 * @param losses machines that were taken
 */
record Outcome(
        long requests,
        long failed,
        long within2,
        long within10,
        double spotUsd,
        double onDemandUsd,
        double serverlessUsd,
        int launches,
        int losses) {

    static final String HEAD = """
            | policy | dollars | spot / on demand / serverless | first token in 2 s | in 10 s | failed | launches / losses |
            |---|---|---|---|---|---|---|""";

    double usd() {
        return spotUsd + onDemandUsd + serverlessUsd;
    }

    double share2() {
        return requests == 0 ? 1 : (double) within2 / requests;
    }

    double share10() {
        return requests == 0 ? 1 : (double) within10 / requests;
    }

    /** Whether it is good enough to be compared by its price. */
    boolean meetsTarget() {
        return failed == 0 && share10() >= Parameters.TARGET_SHARE;
    }

    Outcome plus(Outcome other) {
        return new Outcome(
                requests + other.requests,
                failed + other.failed,
                within2 + other.within2,
                within10 + other.within10,
                spotUsd + other.spotUsd,
                onDemandUsd + other.onDemandUsd,
                serverlessUsd + other.serverlessUsd,
                launches + other.launches,
                losses + other.losses);
    }

    String row(String name) {
        return String.format(
                Locale.ROOT,
                "| %s | %.2f | %.2f / %.2f / %.2f | %.2f %% | %.2f %% | %d | %d / %d |",
                name,
                usd(),
                spotUsd,
                onDemandUsd,
                serverlessUsd,
                100 * share2(),
                100 * share10(),
                failed,
                launches,
                losses);
    }
}
