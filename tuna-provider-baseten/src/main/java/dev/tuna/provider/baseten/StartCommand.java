package dev.tuna.provider.baseten;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A command line as Baseten runs it: split like a shell would, but by no shell, from a line of supervisor's configuration
 * (basetenlabs/truss, {@code serving_image_builder.py}). Where values have to come out of files there is a shell in it. Pure.
 */
final class StartCommand {

    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_@+=:,./-]+");

    /** Supervisor cuts a line off where a blank and one of these follow each other, quoted or not. */
    private static final Pattern COMMENT = Pattern.compile("\\s[;#]");

    private StartCommand() {}

    /**
     * What a word has in it that cannot be passed on.
     *
     * @return one sentence for each such word
     */
    static List<String> problems(List<String> words) {
        List<String> problems = new ArrayList<>();
        for (String word : words) {
            if (word.chars().anyMatch(c -> c < ' ' || c == 0x7f)) {
                problems.add("an engine argument has a line break or another control character in it; leave it out");
            } else if (word.contains("%") || COMMENT.matcher(" " + word).find()) {
                problems.add("engine argument '" + word + "' has a '%' in it, or a ';' or '#' behind a blank, which"
                        + " Baseten's supervisor reads as its own; put the value into a vLLM config file");
            }
        }
        return problems;
    }

    /**
     * The line.
     *
     * @param words program and arguments
     * @param files environment variable to the file that holds its value
     */
    static String line(List<String> words, Map<String, String> files) {
        String command = quoted(words);
        if (files.isEmpty()) {
            return command;
        }
        StringBuilder script = new StringBuilder();
        new TreeMap<>(files)
                .forEach((variable, file) -> script.append("export ")
                        .append(variable)
                        .append("=\"$(cat ")
                        .append(quote(file))
                        .append(")\" && "));
        return "sh -c " + quote(script.append("exec ").append(command).toString());
    }

    private static String quoted(List<String> words) {
        List<String> each = words.stream().map(StartCommand::quote).toList();
        return String.join(" ", each);
    }

    private static String quote(String word) {
        return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\"'\"'") + "'";
    }
}
