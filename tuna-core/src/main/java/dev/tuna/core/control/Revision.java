package dev.tuna.core.control;

import java.time.Instant;

/**
 * Which of the requests that came under one name a {@link Managed} serves. Immutable.
 *
 * @param account id of the first one: what all of them are billed under, and what the clients' key is kept under
 * @param number 1 for the first
 * @param numbers the highest number given under the name so far, as this one knows it: none is given twice
 * @param outside what providers call the deployment: the name itself for the first one, so that no two revisions share a
 *     resource
 * @param askedAt when it was asked for
 * @param since from when on its time to come to serve counts: when it was asked for, or when this process took it up
 * @param role its part at the moment
 * @param accompanied whether another revision of the name is not over yet; not stored
 */
record Revision(
        String account,
        int number,
        int numbers,
        String outside,
        Instant askedAt,
        Now since,
        Role role,
        boolean accompanied) {

    static Revision first(String id, String name, Now now) {
        return new Revision(id, 1, 1, name, now.wall(), now, Role.CURRENT, false);
    }

    /** The one that is to follow this one. */
    Revision next(int numbered, String called, Now now) {
        return new Revision(account, numbered, numbered, called, now.wall(), now, Role.SUCCESSOR, true);
    }

    Revision as(Role next) {
        return new Revision(account, number, numbers, outside, askedAt, since, next, accompanied);
    }

    Revision accompanied(boolean now) {
        return new Revision(account, number, numbers, outside, askedAt, since, role, now);
    }

    /** Another number was given. */
    Revision knowing(int given) {
        return new Revision(account, number, given, outside, askedAt, since, role, accompanied);
    }

    /** The name of the so-manyth endpoint. */
    String endpoint(String provider, int ordinal) {
        return backend(ordinal == 1 ? provider : provider + "-" + ordinal);
    }

    /** The name of the so-manyth replica. */
    String replica(int ordinal) {
        return backend("replica-" + ordinal);
    }

    /** Unique among all revisions: the route may have backends of several. */
    private String backend(String plain) {
        return number == 1 ? plain : "r" + number + "-" + plain;
    }

    boolean isCurrent() {
        return role == Role.CURRENT;
    }

    /** The parts that a revision can have. */
    enum Role {
        /** It has the name: its backends take the requests. */
        CURRENT,
        /** It is brought up to take over. */
        SUCCESSOR,
        /** It was replaced or given up, and is being removed. */
        FORMER
    }
}
