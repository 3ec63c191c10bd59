package dev.tuna.router.admin;

import java.util.Locale;

/** How pages, meters and events name constants. */
final class Labels {

    private Labels() {}

    static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
