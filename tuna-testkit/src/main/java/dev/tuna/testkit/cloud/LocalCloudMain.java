package dev.tuna.testkit.cloud;

import dev.tuna.testkit.cloud.model.CloudJson;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.process.CloudHost;
import dev.tuna.testkit.cloud.process.ForeignCommand;
import dev.tuna.testkit.cloud.process.ProcessMachines;
import dev.tuna.testkit.cloud.process.ServerCommand;
import dev.tuna.testkit.cloud.process.StandInCommand;
import dev.tuna.testkit.vllm.StdinWatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The local cloud as a process of its own, which outlives a controller as a real cloud does.
 *
 * <pre>{@code
 * java -cp ... dev.tuna.testkit.cloud.LocalCloudMain [--host 127.0.0.1] [--port 7077] [--settings FILE|JSON]
 *     [--stand-in-argument WORD]... [--exit-on-stdin-eof] [-- COMMAND WORD...]
 * }</pre>
 *
 * <p>Machines run stand-ins, or the command after {@code --}, for instance
 * {@code -- vllm serve {model} --port {port} --served-model-name {served_model_name} {arguments}} or
 * {@code -- llama-server -m model.gguf --port {port}} ({@link ForeignCommand} lists the placeholders). The settings are
 * {@link CloudSettings} as JSON, for instance {@code {"coldStart":"PT3S"}}; what they leave out has its default. The first line of output is {@code local cloud: http://HOST:PORT}; that URL is the
 * setting {@code url} of the providers {@code local} and {@code local-spot}. The process ends on SIGTERM and takes its
 * machines along; they also end when it is killed. Its state does not survive it.
 */
public final class LocalCloudMain {

    /** The port unless told otherwise. */
    public static final int DEFAULT_PORT = 7077;

    /** What the first line of output starts with. */
    static final String SAYS = "local cloud: ";

    private LocalCloudMain() {}

    /**
     * Runs until SIGTERM.
     *
     * @param arguments options as above
     * @throws InterruptedException if the main thread is interrupted
     */
    public static void main(String[] arguments) throws InterruptedException {
        CloudHost host;
        try {
            Options options = Options.parse(arguments);
            if (options.exitOnStdinEof) {
                StdinWatch.onEof(() -> System.exit(0));
            }
            host = CloudHost.start(
                    options.host,
                    options.port,
                    options.settings,
                    new ProcessMachines(options.command()),
                    // Other than those of an earlier life, which a controller may still remember.
                    Integer.toString(ThreadLocalRandom.current().nextInt(36 * 36 * 36 * 36), 36) + "-");
        } catch (IllegalArgumentException | UncheckedIOException e) {
            System.err.println("local cloud: " + e.getMessage());
            System.exit(2);
            return;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(host::close, "tuna-cloud-shutdown"));
        System.out.println(SAYS + host.uri());
        System.out.flush();
        new CountDownLatch(1).await();
    }

    /** The command line, read once. Confined to the main thread. */
    private static final class Options {
        private String host = "127.0.0.1";
        private int port = DEFAULT_PORT;
        private CloudSettings settings = CloudSettings.DEFAULT;
        private boolean exitOnStdinEof;
        private final List<String> standInArguments = new ArrayList<>();
        private List<String> foreign = List.of();

        static Options parse(String[] arguments) {
            Options options = new Options();
            List<String> words = List.of(arguments);
            for (int at = 0; at < words.size(); at++) {
                String option = words.get(at);
                switch (option) {
                    case "--exit-on-stdin-eof" -> options.exitOnStdinEof = true;
                    case "--" -> {
                        options.foreign = words.subList(at + 1, words.size());
                        return options;
                    }
                    case "--host", "--port", "--settings", "--stand-in-argument" -> {
                        if (++at == words.size()) {
                            throw new IllegalArgumentException("option " + option + " needs a value");
                        }
                        options.set(option, words.get(at));
                    }
                    default ->
                        throw new IllegalArgumentException(
                                "unknown option '" + option
                                        + "'; allowed: --host, --port, --settings, --stand-in-argument, --exit-on-stdin-eof, --");
                }
            }
            return options;
        }

        private void set(String option, String value) {
            switch (option) {
                case "--host" -> host = value;
                case "--port" -> port = port(value);
                case "--settings" ->
                    settings = CloudJson.readOver(CloudSettings.DEFAULT, json(value), CloudSettings.class);
                default -> standInArguments.add(value);
            }
        }

        private static int port(String value) {
            if (!value.matches("\\d{1,5}") || Integer.parseInt(value) > 65_535) {
                throw new IllegalArgumentException("--port is '" + value + "' but must be from 0 to 65535");
            }
            return Integer.parseInt(value);
        }

        private static String json(String value) {
            try {
                return value.startsWith("{") ? value : Files.readString(Path.of(value));
            } catch (IOException e) {
                throw new UncheckedIOException("--settings " + value + " cannot be read: " + e, e);
            }
        }

        ServerCommand command() {
            return foreign.isEmpty() ? new StandInCommand(standInArguments) : new ForeignCommand(foreign);
        }
    }
}
