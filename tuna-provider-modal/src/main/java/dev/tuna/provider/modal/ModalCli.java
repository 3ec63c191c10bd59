package dev.tuna.provider.modal;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Redaction;
import dev.tuna.spi.LogLine;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
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
 * Modal's own command line, which is the way in that Modal supports. Checked against 1.5.4; what changed between 1.4 and
 * that is understood both ways. Thread-safe.
 */
final class ModalCli implements ModalApi {

    private static final Pattern VERSION = Pattern.compile("(\\d+\\.\\d+\\.\\d+\\S*)");

    private static final Pattern COLOUR = Pattern.compile("\u001B\\[[0-9;]*[A-Za-z]");

    /** When, in which container, what. */
    private static final Pattern LOG_LINE = Pattern.compile(
            "(\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:Z|[+-]\\d\\d:\\d\\d)?) (?:(ta-\\S+) )?(.*)");

    /** As many as the command line gives at once. */
    private static final int MOST_LINES = 1000;

    /** Names are arguments, not part of the program. */
    private static final String WEB_URL =
            "import modal,sys;print(modal.Function.from_name(sys.argv[1],sys.argv[2]).get_web_url())";

    private final CliEnvironment environment;
    private final ModalSettings settings;

    ModalCli(CliEnvironment environment, ModalSettings settings) {
        this.environment = environment;
        this.settings = settings;
    }

    @Override
    public String version() {
        Finished finished = require("read version", run("read version", "--version"));
        Matcher version = VERSION.matcher(finished.out());
        return version.find() ? version.group(1) : finished.out().strip();
    }

    @Override
    public String account() {
        Finished finished = require("read token", run("read token", "token", "info"));
        return Arrays.stream(finished.out().split("\\R"))
                .map(String::strip)
                .filter(line -> line.startsWith("Workspace:") || line.startsWith("User:") || line.startsWith("Service"))
                .reduce((one, other) -> one + ", " + other)
                .orElse("a token");
    }

    @Override
    public List<String> environments() {
        return each(json("list environments", "environment", "list", "--json")).stream()
                .map(row -> text(row, "name", "Name"))
                .toList();
    }

    @Override
    public List<App> apps() {
        return each(json("list apps", "app", "list", "--json")).stream()
                .map(ModalCli::app)
                .toList();
    }

    /** The names of fields were those of the printed table before 1.5.0. */
    private static App app(JsonNode row) {
        return new App(
                text(row, "app_id", "App ID"),
                text(row, "description", "Description"),
                text(row, "state", "State"),
                number(text(row, "tasks", "Tasks")),
                time(text(row, "created_at", "Created at")));
    }

    @Override
    public Optional<String> newestTag(String app) {
        Finished finished = run("read history", "app", "history", app, "--json");
        if (!finished.succeeded() && CliErrors.saysMissing(finished)) {
            return Optional.empty();
        }
        // Newest first.
        return each(parse("read history", require("read history", finished))).stream()
                .findFirst()
                .map(row -> text(row, "tag", "Tag"));
    }

    @Override
    public Optional<URI> webUrl(String app) {
        String operation = "look up web address";
        List<String> words = new ArrayList<>(environment.python());
        words.addAll(List.of("-c", WEB_URL, app, AppScript.FUNCTION));
        Finished finished = new Command(operation, words, environment.variables()).run(settings.commandTimeout());
        if (!finished.succeeded() && CliErrors.saysMissing(finished)) {
            return Optional.empty();
        }
        return Arrays.stream(require(operation, finished).out().split("\\R"))
                .map(String::strip)
                .filter(line -> line.startsWith("http"))
                .findFirst()
                .map(URI::create);
    }

    @Override
    public Process deploy(Path script, String tag, Map<String, Secret> variables, Path log) {
        Map<String, String> all = new LinkedHashMap<>(environment.variables());
        variables.forEach((name, value) -> all.put(name, value.reveal()));
        return new Command("deploy app", words("deploy", script.toString(), "--tag", tag), all).detach(log);
    }

    @Override
    public void stop(String appId) {
        Finished finished = run("stop app", "app", "stop", appId, "--yes");
        if (CliErrors.saysNoSuchOption(finished, "--yes")) {
            // Before 1.4.2 nobody was asked.
            finished = run("stop app", "app", "stop", appId);
        }
        if (!finished.succeeded() && !CliErrors.saysMissing(finished)) {
            throw CliErrors.of("stop app", finished, redaction());
        }
    }

    @Override
    public List<Volume> volumes() {
        return each(json("list volumes", "volume", "list", "--json")).stream()
                .map(row -> new Volume(text(row, "name", "Name"), time(text(row, "created_at", "Created at"))))
                .toList();
    }

    @Override
    public void deleteVolume(String name) {
        Finished finished = run("delete volume", "volume", "delete", name, "--yes", "--allow-missing");
        if (CliErrors.saysNoSuchOption(finished, "--allow-missing")) {
            finished = run("delete volume", "volume", "delete", name, "--yes");
        }
        if (!finished.succeeded() && !CliErrors.saysMissing(finished)) {
            throw CliErrors.of("delete volume", finished, redaction());
        }
    }

    @Override
    public Secret createProxyToken() {
        JsonNode token = json("create proxy token", "workspace", "proxy-tokens", "create", "--json");
        String key = token.path("Modal-Key").asText("");
        String secret = token.path("Modal-Secret").asText("");
        if (key.isEmpty() || secret.isEmpty()) {
            throw unreadable("create proxy token");
        }
        return Secret.of(key + "." + secret);
    }

    @Override
    public List<String> proxyTokens() {
        return each(json("list proxy tokens", "workspace", "proxy-tokens", "list", "--json")).stream()
                .map(row -> text(row, "token_id", "Token ID"))
                .toList();
    }

    @Override
    public Map<String, BigDecimal> rates() {
        Map<String, BigDecimal> rates = new LinkedHashMap<>();
        json("read rates", "billing", "rates", "--json").properties().forEach(field -> {
            String value = field.getValue().asText("");
            if (value.matches("\\d{1,9}(\\.\\d{1,18})?")) {
                rates.put(field.getKey(), new BigDecimal(value));
            }
        });
        return rates;
    }

    @Override
    public List<LogLine> logs(String app, int lines) {
        String count = Integer.toString(Math.min(lines, MOST_LINES));
        Finished finished =
                run("read logs", "app", "logs", app, "--tail", count, "--timestamps", "--show-container-id");
        if (CliErrors.saysNoSuchOption(finished, "--show-container-id")) {
            finished = run("read logs", "app", "logs", app, "--tail", count);
        }
        if (!finished.succeeded() && CliErrors.saysMissing(finished)) {
            return List.of();
        }
        Redaction redaction = redaction();
        List<LogLine> all = Arrays.stream(require("read logs", finished).out().split("\\R"))
                // Logs keep their colours, whatever the environment says.
                .map(line -> COLOUR.matcher(line).replaceAll(""))
                .filter(line -> !line.isBlank())
                .map(line -> line(redaction.redact(line)))
                .toList();
        // An entry can have several lines.
        return all.subList(Math.max(0, all.size() - lines), all.size());
    }

    private static LogLine line(String text) {
        Matcher parts = LOG_LINE.matcher(text);
        return parts.matches()
                ? new LogLine(time(parts.group(1)), Objects.requireNonNullElse(parts.group(2), ""), parts.group(3))
                : new LogLine(Optional.empty(), "", text);
    }

    @Override
    public void clear(String volume, String directory) {
        Finished finished = run("clear volume", "volume", "rm", volume, directory, "--recursive");
        if (!finished.succeeded() && !CliErrors.saysMissing(finished)) {
            throw CliErrors.of("clear volume", finished, redaction());
        }
    }

    // --- one command ---

    private Finished run(String operation, String... arguments) {
        return new Command(operation, words(arguments), environment.variables()).run(settings.commandTimeout());
    }

    private List<String> words(String... arguments) {
        List<String> words = new ArrayList<>(environment.cli());
        words.addAll(Arrays.asList(arguments));
        return words;
    }

    private Finished require(String operation, Finished finished) {
        if (!finished.succeeded()) {
            throw CliErrors.of(operation, finished, redaction());
        }
        return finished;
    }

    private JsonNode json(String operation, String... arguments) {
        return parse(operation, require(operation, run(operation, arguments)));
    }

    /** Some commands say something before or after. */
    private static JsonNode parse(String operation, Finished finished) {
        String out = finished.out();
        int begin =
                (int) out.chars().takeWhile(each -> each != '[' && each != '{').count();
        try {
            JsonNode read = AppPlan.JSON.readTree(out.substring(begin));
            if (read.isContainerNode()) {
                return read;
            }
        } catch (JacksonException e) {
            // Told below; the parser's text would quote the output.
        }
        throw unreadable(operation);
    }

    private static TunaException unreadable(String operation) {
        return ProviderException.of(ModalProvider.NAME, operation)
                .code(ErrorCode.PROVIDER_REFUSED)
                .message("the command line's answer is not the JSON that was expected; is it a version between 1.4"
                        + " and 1.5?")
                .build();
    }

    private Redaction redaction() {
        return Redaction.of(environment.secrets());
    }

    private static List<JsonNode> each(JsonNode rows) {
        List<JsonNode> all = new ArrayList<>();
        rows.forEach(all::add);
        return all;
    }

    private static String text(JsonNode row, String name, String older) {
        JsonNode value = row.has(name) ? row.path(name) : row.path(older);
        return value.isNull() ? "" : value.asText("");
    }

    private static int number(String text) {
        return text.matches("\\d{1,9}") ? Integer.parseInt(text) : 0;
    }

    /** ISO 8601, with a blank or a T between date and time. */
    private static Optional<Instant> time(String text) {
        try {
            return Optional.of(
                    OffsetDateTime.parse(text.strip().replace(' ', 'T')).toInstant());
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
}
