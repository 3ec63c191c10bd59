package dev.tuna.testkit.baseten;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How a start command becomes a process: supervisor splits it, and a shell in it reads secrets from files. Pure. */
final class ShellWords {

    private static final Pattern COMMENT = Pattern.compile("\\s[;#].*");
    private static final Pattern EXPORT =
            Pattern.compile("export ([A-Za-z_][A-Za-z0-9_]*)=\"\\$\\(cat ([^)]*)\\)\" && ");

    private ShellWords() {}

    /**
     * A process.
     *
     * @param words program and arguments
     * @param environment what the shell exported
     */
    record Command(List<String> words, Map<String, String> environment) {}

    /**
     * Reads a start command.
     *
     * @param line what the configuration says
     * @param files path to content
     * @throws Refusal if nothing could be run
     */
    static Command read(String line, Map<String, String> files) {
        if (line.contains("%")) {
            throw Refusal.bad("docker_server.start_command: invalid interpolation syntax");
        }
        List<String> words = split(COMMENT.matcher(line).replaceFirst(""));
        Map<String, String> environment = new HashMap<>();
        if (words.size() == 3 && words.get(0).equals("sh") && words.get(1).equals("-c")) {
            String script = words.get(2);
            Matcher export = EXPORT.matcher(script);
            while (export.lookingAt()) {
                String file = split(export.group(2)).get(0);
                environment.put(export.group(1), files.getOrDefault(file, ""));
                script = script.substring(export.end());
                export.reset(script);
            }
            words = split(script.replaceFirst("^exec ", ""));
        }
        return new Command(words, environment);
    }

    /** As Python's shlex does it: blanks part words, quotes and backslashes keep them together. */
    static List<String> split(String text) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean begun = false;
        char quote = 0;
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (quote == 0 && Character.isWhitespace(c)) {
                if (begun) {
                    words.add(word.toString());
                    word.setLength(0);
                }
                begun = false;
            } else if (quote == 0 && (c == '\'' || c == '"')) {
                quote = c;
                begun = true;
            } else if (c == quote) {
                quote = 0;
            } else if (c == '\\' && quote != '\'' && at + 1 < text.length()) {
                word.append(text.charAt(++at));
                begun = true;
            } else {
                word.append(c);
                begun = true;
            }
        }
        if (quote != 0) {
            throw Refusal.bad("docker_server.start_command: No closing quotation");
        }
        if (begun) {
            words.add(word.toString());
        }
        return words;
    }
}
