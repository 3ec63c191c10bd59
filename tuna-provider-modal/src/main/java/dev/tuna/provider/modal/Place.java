package dev.tuna.provider.modal;

import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Pattern;

/** Where containers may run, as far as it changes the price (modal.com/docs/guide/region-selection, read 2026-11-23). */
enum Place {
    /** Anywhere. */
    ANY('a', "1"),
    /** In a broad region such as {@code us}. */
    BROAD('b', "1.5"),
    /** In a narrow one such as {@code us-east}, or in one cloud's such as {@code us-east-1}. */
    NARROW('n', "1.75");

    /** The form that all of Modal's region names have; it alone knows which exist. */
    static final Pattern REGION = Pattern.compile("[a-z]{2,20}(-[a-z]+)*(-?\\d{1,2})?");

    private final char letter;
    private final BigDecimal multiplier;

    Place(char letter, String multiplier) {
        this.letter = letter;
        this.multiplier = new BigDecimal(multiplier);
    }

    static Place of(Optional<String> region) {
        return region.map(name -> name.length() == 2 ? BROAD : NARROW).orElse(ANY);
    }

    static Place of(char letter) {
        for (Place place : values()) {
            if (place.letter == letter) {
                return place;
            }
        }
        throw new IllegalArgumentException("no place has the letter " + letter);
    }

    /** Its sign in a deployment's tag. */
    char letter() {
        return letter;
    }

    /** What everything costs there, as a multiple. */
    BigDecimal multiplier() {
        return multiplier;
    }
}
