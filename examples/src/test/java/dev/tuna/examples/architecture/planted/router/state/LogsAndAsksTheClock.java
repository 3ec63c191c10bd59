package dev.tuna.examples.architecture.planted.router.state;

import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

final class LogsAndAsksTheClock {

    private static final Logger LOG = LoggerFactory.getLogger(LogsAndAsksTheClock.class);

    Supplier<Instant> clock() {
        LOG.debug("{}", ThreadLocalRandom.current().nextInt());
        return Instant::now;
    }
}
