package dev.tuna.core.replay;

import dev.tuna.api.Tier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** A rented machine or a serverless container, and what it works on. Confined to one replay. */
final class Machine {

    /** No such moment. */
    static final long NEVER = Long.MAX_VALUE;

    final int id;
    final Tier tier;

    /** Where it is; -1 for a serverless container. */
    final int zone;

    final long askedAt;

    /** When it begins to serve, as the replay knows and nobody else before it comes. */
    final long readyAt;

    boolean ready;
    boolean draining;
    boolean gone;

    /** When it will be taken, if it will. */
    long lostAt = NEVER;

    /** When it will be taken, as its cloud has said. */
    long noticeOf = NEVER;

    /** Since when it gets nothing new. */
    long drainingSince;

    /** When it last had something to do. */
    long busyAt;

    int inFlight;
    final List<Job> working = new ArrayList<>();

    /** Sent to it and not yet let in; only of policies that do not look at what a machine can do. */
    final ArrayDeque<Job> queue = new ArrayDeque<>();

    Machine(int id, Tier tier, int zone, long askedAt, long readyAt) {
        this.id = id;
        this.tier = tier;
        this.zone = zone;
        this.askedAt = askedAt;
        this.readyAt = readyAt;
        this.busyAt = readyAt;
    }

    boolean hasRoom() {
        return inFlight < Parameters.CONCURRENCY;
    }

    boolean takesWork() {
        return ready && !draining && !gone;
    }
}
