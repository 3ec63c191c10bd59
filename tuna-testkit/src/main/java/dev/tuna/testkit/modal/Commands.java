package dev.tuna.testkit.modal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Secret;
import dev.tuna.testkit.modal.CommandServer.Terminal;
import dev.tuna.testkit.modal.ModalGrammar.Parsed;
import dev.tuna.testkit.modal.ModalGrammar.UsageError;
import dev.tuna.testkit.modal.Scripts.ScriptError;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** What each command does and says. Thread-safe. */
final class Commands {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final Set<String> GPUS = Set.of(
            "T4",
            "L4",
            "A10",
            "A10G",
            "L40S",
            "A100",
            "A100-40GB",
            "A100-80GB",
            "RTX-PRO-6000",
            "H100",
            "H100!",
            "H200",
            "B200",
            "B200+",
            "B300");

    private static final int NARROW = 80;

    private final ModalStandIn.Builder settings;
    private final Account account;

    /** Where web addresses begin. */
    private final String web;

    Commands(ModalStandIn.Builder settings, Account account, String web) {
        this.settings = settings;
        this.account = account;
        this.web = web;
    }

    int handle(ModalCall call, Terminal terminal) throws IOException {
        if (call.program().equals("python")) {
            return python(call, terminal);
        }
        try {
            Parsed command = read(call);
            if (command.name().equals("--version")) {
                terminal.out("modal client version: " + settings.version + "\n");
                return 0;
            }
            return isAllowed(call, terminal) ? run(call, command, terminal) : 1;
        } catch (UsageError e) {
            terminal.err("Usage: modal [OPTIONS] COMMAND [ARGS]...\n\n" + Panel.error(String.valueOf(e.getMessage())));
            return 2;
        }
    }

    /** What was not there yet in the version that is played. */
    private Parsed read(ModalCall call) throws UsageError {
        Parsed command = ModalGrammar.parse(call.words());
        if (command.switches().contains("--yes") && command.name().equals("app stop") && isBefore(1, 4, 2)) {
            throw new UsageError("No such option: --yes");
        }
        if (command.name().startsWith("workspace") && isBefore(1, 5, 1)) {
            throw new UsageError("No such command 'workspace'.");
        }
        return command;
    }

    private boolean isBefore(int major, int minor, int patch) {
        String[] parts = settings.version.split("\\.");
        int[] wanted = {major, minor, patch};
        for (int at = 0; at < wanted.length; at++) {
            int difference = Integer.compare(Integer.parseInt(parts[at]), wanted[at]);
            if (difference != 0) {
                return difference < 0;
            }
        }
        return false;
    }

    private boolean isAllowed(ModalCall call, Terminal terminal) throws IOException {
        String id = call.variable("MODAL_TOKEN_ID");
        String secret = call.variable("MODAL_TOKEN_SECRET");
        if (id.isEmpty() || secret.isEmpty()) {
            terminal.err(Panel.error("Token missing. Could not authenticate client. If you have token credentials, see"
                    + " modal.com/docs/sdk/py/latest/modal.config for setup help."));
            return false;
        }
        if (!id.equals(settings.tokenId.reveal()) || !Secret.of(secret).equals(settings.tokenSecret)) {
            terminal.err(Panel.error("Token validation failed: invalid token credentials"));
            return false;
        }
        return true;
    }

    private int run(ModalCall call, Parsed command, Terminal terminal) throws IOException {
        String about = command.arguments().isEmpty() ? "" : command.arguments().get(0);
        boolean yes = command.switches().contains("--yes") || command.switches().contains("-y");
        return switch (command.name()) {
            case "deploy" -> deploy(call, command, terminal);
            case "app list" -> print(terminal, apps());
            case "app history" -> history(about, terminal);
            case "app stop" -> stop(about, yes || isBefore(1, 4, 2), terminal);
            case "app logs" -> logs(about, command, terminal);
            case "container list" -> print(terminal, JSON.createArrayNode());
            case "environment list" -> print(terminal, environments(call));
            case "token info" -> token(terminal);
            case "billing rates" -> print(terminal, JSON.valueToTree(settings.rates));
            case "volume list" -> print(terminal, volumes());
            case "volume delete" -> deleteVolume(about, command, yes, terminal);
            case "volume rm" -> removeFromVolume(about, command.arguments().get(1), terminal);
            case "workspace proxy-tokens create" -> createProxyToken(terminal);
            case "workspace proxy-tokens list" -> print(terminal, proxyTokens());
            default -> {
                terminal.err(Panel.error("the stand-in does not know what '" + command.name() + "' does"));
                yield 1;
            }
        };
    }

    private static int print(Terminal terminal, JsonNode json) throws IOException {
        terminal.out(json.toPrettyString() + "\n");
        return 0;
    }

    // --- names of fields ---

    /** Before 1.5.0 fields were named like the columns of the printed table. */
    private ObjectNode put(ObjectNode row, String column, String value) {
        return row.put(key(column), value);
    }

    private String key(String column) {
        return isBefore(1, 5, 0) ? column : column.toLowerCase(Locale.ROOT).replace(' ', '_');
    }

    private static String time(Instant at) {
        return at.truncatedTo(ChronoUnit.SECONDS).toString().replace('T', ' ').replace("Z", "+00:00");
    }

    // --- reading ---

    private ArrayNode apps() {
        ArrayNode rows = JSON.createArrayNode();
        for (StandInApp app : account.apps()) {
            ObjectNode row = rows.addObject();
            put(row, "App ID", app.id());
            put(row, "Description", app.name());
            put(row, "State", app.state());
            put(row, "Tasks", Integer.toString(app.containers()));
            put(row, "Created at", time(app.createdAt()));
            Optional<Instant> stopped = app.stoppedAt();
            if (stopped.isPresent()) {
                put(row, "Stopped at", time(stopped.get()));
            } else {
                row.putNull(key("Stopped at"));
            }
        }
        return rows;
    }

    private int history(String name, Terminal terminal) throws IOException {
        Optional<StandInApp> app = account.find(name);
        if (app.isEmpty()) {
            return missing(name, terminal);
        }
        ArrayNode rows = JSON.createArrayNode();
        List<StandInApp.Version> versions = app.get().versions();
        for (int at = versions.size() - 1; at >= 0; at--) {
            StandInApp.Version version = versions.get(at);
            ObjectNode row = rows.addObject();
            put(row, "Version", "v" + version.number());
            put(row, "Time deployed", time(version.at()));
            put(row, "Client", settings.version);
            put(row, "Deployed by", "test-user");
            row.putNull(key("Commit"));
            put(row, "Tag", version.tag().isEmpty() ? "latest" : version.tag());
        }
        return print(terminal, rows);
    }

    private static int missing(String name, Terminal terminal) throws IOException {
        terminal.err(Panel.error("No App with name '" + name + "' found in the 'main' environment."));
        return 1;
    }

    private int logs(String name, Parsed command, Terminal terminal) throws IOException {
        Optional<StandInApp> app = account.find(name);
        if (app.isEmpty()) {
            return missing(name, terminal);
        }
        List<StandInApp.Line> lines = app.get().log();
        int tail = Integer.parseInt(command.options().getOrDefault("--tail", "100"));
        boolean times = command.switches().contains("--timestamps");
        boolean containers = command.switches().contains("--show-container-id");
        terminal.out(lines.subList(Math.max(0, lines.size() - tail), lines.size()).stream()
                // Logs are coloured, whatever the environment says.
                .map(line -> "\u001b[34m" + (times ? time(line.at()) + " " : "")
                        + (containers ? line.container() + " " : "") + line.text() + "\u001b[0m\n")
                .collect(Collectors.joining()));
        return 0;
    }

    private ArrayNode environments(ModalCall call) {
        ArrayNode rows = JSON.createArrayNode();
        String active = call.environment().getOrDefault("MODAL_ENVIRONMENT", "main");
        for (String name : settings.environments) {
            rows.addObject()
                    .put("name", name)
                    .put("web_suffix", name.equals("main") ? "" : name)
                    .put("active", name.equals(active) ? "True" : "False");
        }
        return rows;
    }

    private int token(Terminal terminal) throws IOException {
        terminal.out("(Using MODAL_TOKEN_ID and MODAL_TOKEN_SECRET environment variables)\n");
        terminal.out("Token: " + settings.tokenId.reveal() + "\nName: test-token\n");
        terminal.out("Workspace: " + Account.WORKSPACE + " (ws-test456)\nUser: test-user (us-test789)\n");
        return 0;
    }

    private ArrayNode volumes() {
        ArrayNode rows = JSON.createArrayNode();
        account.volumes().forEach((name, made) -> {
            ObjectNode row = rows.addObject();
            put(row, "Name", name);
            put(row, "Created at", time(made));
            put(row, "Created by", "test-user");
        });
        return rows;
    }

    private ArrayNode proxyTokens() {
        ArrayNode rows = JSON.createArrayNode();
        account.proxyTokens()
                .forEach(id -> rows.addObject()
                        .put("token_id", id)
                        .put("created_at", time(Instant.now()))
                        .put("scoped", false));
        return rows;
    }

    /** The one thing that is asked without the command line: where a function is. */
    private int python(ModalCall call, Terminal terminal) throws IOException {
        List<String> words = call.words();
        boolean understood = words.size() == 4
                && words.get(0).equals("-c")
                && words.get(1).contains("modal.Function.from_name(sys.argv[1],sys.argv[2]).get_web_url()");
        if (!understood) {
            terminal.err("the stand-in understands one line of Python, and this is another\n");
            return 1;
        }
        if (!isAllowed(call, terminal)) {
            return 1;
        }
        String app = words.get(2);
        if (account.deployed(app).isEmpty() || !words.get(3).equals("serve")) {
            terminal.err("Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\n"
                    + "modal.exception.NotFoundError: Lookup failed for Function '" + words.get(3) + "' from the '"
                    + app + "' app: App '" + app + "' not found in environment 'main'.\n");
            return 1;
        }
        terminal.out(web + app + "\n");
        return 0;
    }

    // --- changing ---

    private int stop(String name, boolean yes, Terminal terminal) throws IOException {
        Optional<StandInApp> app = account.find(name);
        if (app.isEmpty()) {
            return missing(name, terminal);
        }
        if (app.get().state().equals(StandInApp.STOPPED)) {
            terminal.err("App is already stopped. (Stopped at " + time(Instant.now()) + " by 'test-user').\n");
            return 1;
        }
        if (!yes) {
            int containers = app.get().containers();
            terminal.out("Are you sure you want to stop App '" + name + "' in the 'main' environment? "
                    + (containers == 0
                            ? "No containers are currently running."
                            : "This will immediately terminate " + containers + " running containers.")
                    + " [y/N]: \n");
            terminal.err("Aborted: no interactive terminal detected. Rerun with --yes (-y) to skip confirmation.\n");
            return 1;
        }
        app.get().stop();
        return 0;
    }

    private int deleteVolume(String name, Parsed command, boolean yes, Terminal terminal) throws IOException {
        if (!yes) {
            terminal.err("Aborted: no interactive terminal detected. Rerun with --yes (-y) to skip confirmation.\n");
            return 1;
        }
        if (!account.deleteVolume(name) && !command.switches().contains("--allow-missing")) {
            terminal.err(Panel.error("Volume ('" + name + "', 'main') not found"));
            return 1;
        }
        return 0;
    }

    private int removeFromVolume(String name, String path, Terminal terminal) throws IOException {
        if (!account.volumes().containsKey(name)) {
            terminal.err(Panel.error("Volume ('" + name + "', 'main') not found"));
            return 1;
        }
        if (!account.clear(name, path)) {
            terminal.err(Panel.error("No such file or directory: '" + path + "'"));
            return 1;
        }
        return 0;
    }

    private int createProxyToken(Terminal terminal) throws IOException {
        Map.Entry<String, Secret> token = account.makeProxyToken();
        String secret = token.getValue().reveal();
        return print(
                terminal,
                JSON.createObjectNode()
                        .put("Modal-Key", token.getKey())
                        .put("Modal-Secret", secret)
                        .put("Authorization", "Bearer " + token.getKey() + "." + secret));
    }

    // --- deploying ---

    private int deploy(ModalCall call, Parsed command, Terminal terminal) throws IOException {
        JsonNode plan;
        try {
            plan = Scripts.plan(call.script());
        } catch (ScriptError e) {
            terminal.err(Panel.of(
                    "Traceback (most recent call last)",
                    command.arguments().get(0) + ":14 in <module>\n\n" + e.getMessage()));
            return 1;
        }
        String name = command.options().getOrDefault("--name", plan.path("app").asText());
        Optional<String> refused = refusal(call, plan, name);
        if (refused.isPresent()) {
            terminal.err(Panel.error(refused.get()));
            return 1;
        }
        StandInApp app = account.forDeployment(name);
        try {
            account.makeVolume(plan.path("volume").asText());
            terminal.out("build starting\n");
            terminal.pass(settings.buildTime);
            terminal.out("build finished\n\u2713 Created objects.\n");
        } catch (IOException e) {
            account.drop(app);
            throw e;
        }
        account.publishing(app);
        app.publish(command.options().getOrDefault("--tag", ""), plan, secrets(call, plan));
        boolean guarded = plan.path("web_server").path("requires_proxy_auth").asBoolean();
        print(
                terminal,
                "\u251c\u2500\u2500 \ud83d\udd28 Created mount "
                        + command.arguments().get(0) + "\n"
                        + "\u2514\u2500\u2500 \ud83d\udd28 Created web function serve => " + web + name
                        + (guarded ? " \ud83d\udd11" : "") + "\n",
                call);
        terminal.out("\u2713 App deployed in 0.047s! \ud83c\udf89\n\nView Deployment: https://modal.com/apps/acme/main/"
                + name + "\n");
        return 0;
    }

    /** Without a terminal that says otherwise, lines are broken after 80 characters, wherever that is. */
    private static void print(Terminal terminal, String text, ModalCall call) throws IOException {
        String columns = call.variable("COLUMNS");
        int width = columns.matches("\\d{1,5}") ? Integer.parseInt(columns) : NARROW;
        StringBuilder wrapped = new StringBuilder();
        for (String line : text.split("\n")) {
            for (int at = 0; at < line.length(); at += width) {
                wrapped.append(line, at, Math.min(line.length(), at + width)).append('\n');
            }
        }
        terminal.out(wrapped.toString());
    }

    private Optional<String> refusal(ModalCall call, JsonNode plan, String name) {
        String environment = call.environment().getOrDefault("MODAL_ENVIRONMENT", "main");
        if (!settings.environments.contains(environment)) {
            return Optional.of("No Environment found with name '" + environment + "'");
        }
        if (!name.matches("[A-Za-z0-9_.-]{1,64}")) {
            return Optional.of("Invalid App name: '" + name + "'.");
        }
        String[] gpu = plan.path("function").path("gpu").asText().split(":");
        if (!GPUS.contains(gpu[0].toUpperCase(Locale.ROOT))) {
            return Optional.of("Not a valid GPU type: " + gpu[0]);
        }
        int window = plan.path("function").path("scaledown_window").asInt(60);
        if (window < 2 || window > 1200) {
            return Optional.of("scaledown_window must be between 2 and 1200 seconds");
        }
        return Optional.empty();
    }

    private static Map<String, String> secrets(ModalCall call, JsonNode plan) {
        Map<String, String> secrets = new HashMap<>();
        for (JsonNode name : plan.path("secrets")) {
            secrets.put(name.asText(), call.variable("TUNA_SECRET_" + name.asText()));
        }
        return secrets;
    }
}
