package dev.tuna.core.text;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Guesses what somebody meant who wrote a name that does not exist. Pure. */
public final class Suggestions {

    private static final int SHOWN = 3;

    private Suggestions() {}

    /**
     * The names that are at most a third of their letters away, case aside, or begin with what was written.
     *
     * @param written what was written
     * @param names what exists
     * @return the nearest names first, three at the most, possibly none
     */
    public static List<String> nearest(String written, Collection<String> names) {
        String word = written.toLowerCase(Locale.ROOT);
        return names.stream()
                .filter(name -> isNear(word, name.toLowerCase(Locale.ROOT)))
                .sorted(Comparator.<String>comparingInt(name -> distance(word, name.toLowerCase(Locale.ROOT)))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(SHOWN)
                .toList();
    }

    /**
     * The nearest names as the beginning of a sentence.
     *
     * @param written what was written
     * @param names what exists
     * @return for instance {@code did you mean 'L4'? }, or the empty text if nothing is near
     */
    public static String didYouMean(String written, Collection<String> names) {
        List<String> near = nearest(written, names);
        return near.isEmpty() ? "" : near.stream().collect(Collectors.joining("' or '", "did you mean '", "'? "));
    }

    private static boolean isNear(String word, String name) {
        return distance(word, name) <= Math.max(1, name.length() / 3) || (word.length() > 1 && name.startsWith(word));
    }

    /** Levenshtein: inserted, removed and changed letters. */
    private static int distance(String from, String to) {
        int[] row = new int[to.length() + 1];
        for (int column = 0; column < row.length; column++) {
            row[column] = column;
        }
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int changed = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[to.length()];
    }
}
