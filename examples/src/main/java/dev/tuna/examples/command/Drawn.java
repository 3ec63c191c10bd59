package dev.tuna.examples.command;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/** What is drawn so that two of it are never the same. */
final class Drawn {

    private Drawn() {}

    /** The name of a deployment that is given none. */
    static String name() {
        return "tuna-" + digits();
    }

    /** Eight hex digits. */
    static String digits() {
        return HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    }
}
