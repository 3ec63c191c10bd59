package dev.tuna.testkit.modal;

import dev.tuna.api.Secret;
import dev.tuna.testkit.crash.CallerFaults;
import dev.tuna.testkit.modal.ModalGrammar.UsageError;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorServer;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Modal, as far as a program sees it: an executable {@code modal} that takes the commands and says the things of Modal's
 * command line 1.5.4, an interpreter that can look a web address up, and the addresses themselves, where requests wait for
 * containers that serve with a {@link dev.tuna.testkit.vllm.VllmStandIn}.
 *
 * <p>What lasts is kept here and not in the executables, so apps survive whoever deployed them. Where it differs from Modal:
 * addresses are at {@code /w/<app>} of one port instead of at hosts of their own, and of scripts only Tuna's own is
 * understood. Thread-safe.
 */
public final class ModalStandIn implements AutoCloseable {

    private static final int WIDE = 400;

    private final Builder settings;
    private final Account account;
    private final CommandServer commands;
    private final VendorServer web;
    private final Path directory;

    private ModalStandIn(Builder builder) {
        settings = builder;
        account = new Account(builder.bootTime, builder.stopTime);
        web = VendorServer.start(new WebFront(account, builder.patience, builder.relativeLocation)::handle);
        commands = new CommandServer(new Commands(builder, account, web.uri() + WebFront.PREFIX)::handle);
        directory = executables();
    }

    private Path executables() {
        try {
            Path made = Files.createTempDirectory("tuna-modal-stand-in");
            write(made.resolve("modal"), "modal");
            write(made.resolve("python"), "python");
            return made;
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException("the stand-in's executables cannot be written", e);
        }
    }

    private void write(Path file, String program) throws IOException, URISyntaxException {
        Path classes = Path.of(ModalStandIn.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        // As little of a virtual machine as can be: it lives for some milliseconds.
        Files.writeString(
                file,
                "#!/bin/sh\nunset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS\nexec '" + java
                        + "' -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Xshare:auto -cp '" + classes
                        + "' "
                        + ModalCommandMain.class.getName() + " " + commands.port() + " " + program + " \"$@\"\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    /**
     * Begins to configure a stand-in.
     *
     * @return a builder with every default set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The id of the API token that it takes.
     *
     * @return {@code ak-…}
     */
    public Secret tokenId() {
        return settings.tokenId;
    }

    /**
     * The secret of the API token that it takes.
     *
     * @return {@code as-…}
     */
    public Secret tokenSecret() {
        return settings.tokenSecret;
    }

    /**
     * What the provider must be told to use it.
     *
     * @return setting to value
     */
    public Map<String, String> settings() {
        return Map.of(
                "hub_url",
                web.uri().toString(), // knows no model
                "cli",
                directory.resolve("modal").toString(),
                "python",
                directory.resolve("python").toString(),
                "work_dir",
                directory.resolve("work").toString(),
                "observe_interval_seconds",
                "0");
    }

    /**
     * Adds a fault behind those in force.
     *
     * @param fault what to do wrong from now on
     */
    public void inject(ModalFault fault) {
        commands.inject(fault);
    }

    /**
     * Decides at which commands whoever gave them dies. The command itself dies with its caller unless it has said all that
     * it had to say.
     *
     * @param faults asked with the program and its words, joined by blanks
     */
    public void callers(CallerFaults faults) {
        commands.callers(faults);
    }

    /** Drops the faults that have not happened yet. */
    public void clearFaults() {
        commands.clearFaults();
    }

    /**
     * Every command so far.
     *
     * @return a snapshot, in the order in which they began
     */
    public List<ModalCall> calls() {
        return commands.calls();
    }

    /**
     * Every request to a web address so far.
     *
     * @return a snapshot
     */
    public List<VendorExchange> exchanges() {
        return web.exchanges();
    }

    /**
     * What was wrong with the commands given so far, by Modal's own grammar and by what its output needs to be readable.
     *
     * @return one sentence for each fault; empty if all were right
     */
    public List<String> violations() {
        List<String> violations = new ArrayList<>();
        for (ModalCall call : calls()) {
            violations.addAll(violations(call));
        }
        return violations;
    }

    /**
     * What is wrong with one command.
     *
     * @param call the command
     * @return one sentence for each fault
     */
    public static List<String> violations(ModalCall call) {
        List<String> violations = new ArrayList<>();
        if (call.program().equals("modal")) {
            try {
                var parsed = ModalGrammar.parse(call.words());
                boolean asks = parsed.name().matches("app stop|volume delete|workspace proxy-tokens delete");
                if (asks && !parsed.switches().contains("--yes")) {
                    violations.add(call + ": would ask for confirmation");
                }
            } catch (UsageError e) {
                violations.add(call + ": " + e.getMessage());
            }
        }
        String columns = call.variable("COLUMNS");
        if (!columns.matches("\\d{3,5}") || Integer.parseInt(columns) < WIDE) {
            violations.add(call + ": COLUMNS is '" + columns + "', so that long lines would be broken");
        }
        if (!call.variable("NO_COLOR").equals("1") || call.environment().containsKey("FORCE_COLOR")) {
            violations.add(call + ": its output may be coloured");
        }
        if (!call.variable("PYTHONIOENCODING").equals("utf-8")) {
            violations.add(call + ": its output may be in any encoding");
        }
        return violations;
    }

    /**
     * The apps that there are under their names: deployed, or being deployed for the first time.
     *
     * @return their names; one that occurs twice is there twice
     */
    public List<String> apps() {
        return account.apps().stream()
                .filter(StandInApp::isLive)
                .map(StandInApp::name)
                .toList();
    }

    /**
     * The volumes that there are.
     *
     * @return their names
     */
    public List<String> volumes() {
        return List.copyOf(account.volumes().keySet());
    }

    /**
     * The proxy tokens that there are.
     *
     * @return their public halves
     */
    public List<String> proxyTokens() {
        return account.proxyTokens();
    }

    /**
     * Forgets a proxy token, as somebody in the workspace may.
     *
     * @param id its public half
     */
    public void deleteProxyToken(String id) {
        account.deleteProxyToken(id);
    }

    /**
     * How many containers an app has.
     *
     * @param app its name
     * @return zero or more
     */
    public int containers(String app) {
        return account.deployed(app).map(StandInApp::containers).orElse(0);
    }

    /**
     * How often an app was deployed.
     *
     * @param app its name
     * @return the number of its newest version; 0 if it is not deployed
     */
    public int version(String app) {
        return account.deployed(app).map(found -> found.versions().size()).orElse(0);
    }

    /**
     * What the containers of an app are given as secrets.
     *
     * @param app its name
     * @return variable to value
     */
    public Map<String, Secret> secrets(String app) {
        Map<String, Secret> secrets = new LinkedHashMap<>();
        account.deployed(app)
                .ifPresent(found -> found.versions()
                        .get(found.versions().size() - 1)
                        .secrets()
                        .forEach((name, value) -> secrets.put(name, Secret.of(value))));
        return secrets;
    }

    /**
     * Makes the engines of an app fail at their start, or no longer.
     *
     * @param app its name
     * @param broken whether they fail
     */
    public void breakEngines(String app, boolean broken) {
        account.deployed(app).orElseThrow().broken(broken);
    }

    /**
     * Stops an app behind everybody's back.
     *
     * @param app its name
     */
    public void stopApp(String app) {
        account.deployed(app).orElseThrow().stop();
    }

    /** Stops everything; may be called twice. */
    @Override
    public void close() {
        commands.close();
        web.close();
        account.close();
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        } catch (IOException | UncheckedIOException e) {
            // It was removed already, or somebody still writes to it.
        }
    }

    /** Describes a stand-in. Not thread-safe. */
    public static final class Builder {
        Secret tokenId = Secret.of("ak-STANDIN0123456789ABCDEF");
        Secret tokenSecret = Secret.of("as-STANDIN9876543210FEDCBA");
        Duration buildTime = Duration.ofMillis(100);
        Duration bootTime = Duration.ofMillis(100);
        Duration stopTime = Duration.ofMillis(50);
        Duration patience = Duration.ofSeconds(150);
        boolean relativeLocation;
        String version = "1.5.4";
        List<String> environments = List.of("main", "staging");
        Map<String, String> rates = Map.of("normal_key", "1.0");

        private Builder() {}

        /**
         * How long an image takes to build; default 100 ms.
         *
         * @param buildTime zero or longer
         * @return this
         */
        public Builder buildTime(Duration buildTime) {
            this.buildTime = Objects.requireNonNull(buildTime, "buildTime");
            return this;
        }

        /**
         * How long a container takes to start, the engine included; default 100 ms.
         *
         * @param bootTime zero or longer
         * @return this
         */
        public Builder bootTime(Duration bootTime) {
            this.bootTime = Objects.requireNonNull(bootTime, "bootTime");
            return this;
        }

        /**
         * How long an app takes to stop; default 50 ms.
         *
         * @param stopTime zero or longer
         * @return this
         */
        public Builder stopTime(Duration stopTime) {
            this.stopTime = Objects.requireNonNull(stopTime, "stopTime");
            return this;
        }

        /**
         * After how long a request without a container is answered with 303; default 150 s, as Modal does.
         *
         * @param patience longer than zero
         * @return this
         */
        public Builder patience(Duration patience) {
            this.patience = Objects.requireNonNull(patience, "patience");
            return this;
        }

        /**
         * Lets the 303 name a path only; default a whole address.
         *
         * @return this
         */
        public Builder relativeLocation() {
            this.relativeLocation = true;
            return this;
        }

        /**
         * Which version of the command line it is; default 1.5.4.
         *
         * @param version three numbers
         * @return this
         */
        public Builder version(String version) {
            this.version = Objects.requireNonNull(version, "version");
            return this;
        }

        /**
         * What {@code modal billing rates} tells.
         *
         * @param rates name to dollars an hour
         * @return this
         */
        public Builder rates(Map<String, String> rates) {
            this.rates = Map.copyOf(rates);
            return this;
        }

        /**
         * Starts it.
         *
         * @return a stand-in whose executables can be run
         */
        public ModalStandIn start() {
            return new ModalStandIn(this);
        }
    }
}
