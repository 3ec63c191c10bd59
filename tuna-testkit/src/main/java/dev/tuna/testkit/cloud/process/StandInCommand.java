package dev.tuna.testkit.cloud.process;

import dev.tuna.provider.support.vllm.VllmCommand;
import dev.tuna.spi.EngineSpec;
import dev.tuna.testkit.cloud.model.MachineSpec;
import dev.tuna.testkit.vllm.VllmStandInMain;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The stand-in in a small JVM of its own, with this JVM's {@code java} and class path.
 *
 * @param defaults arguments that every stand-in gets; those of the engine win
 */
public record StandInCommand(List<String> defaults) implements ServerCommand {

    private static final String SAYS = "stand-in: ";

    /** What makes a small JVM start fast and stay small; several of them share two cores. */
    private static final List<String> LIGHT = List.of(
            "-Xshare:auto",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-Xms16m",
            "-Xmx96m",
            "-Xss512k");

    /** Copies the list. */
    public StandInCommand {
        defaults = List.copyOf(defaults);
    }

    /** On a port of its own choice, which it tells, so that two never want the same. */
    @Override
    public Launch launch(MachineSpec spec) {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(LIGHT);
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), VllmStandInMain.class.getName()));
        words.addAll(serve(spec.engine()));
        words.addAll(List.of("--standin-environment-on-stdin", "--standin-exit-on-stdin-eof"));
        return new Launch(words, Optional.empty(), true);
    }

    /** Said once it listens. */
    @Override
    public Optional<URI> addressIn(String line) {
        int at = line.lastIndexOf(" at http://");
        return line.startsWith(SAYS) && at > 0
                ? Optional.of(URI.create(line.substring(at + " at ".length())))
                : Optional.empty();
    }

    /** What vLLM would be started with, and what the engine's further arguments tell the stand-in alone. */
    List<String> serve(EngineSpec engine) {
        List<String> own = new ArrayList<>();
        List<String> forVllm = new ArrayList<>();
        List<String> taker = forVllm;
        for (String word : engine.arguments()) {
            if (word.startsWith("--")) {
                taker = word.startsWith("--standin-") ? own : forVllm;
            }
            taker.add(word);
        }
        List<String> arguments = VllmCommand.builder(engine.withArguments(forVllm))
                .host("127.0.0.1")
                .port(0)
                .build()
                .arguments();
        List<String> words = new ArrayList<>(List.of("serve", arguments.get(0)));
        words.addAll(defaults);
        words.addAll(arguments.subList(1, arguments.size()));
        engine.version().ifPresent(version -> words.addAll(List.of("--standin-version", version)));
        words.addAll(own);
        return words;
    }
}
