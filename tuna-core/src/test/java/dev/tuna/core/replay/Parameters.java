package dev.tuna.core.replay;

import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;

/**
 * What the replay takes for granted, the same for every policy. Fixed before any policy was tuned: who changes a figure here
 * has to replay everything.
 *
 * <p>The machine is a g6.xlarge (one L4) and a small model that it serves well. Times to boot and cold starts are middle
 * values; each single one is drawn from a log-normal distribution around them.
 */
final class Parameters {

    /** Dollars per hour of a g6.xlarge on demand; the list price in us-east-1, taken for every region. */
    static final double ON_DEMAND_USD = 0.805;

    /** Dollars per hour of one serverless L4 container: Modal's list price without CPU and memory, and Cloud Run's usual shape. */
    static final double[] SERVERLESS_USD = {0.80, 1.42};

    /** Spot prices as a share of the on-demand price: each zone's mean is drawn from this range. */
    static final double SPOT_SHARE_LOW = 0.35;

    static final double SPOT_SHARE_HIGH = 0.55;

    /** How far a zone's price strays from its mean (standard deviation of its logarithm), and how long it stays there. */
    static final double PRICE_SPREAD = 0.08;

    static final double PRICE_MEMORY_HOURS = 24;

    /** From launch to the first readiness request passed, billed all the while. */
    static final double BOOT_SECONDS = 300;

    static final double BOOT_SPREAD = 0.2;

    /** From the first request to a serverless container that answers, billed all the while. */
    static final double COLD_START_SECONDS = 60;

    static final double COLD_START_SPREAD = 0.3;

    /** How long an idle container stays and is billed; the policy's default. */
    static final double SCALEDOWN_SECONDS = 60;

    /** Requests that one machine or container works on at once; the rest waits. */
    static final int CONCURRENCY = 32;

    /** First token after this, and this per token of the prompt, of a request that is let in. */
    static final double FIRST_TOKEN_SECONDS = 0.15;

    static final double PROMPT_TOKENS_PER_SECOND = 4000;

    /** Tokens that one stream generates in a second, alone or among others. */
    static final double TOKENS_PER_SECOND = 40;

    /** What every policy is configured with: some 70 % of what a machine can do. */
    static final double TARGET_QPS = 4;

    static final int MAX_REPLICAS = 5;

    /** Share of interruptions that are announced, and how long before; "best effort" is all that the cloud promises. */
    static final double NOTICE_SHARE = 0.9;

    static final double NOTICE_SECONDS = 120;

    /** Who waits longer than this for a first token has failed. */
    static final double PATIENCE_SECONDS = 600;

    /** The target that policies are compared at: this share of requests has its first token within ten seconds. */
    static final double TARGET_SHARE = 0.99;

    static final Duration TARGET_FIRST_TOKEN = Duration.ofSeconds(10);

    /** Seeds to look at while a policy is worked on. */
    static final List<Long> TRAINING = LongStream.rangeClosed(1, 3).boxed().toList();

    /** Seeds of the table, not looked at before. */
    static final List<Long> HELD_OUT = LongStream.rangeClosed(101, 105).boxed().toList();

    private Parameters() {}
}
