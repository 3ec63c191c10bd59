package dev.tuna.provider.support;

import java.util.ArrayList;
import java.util.List;

/** Reads server-sent events. Pure. */
final class EventStream {

    private static final String DATA = "data:";

    private EventStream() {}

    /** The data of each event that is there whole, in order; events without data are left out. */
    static List<String> data(String text) {
        List<String> events = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        int from = 0;
        for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
            String line = text.substring(from, end).replaceFirst("\r$", "");
            from = end + 1;
            if (line.startsWith(DATA)) {
                lines.add(line.substring(DATA.length()).replaceFirst("^ ", ""));
            } else if (line.isEmpty() && !lines.isEmpty()) {
                events.add(String.join("\n", lines));
                lines.clear();
            }
        }
        return events;
    }
}
