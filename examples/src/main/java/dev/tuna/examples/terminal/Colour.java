package dev.tuna.examples.terminal;

/** The few ways in which text stands out. */
public enum Colour {
    /** All is well. */
    GREEN("32"),
    /** Under way, or worth a look. */
    YELLOW("33"),
    /** Broken. */
    RED("31"),
    /** A heading. */
    BOLD("1"),
    /** Of little weight. */
    DIM("2");

    private final String code;

    Colour(String code) {
        this.code = code;
    }

    String around(String text) {
        return "\u001b[" + code + "m" + text + "\u001b[0m";
    }
}
