package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The stand-in as a process that takes the command line of {@code vllm serve}.
 *
 * <p>{@code serve MODEL --host H --port P --served-model-name A B --api-key K --max-model-len N --shutdown-timeout S
 * --sse-keep-alive-interval S} mean what they mean to vLLM, {@code VLLM_API_KEY} included; its other options are accepted without effect, and what this version of vLLM
 * does not know ends with "unrecognized arguments" and status 2. Options of its own:
 *
 * <ul>
 *   <li>{@code --standin-boot-time T}: connections are refused that long (seconds, or with a unit: {@code 250ms})
 *   <li>{@code --standin-boot-failure STATUS}: after the boot time, exit with that status instead of listening
 *   <li>{@code --standin-ttft T}, {@code --standin-tokens-per-second R}: the pace of generation
 *   <li>{@code --standin-capacity N}: how many requests run at once ({@code --max-num-seqs} does the same)
 *   <li>{@code --standin-version V}: what {@code /version} says, and whose options are known
 *   <li>{@code --standin-ignore-prompt-token-ids}: behave like a server without that field
 *   <li>{@code --standin-keep-requests N}: how many requests are remembered, default 100
 *   <li>{@code --standin-exit-on-stdin-eof}: end at once when standard input ends, so that a parent that dies in
 *       whatever way takes the stand-in along
 *   <li>{@code --standin-environment-on-stdin}: the first line of standard input is a JSON object of further environment
 *       variables, so that keys are neither on the command line nor in the process's environment, where others may look
 * </ul>
 *
 * <p>The first line of output is {@code stand-in: MODEL at http://HOST:PORT}, printed once the port is known, which with
 * {@code --port 0} is how to learn it. A running process is scripted over HTTP: {@code GET /standin/stats} gives the
 * components of {@link StandInStats}; {@code POST /standin/faults} takes one fault or a list of
 * {@code {"kind":"reset","token":5,"times":1,"path":"/v1/chat/completions"}} (kinds are those of {@link Fault.Kind} in
 * lower case; {@code at} is {@code before_headers} or {@code after_headers} where there is no token; {@code status},
 * {@code pause_ms} and {@code bytes} where the kind has them); {@code DELETE /standin/faults} clears them. SIGTERM does
 * what {@link VllmStandIn#terminate()} does.
 */
public final class VllmStandInMain {

    private VllmStandInMain() {}

    /**
     * Runs until SIGTERM.
     *
     * @param arguments {@code serve MODEL} and options
     * @throws InterruptedException if the main thread is interrupted
     */
    public static void main(String[] arguments) throws InterruptedException {
        try {
            ServeArguments parsed = ServeArguments.parse(arguments);
            Map<String, String> environment = parsed.findsEnvironmentOnStdin() ? firstLine() : System.getenv();
            if (parsed.exitsOnStdinEof()) {
                StdinWatch.onEof(() -> Runtime.getRuntime().halt(1));
            }
            if (parsed.bootFailure().isPresent()) {
                Thread.sleep(parsed.bootTime().toMillis());
                System.err.println("RuntimeError: Engine core initialization failed. (as told to)");
                System.exit(parsed.bootFailure().get());
            }
            serve(parsed.builder(environment).start());
        } catch (ServeArguments.UsageException e) {
            System.err.println("usage: vllm serve [model_tag] [options]");
            System.err.println("vllm serve: error: " + e.getMessage());
            System.exit(2);
        } catch (UncheckedIOException e) {
            System.err.println("ERROR: " + e.getMessage());
            System.exit(1);
        }
    }

    /** This process's environment and what the first line of standard input adds. Reads no further. */
    private static Map<String, String> firstLine() {
        var line = new ByteArrayOutputStream();
        try {
            for (int next = System.in.read(); next >= 0 && next != '\n'; next = System.in.read()) {
                line.write(next);
            }
            var environment = new HashMap<>(System.getenv());
            environment.putAll(
                    new JsonMapper().readValue(line.toByteArray(), new TypeReference<Map<String, String>>() {}));
            return environment;
        } catch (IOException e) {
            throw noEnvironment();
        }
    }

    /** Without a cause, which may quote the line. */
    private static UncheckedIOException noEnvironment() {
        return new UncheckedIOException(new IOException("the first line of standard input is no JSON object of texts"));
    }

    private static void serve(VllmStandIn standIn) throws InterruptedException {
        System.out.println("stand-in: " + standIn.model() + " at " + standIn.uri());
        System.out.flush();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> shutDown(standIn), "tuna-stand-in-shutdown"));
        new CountDownLatch(1).await();
    }

    /** Ends with status 0 after a clean shutdown, as uvicorn does, where the JVM alone would say 143. */
    private static void shutDown(VllmStandIn standIn) {
        try {
            standIn.terminate().get(1, TimeUnit.HOURS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            System.err.println("shutdown did not complete: " + e);
        }
        standIn.finishWriting();
        standIn.close();
        Runtime.getRuntime().halt(0);
    }
}
