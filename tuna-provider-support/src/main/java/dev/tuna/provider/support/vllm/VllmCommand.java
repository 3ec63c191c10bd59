package dev.tuna.provider.support.vllm;

import dev.tuna.api.SecretRef;
import dev.tuna.spi.EngineSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * How to run vLLM for an {@link EngineSpec}: the words of the command line, the environment and the image, as the wanted
 * version understands them. Equal for equal input; on two tiers of a deployment only what belongs to the tier differs
 * ({@code --enforce-eager}, {@code --shutdown-timeout}, the address). Immutable.
 *
 * <pre>{@code
 * VllmCommand command = VllmCommand.builder(spec.engine()).port(8000).build();
 * command.image();        // vllm/vllm-openai:v0.31.0
 * command.words();        // vllm serve Qwen/Qwen3-0.6B --host 0.0.0.0 --port 8000 ...
 * command.environment();  // VLLM_API_KEY -> deployments/chat/engine-key, HF_TOKEN -> ...
 * }</pre>
 *
 * @param version the version that the command is for
 * @param image container image with tag: the engine's own, or the one that the request names
 * @param arguments what follows {@code vllm serve}: the model, then options; no secret is among them
 * @param environment environment variables whose values are secrets, by reference; {@code VLLM_API_KEY} is among them if
 *     the engine has a key
 */
public record VllmCommand(
        VllmVersion version, String image, List<String> arguments, Map<String, SecretRef> environment) {

    /** The variable in which vLLM looks for the key that it demands. */
    public static final String API_KEY_VARIABLE = "VLLM_API_KEY";

    /** Copies collections. */
    public VllmCommand {
        Objects.requireNonNull(version, "version");
        Objects.requireNonNull(image, "image");
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
    }

    /**
     * The whole command line, for where the image's own entry point is replaced or there is no image.
     *
     * @return {@code vllm serve} and {@link #arguments()}
     */
    public List<String> words() {
        var words = new ArrayList<>(List.of("vllm", "serve"));
        words.addAll(arguments);
        return List.copyOf(words);
    }

    /**
     * Starts a command. Without further calls it listens on every interface, at port 8000, ends at once when told to, and
     * needs a driver for CUDA 13.
     *
     * @param engine what to run
     * @return a builder
     */
    public static Builder builder(EngineSpec engine) {
        return new Builder(engine);
    }

    /** What depends on where the engine runs. Not thread-safe. */
    public static final class Builder {
        private static final VllmVersion CUDA_13 = new VllmVersion(0, 20, 0);
        private static final String IMAGE = "vllm/vllm-openai:v";

        private final EngineSpec engine;
        private String host = "0.0.0.0";
        private int port = 8000;
        private Duration shutdownTimeout = Duration.ZERO;
        private boolean olderDriver;

        private Builder(EngineSpec engine) {
            this.engine = Objects.requireNonNull(engine, "engine");
        }

        /**
         * Sets the interface to listen on.
         *
         * @param host address or name; default {@code 0.0.0.0}
         * @return this
         */
        public Builder host(String host) {
            this.host = host;
            return this;
        }

        /**
         * Sets the port to listen on.
         *
         * @param port 0 to 65535, 0 for any; default 8000
         * @return this
         */
        public Builder port(int port) {
            this.port = port;
            return this;
        }

        /**
         * Lets requests in flight finish when the engine is told to end (SIGTERM), while new ones are refused. Versions before
         * 0.18 cannot do that and break them off at once; the command then says nothing of it.
         *
         * @param shutdownTimeout how long, in whole seconds; default zero, which breaks them off
         * @return this
         */
        public Builder shutdownTimeout(Duration shutdownTimeout) {
            this.shutdownTimeout = shutdownTimeout;
            return this;
        }

        /**
         * Asks for the image that runs on NVIDIA drivers older than 580 (550 and later), which images from 0.20 on otherwise
         * do not.
         *
         * @return this
         */
        public Builder olderDriver() {
            this.olderDriver = true;
            return this;
        }

        /**
         * Builds the command.
         *
         * @return the command
         * @throws dev.tuna.api.ConfigurationException if the version is no version or too old, or if further arguments are
         *     unknown to it, are set by Tuna itself or carry a secret; every one is named with what to do instead
         */
        public VllmCommand build() {
            VllmVersion version = engine.version().map(VllmVersion::parse).orElse(VllmVersion.CURRENT);
            new ArgumentCheck(engine, version).run();
            var environment = new TreeMap<>(engine.secrets());
            engine.apiKey().ifPresent(key -> environment.put(API_KEY_VARIABLE, key));
            return new VllmCommand(
                    version, engine.containerImage().orElseGet(() -> image(version)), arguments(version), environment);
        }

        private String image(VllmVersion version) {
            String tag = IMAGE + engine.version().map(Builder::plain).orElseGet(version::toString);
            return olderDriver && !version.isBefore(CUDA_13) ? tag + "-cu129" : tag;
        }

        /** The user's own text, so that the tag of a candidate or a post-release stays what it is. */
        private static String plain(String version) {
            return version.startsWith("v") ? version.substring(1) : version;
        }

        private List<String> arguments(VllmVersion version) {
            var words = new ArrayList<>(List.of(engine.model()));
            words.addAll(List.of("--host", host, "--port", Integer.toString(port)));
            words.addAll(List.of("--served-model-name", engine.servedModelName()));
            words.addAll(List.of("--max-model-len", Integer.toString(engine.maxModelLen())));
            words.addAll(List.of("--tensor-parallel-size", Integer.toString(engine.tpSize())));
            engine.quantization().ifPresent(method -> words.addAll(List.of("--quantization", method)));
            if (Precision.needsHalf(engine)) {
                words.addAll(List.of("--dtype", "half"));
            }
            if (engine.fastBoot()) {
                words.add("--enforce-eager");
            }
            if (shutdownTimeout.toSeconds() > 0 && has("--shutdown-timeout", version)) {
                words.addAll(List.of("--shutdown-timeout", Long.toString(shutdownTimeout.toSeconds())));
            }
            words.addAll(engine.arguments());
            return words;
        }

        private static boolean has(String flag, VllmVersion version) {
            return VllmFlags.find(flag).orElseThrow().isIn(version);
        }
    }
}
