package dev.tuna.examples.command;

import java.util.Locale;

/** How results are printed. */
enum Format {
    /** For people. */
    TABLE,
    /** The records of the API. */
    JSON,
    /** The same table, comma-separated. */
    CSV;

    /** As written on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
