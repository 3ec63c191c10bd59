package dev.tuna.core.store;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** How values of the records look in a column. Pure. */
final class Columns {

    private Columns() {}

    /** Nanoseconds since 1970, exact from 1678 to 2262. */
    static long nanos(Instant instant) {
        return nanos(Duration.between(Instant.EPOCH, instant));
    }

    /** Exact up to 292 years; what a clock far off the mark gives beyond is cut off there rather than lost. */
    static long nanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return duration.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }

    static Instant instant(ResultSet row, String column) throws SQLException {
        return Instant.EPOCH.plusNanos(row.getLong(column));
    }

    static Duration duration(ResultSet row, String column) throws SQLException {
        return Duration.ofNanos(row.getLong(column));
    }

    static OptionalLong number(ResultSet row, String column) throws SQLException {
        long value = row.getLong(column);
        return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(value);
    }

    static Optional<String> text(ResultSet row, String column) throws SQLException {
        return Optional.ofNullable(row.getString(column));
    }

    /** Sets all parameters of a statement: text, whole numbers, or null. */
    static PreparedStatement bind(PreparedStatement statement, @Nullable Object... values) throws SQLException {
        for (int i = 0; i < values.length; i++) {
            Object value = values[i];
            if (value == null) {
                statement.setNull(i + 1, Types.NULL);
            } else if (value instanceof Long number) {
                statement.setLong(i + 1, number);
            } else {
                statement.setString(i + 1, value.toString());
            }
        }
        return statement;
    }

    static @Nullable Long orNull(OptionalLong value) {
        return value.isPresent() ? value.getAsLong() : null;
    }
}
