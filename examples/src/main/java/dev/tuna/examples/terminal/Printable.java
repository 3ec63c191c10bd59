package dev.tuna.examples.terminal;

/**
 * Text of others (providers, containers, logs) made harmless for a terminal: what could move the cursor, recolour, retitle or
 * reverse what is read is shown as a replacement character. Pure.
 */
public final class Printable {

    private static final char REPLACEMENT = '\uFFFD';

    private Printable() {}

    /**
     * One line, whatever is in it.
     *
     * @param text of anybody
     * @return the text; line breaks are blanks, tabs stay, other control characters are replaced
     */
    public static String line(String text) {
        return text(text.replaceAll("\\R", " "));
    }

    /**
     * As many lines as it has.
     *
     * @param text of anybody
     * @return the text; line feeds and tabs stay, other control characters are replaced
     */
    public static String text(String text) {
        if (text.chars().noneMatch(each -> isReplaced((char) each))) {
            return text;
        }
        var printable = new StringBuilder(text.length());
        text.chars().forEach(each -> printable.append(isReplaced((char) each) ? REPLACEMENT : (char) each));
        return printable.toString();
    }

    private static boolean isReplaced(char each) {
        boolean control = Character.isISOControl(each) && each != '\t' && each != '\n';
        boolean reverses = (each >= '\u202A' && each <= '\u202E') || (each >= '\u2066' && each <= '\u2069');
        return control || reverses;
    }
}
