package dev.tuna.api;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Gathers everything wrong with one value, so that a user mends it in one go. Confined to one constructor call. */
final class Problems {

    private final String subject;
    private final List<String> found = new ArrayList<>();

    Problems(String subject) {
        this.subject = subject;
    }

    void check(boolean holds, String field, Object value, String allowed) {
        if (!holds) {
            found.add(field + " is '" + value + "' but must be " + allowed);
        }
    }

    void atLeast(String field, long value, long least) {
        check(value >= least, field, value, least + " or more");
    }

    void notNegative(String field, Duration value) {
        check(!value.isNegative(), field, value, "zero or longer");
    }

    void positive(String field, Duration value) {
        check(!value.isNegative() && !value.isZero(), field, value, "longer than zero");
    }

    void notBlank(String field, String value, String example) {
        check(!value.isBlank(), field, value, "set, for instance '" + example + "'");
    }

    void throwIfAny() {
        if (!found.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, subject, found);
        }
    }
}
