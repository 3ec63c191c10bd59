package dev.tuna.provider.modal;

import dev.tuna.api.Secret;
import dev.tuna.spi.SecretStore;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What Modal's command line is run with: which program, which interpreter, which variables. Credentials go into the child's
 * environment, which other users cannot see, and never into its arguments. Thread-safe.
 */
final class CliEnvironment {

    static final String TOKEN_ID = "MODAL_TOKEN_ID";
    static final String TOKEN_SECRET = "MODAL_TOKEN_SECRET";

    private static final String COMMAND = "modal";

    /** Written for paths that are too long for the first line of a script. */
    private static final Pattern LONG_PATH = Pattern.compile("'''exec' \"?([^\"]+?)\"? \"\\$0\" \"\\$@\"");

    private final ModalSettings settings;
    private final SecretStore secrets;
    private final Map<String, String> inherited;

    /**
     * Reads nothing yet.
     *
     * @param inherited this process's own environment
     */
    CliEnvironment(ModalSettings settings, SecretStore secrets, Map<String, String> inherited) {
        this.settings = settings;
        this.secrets = secrets;
        this.inherited = Map.copyOf(inherited);
    }

    /** The words that begin every command. */
    List<String> cli() {
        if (settings.cli().isEmpty() && settings.python().isPresent()) {
            return List.of(settings.python().get(), "-m", COMMAND);
        }
        return List.of(settings.cli().orElse(COMMAND));
    }

    /** An interpreter that can import Modal's package. */
    List<String> python() {
        return settings.python()
                .map(List::of)
                .or(() -> locate(settings.cli().orElse(COMMAND)).flatMap(CliEnvironment::interpreter))
                .orElseGet(() -> List.of("python3"));
    }

    /** The API token, unless the command line is to find one itself. */
    Optional<Map<String, Secret>> token() {
        Optional<Secret> id = secrets.get(settings.tokenId());
        Optional<Secret> secret = secrets.get(settings.tokenSecret());
        return id.isPresent() && secret.isPresent()
                ? Optional.of(Map.of(TOKEN_ID, id.get(), TOKEN_SECRET, secret.get()))
                : Optional.empty();
    }

    /** Everything that must never be shown. */
    List<Secret> secrets() {
        List<Secret> all = new ArrayList<>();
        token().ifPresent(token -> all.addAll(token.values()));
        secrets.get(settings.proxyToken()).ifPresent(all::add);
        for (String variable : List.of(TOKEN_ID, TOKEN_SECRET)) {
            Optional.ofNullable(inherited.get(variable))
                    .filter(value -> !value.isEmpty())
                    .map(Secret::of)
                    .ifPresent(all::add);
        }
        return all;
    }

    /** The child's whole environment. */
    Map<String, String> variables() {
        Map<String, String> variables = new LinkedHashMap<>(inherited);
        // Either of them makes the output something else than text.
        variables.remove("FORCE_COLOR");
        variables.remove("CLICOLOR_FORCE");
        variables.put("NO_COLOR", "1");
        // Without a terminal lines are cut at 80 columns, and with them web addresses.
        variables.put("COLUMNS", "1000");
        variables.put("PYTHONIOENCODING", "utf-8");
        variables.put("PYTHONUNBUFFERED", "1");
        settings.environment().ifPresent(name -> variables.put("MODAL_ENVIRONMENT", name));
        settings.profile().ifPresent(name -> variables.put("MODAL_PROFILE", name));
        token().ifPresent(token -> token.forEach((variable, value) -> variables.put(variable, value.reveal())));
        return variables;
    }

    private Optional<Path> locate(String command) {
        try {
            if (command.contains("/") || command.contains(File.separator)) {
                return Optional.of(Path.of(command));
            }
            return Arrays.stream(Objects.requireNonNullElse(inherited.get("PATH"), "")
                            .split(File.pathSeparator))
                    .filter(directory -> !directory.isEmpty())
                    .map(directory -> Path.of(directory).resolve(command))
                    .filter(Files::isExecutable)
                    .findFirst();
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    /** The one that the script's first lines name; empty if they name none that runs Python. */
    private static Optional<List<String>> interpreter(Path script) {
        try (BufferedReader lines = Files.newBufferedReader(script, StandardCharsets.ISO_8859_1)) {
            String first = Objects.requireNonNullElse(lines.readLine(), "");
            String second = Objects.requireNonNullElse(lines.readLine(), "");
            Matcher longPath = LONG_PATH.matcher(second);
            if (longPath.find()) {
                return Optional.of(List.of(longPath.group(1)));
            }
            List<String> words =
                    Arrays.asList(first.replaceFirst("^#!\\s*", "").strip().split("\\s+"));
            String program = words.get(words.size() - 1);
            return first.startsWith("#!") && program.contains("python") ? Optional.of(words) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
