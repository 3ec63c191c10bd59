package dev.tuna.spot.aws.channel;

import java.time.Duration;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * How long a replica is waited for. Immutable.
 *
 * @param connect for a connection
 * @param exchange for a handshake, and for each question with its answer
 * @param ticker nanoseconds, as {@link System#nanoTime()}
 */
public record ChannelTimes(Duration connect, Duration exchange, LongSupplier ticker) {

    /** Two seconds to connect and five for an answer, by this machine's ticks. */
    public static final ChannelTimes DEFAULT =
            new ChannelTimes(Duration.ofSeconds(2), Duration.ofSeconds(5), System::nanoTime);

    /** Checks that every part is there. */
    public ChannelTimes {
        Objects.requireNonNull(connect, "connect");
        Objects.requireNonNull(exchange, "exchange");
        Objects.requireNonNull(ticker, "ticker");
    }
}
