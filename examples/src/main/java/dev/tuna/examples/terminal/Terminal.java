package dev.tuna.examples.terminal;

import java.io.Console;
import java.io.IOException;
import java.util.Map;

/**
 * What can be done with standard output. Immutable.
 *
 * @param live whether lines can be redrawn in place
 * @param coloured whether text may be coloured
 */
public record Terminal(boolean live, boolean coloured) {

    /** A file, a pipe, a log: lines only. */
    public static final Terminal PLAIN = new Terminal(false, false);

    /**
     * Finds out about this process. Colour is left out when {@code NO_COLOR} is set to anything
     * (<a href="https://no-color.org">no-color.org</a>).
     *
     * @return what standard output is
     */
    public static Terminal detect() {
        return of(isTerminal(), System.getenv());
    }

    /**
     * Whether a person can be asked: standard input is a terminal, even if standard output is a pipe or a file. A console
     * says so only if both are; otherwise the shell is asked, which takes a moment.
     *
     * @return false if it cannot be told
     */
    public static boolean isAttended() {
        return isTerminal() || isInputTerminal();
    }

    private static boolean isInputTerminal() {
        try {
            return new ProcessBuilder("test", "-t", "0")
                            .redirectInput(ProcessBuilder.Redirect.INHERIT)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    static Terminal of(boolean terminal, Map<String, String> environment) {
        boolean live = terminal && !environment.getOrDefault("TERM", "dumb").equals("dumb");
        return new Terminal(
                live, live && environment.getOrDefault("NO_COLOR", "").isEmpty());
    }

    /**
     * Text in a colour.
     *
     * @param colour which
     * @param text what
     * @return the text as it is if there are no colours here
     */
    public String paint(Colour colour, String text) {
        return coloured ? colour.around(text) : text;
    }

    /**
     * Whether a person sits at both ends. Up to Java 21 there is a console only then; later there always is one, and it
     * says whether it is a terminal.
     */
    @SuppressWarnings("SystemConsoleNull") // both cases are told apart
    private static boolean isTerminal() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }
}
