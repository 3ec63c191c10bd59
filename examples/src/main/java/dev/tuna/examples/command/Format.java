package dev.tuna.examples.command;

import java.util.Locale;

/** How results are printed. */
enum Format {
    TABLE,
    JSON;

    /** As written on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
