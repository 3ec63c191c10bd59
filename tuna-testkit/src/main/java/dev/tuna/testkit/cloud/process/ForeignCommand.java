package dev.tuna.testkit.cloud.process;

import dev.tuna.spi.EngineSpec;
import dev.tuna.testkit.cloud.model.MachineSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Any model server that listens on a port it is given and answers {@code GET /health} with 200 when it can serve, for
 * instance {@code vllm serve {model} --host {host} --port {port} --served-model-name {served_model_name}} or
 * {@code llama-server -m model.gguf --host {host} --port {port}}.
 *
 * <p>Placeholders, anywhere in a word: {@code {host}}, {@code {port}}, {@code {model}}, {@code {served_model_name}},
 * {@code {max_model_len}}, {@code {tp_size}}, {@code {gpu_count}}. The word {@code {arguments}} stands for the engine's
 * further arguments. The engine's key reaches it as {@code VLLM_API_KEY} (and, for llama.cpp, {@code LLAMA_API_KEY}) in
 * its environment, where processes of the same user can read it.
 *
 * <p>The port is a free one, picked a moment before, so in theory another program can take it first; the server then
 * fails to start like any other that cannot have its port. Where there is a {@code /bin/sh}, a few lines of it stand
 * between the cloud and the server and end the server when the cloud dies in whatever way. Elsewhere the server is on
 * its own after {@code kill -9} of the cloud.
 *
 * @param template program and arguments
 */
public record ForeignCommand(List<String> template) implements ServerCommand {

    /**
     * Runs the server ("$@") beside a reader of standard input, which ends with the cloud. TERM is passed on, then KILL
     * after ten seconds.
     */
    private static final String GUARD = """
            exec 3<&0
            "$@" 3<&- </dev/null &
            server=$!
            trap 'kill -TERM "$server" 2>/dev/null' TERM INT HUP
            { cat; kill -TERM "$server"; sleep 10; kill -KILL "$server"; } <&3 >/dev/null 2>&1 &
            guard=$!
            exec 3<&-
            while kill -0 "$server" 2>/dev/null; do wait "$server"; status=$?; done
            kill "$guard" 2>/dev/null
            exit "$status"
            """;

    private static final String HOST = "127.0.0.1";

    /** Checks that there is a program and a place for the port. */
    public ForeignCommand {
        template = List.copyOf(template);
        if (template.stream().noneMatch(word -> word.contains("{port}"))) {
            throw new IllegalArgumentException(
                    "command " + template + " has no {port}; say where the server gets its port");
        }
    }

    @Override
    public Launch launch(MachineSpec spec) {
        int port = freePort();
        List<String> words = new ArrayList<>();
        if (Files.isExecutable(Path.of("/bin/sh"))) {
            words.addAll(List.of("/bin/sh", "-c", GUARD, "tuna-guard"));
        }
        for (String word : template) {
            if (word.equals("{arguments}")) {
                words.addAll(spec.engine().arguments());
            } else {
                words.add(fill(word, spec.engine(), port));
            }
        }
        return new Launch(words, Optional.of(URI.create("http://" + HOST + ":" + port)), false);
    }

    private static String fill(String word, EngineSpec engine, int port) {
        String filled = word;
        for (Map.Entry<String, Object> entry : Map.<String, Object>of(
                        "{host}", HOST,
                        "{port}", port,
                        "{model}", engine.model(),
                        "{served_model_name}", engine.servedModelName(),
                        "{max_model_len}", engine.maxModelLen(),
                        "{tp_size}", engine.tpSize(),
                        "{gpu_count}", engine.gpuCount())
                .entrySet()) {
            filled = filled.replace(entry.getKey(), entry.getValue().toString());
        }
        return filled;
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port on " + HOST, e);
        }
    }

    @Override
    public Optional<URI> addressIn(String line) {
        return Optional.empty();
    }
}
