package dev.tuna.testkit.modal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The commands of Modal's command line 1.5.4 that Tuna has a use for: how many arguments each takes and which options, as
 * its own help tells. Pure.
 */
final class ModalGrammar {

    private static final Set<String> NONE = Set.of();
    private static final Set<String> ENVIRONMENT = Set.of("--env", "-e");

    private static final Map<String, Rule> RULES = Map.ofEntries(
            Map.entry("--version", new Rule(0, 0, NONE, NONE)),
            Map.entry(
                    "deploy",
                    new Rule(
                            1,
                            1,
                            Set.of("--stream-logs", "--timestamps", "-m"),
                            Set.of("--name", "--env", "-e", "--tag", "--strategy"))),
            Map.entry("app list", new Rule(0, 0, Set.of("--json"), ENVIRONMENT)),
            Map.entry("app history", new Rule(1, 1, Set.of("--json"), ENVIRONMENT)),
            Map.entry("app stop", new Rule(1, 1, Set.of("--yes", "-y"), ENVIRONMENT)),
            Map.entry("app rollover", new Rule(1, 1, NONE, Set.of("--strategy", "--env", "-e"))),
            Map.entry(
                    "app logs",
                    new Rule(
                            1,
                            1,
                            Set.of(
                                    "-f",
                                    "--follow",
                                    "--timestamps",
                                    "--show-function-id",
                                    "--show-function-call-id",
                                    "--show-container-id"),
                            Set.of(
                                    "--since",
                                    "--until",
                                    "-n",
                                    "--tail",
                                    "--search",
                                    "--function",
                                    "--function-call",
                                    "--container",
                                    "-s",
                                    "--source",
                                    "--env",
                                    "-e"))),
            Map.entry("container list", new Rule(0, 0, Set.of("--json"), Set.of("--app-id", "--env", "-e"))),
            Map.entry("environment list", new Rule(0, 0, Set.of("--json"), NONE)),
            Map.entry("token info", new Rule(0, 0, NONE, NONE)),
            Map.entry("config show", new Rule(0, 0, NONE, NONE)),
            Map.entry("billing rates", new Rule(0, 0, Set.of("--json"), NONE)),
            Map.entry("volume list", new Rule(0, 0, Set.of("--json"), ENVIRONMENT)),
            Map.entry("volume ls", new Rule(1, 2, Set.of("--json"), ENVIRONMENT)),
            Map.entry("volume rm", new Rule(2, 2, Set.of("-r", "--recursive"), ENVIRONMENT)),
            Map.entry("volume delete", new Rule(1, 1, Set.of("--yes", "-y", "--allow-missing"), ENVIRONMENT)),
            Map.entry("workspace proxy-tokens create", new Rule(0, 0, Set.of("--json"), NONE)),
            Map.entry("workspace proxy-tokens list", new Rule(0, 0, Set.of("--json"), Set.of("-e", "--environment"))),
            Map.entry("workspace proxy-tokens delete", new Rule(1, 1, Set.of("--yes", "-y"), NONE)),
            Map.entry("workspace proxy-tokens allow", new Rule(2, 2, NONE, NONE)));

    private ModalGrammar() {}

    /** What a command takes: arguments, options without a value, options with one. */
    private record Rule(int least, int most, Set<String> switches, Set<String> valued) {}

    /**
     * A command, read.
     *
     * @param name its own words, for instance {@code app stop}
     * @param arguments what it is about
     * @param switches options without a value
     * @param options options with one
     */
    record Parsed(String name, List<String> arguments, Set<String> switches, Map<String, String> options) {}

    /** A command line that is refused with exit status 2. */
    static final class UsageError extends Exception {
        private static final long serialVersionUID = 1L;

        UsageError(String message) {
            super(message);
        }
    }

    /** Reads a command. */
    static Parsed parse(List<String> words) throws UsageError {
        for (int length = Math.min(3, words.size()); length > 0; length--) {
            String name = String.join(" ", words.subList(0, length));
            Optional<Rule> rule = Optional.ofNullable(RULES.get(name));
            if (rule.isPresent()) {
                return parse(name, rule.get(), words.subList(length, words.size()));
            }
        }
        throw new UsageError("No such command '" + String.join(" ", words) + "'.");
    }

    private static Parsed parse(String name, Rule rule, List<String> rest) throws UsageError {
        List<String> arguments = new ArrayList<>();
        Set<String> switches = new TreeSet<>();
        Map<String, String> options = new TreeMap<>();
        for (int at = 0; at < rest.size(); at++) {
            String word = rest.get(at);
            if (rule.switches().contains(word)) {
                switches.add(word);
            } else if (rule.valued().contains(word)) {
                at++;
                if (at == rest.size()) {
                    throw new UsageError("Option '" + word + "' requires an argument.");
                }
                options.put(word, rest.get(at));
            } else if (word.startsWith("-")) {
                throw new UsageError("No such option: " + word);
            } else {
                arguments.add(word);
            }
        }
        if (arguments.size() < rule.least()) {
            throw new UsageError("Missing argument.");
        }
        if (arguments.size() > rule.most()) {
            throw new UsageError("Got unexpected extra argument (" + arguments.get(rule.most()) + ")");
        }
        return new Parsed(name, List.copyOf(arguments), Set.copyOf(switches), Map.copyOf(options));
    }
}
