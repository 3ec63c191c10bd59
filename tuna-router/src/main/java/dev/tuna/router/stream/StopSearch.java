package dev.tuna.router.stream;

import java.util.List;
import java.util.Optional;

/**
 * Looks for stop strings that may lie across a seam, and holds text back as the server would have: as much as could be the
 * beginning of one. Confined to one stream.
 */
public final class StopSearch {

    private final List<String> stops;
    private final boolean includeStop;
    private final int heldBack;
    private final StringBuilder text = new StringBuilder();
    private int released;
    private Optional<String> found = Optional.empty();

    /**
     * Goes on behind a seam.
     *
     * @param asked the stop strings
     * @param before the last text generated before the seam, as much as the server held back or, if it held nothing back,
     *     as much as could belong to a stop string
     */
    public StopSearch(StreamRequest asked, String before) {
        stops = asked.stop();
        includeStop = asked.includeStop();
        heldBack = asked.heldBack();
        text.append(before);
        released = includeStop ? text.length() : 0;
    }

    /**
     * Adds text.
     *
     * @param more what was generated
     * @param mayStop whether enough tokens have been generated to stop
     * @param last whether nothing follows
     * @return what the client may be shown now
     */
    public String add(String more, boolean mayStop, boolean last) {
        int before = text.length();
        text.append(more);
        if (mayStop && cutAtStop(before)) {
            return release(text.length());
        }
        return release(last || includeStop ? text.length() : withoutLast(heldBack));
    }

    /**
     * The stop string that ended the text.
     *
     * @return empty if none has been found
     */
    public Optional<String> found() {
        return found;
    }

    private boolean cutAtStop(int before) {
        for (String stop : stops) {
            int at = text.indexOf(stop, Math.max(0, before - stop.length() + 1));
            if (at >= 0) {
                text.setLength(includeStop ? at + stop.length() : at);
                found = Optional.of(stop);
                return true;
            }
        }
        return false;
    }

    private int withoutLast(int codePoints) {
        int most = text.codePointCount(0, text.length());
        return most <= codePoints ? 0 : text.offsetByCodePoints(text.length(), -codePoints);
    }

    private String release(int end) {
        String fresh = end > released ? text.substring(released, end) : "";
        released = Math.max(released, end);
        forgetShown();
        return fresh;
    }

    /** Keeps as much as may yet belong to a stop string, so that the length of an answer does not matter. */
    private void forgetShown() {
        int needless =
                Math.min(released, text.length() - Character.charCount(Character.MAX_CODE_POINT) * (heldBack + 1));
        if (needless > 0) {
            text.delete(0, needless);
            released -= needless;
        }
    }
}
