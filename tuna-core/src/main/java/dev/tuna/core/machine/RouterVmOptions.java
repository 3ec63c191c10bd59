package dev.tuna.core.machine;

import dev.tuna.api.Secret;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What router VMs run and are handed. Immutable.
 *
 * @param jar what they run: a {@code file:} that is delivered, or an {@code https:} address from where they fetch it. It must
 *     hold everything: Tuna, the providers, and what they need. Empty for the jar that this program was started from
 * @param sha256 the jar's checksum in hexadecimal digits; empty to have it reckoned, which takes a file
 * @param port where clients connect; default {@link #DEFAULT_PORT}
 * @param environment variables that the program is started with, for credentials that providers read from there; they go over
 *     the channel on which both sides have proved who they are. Values are one line each
 * @param needs by serverless provider: a deployment that names the provider is refused before anything is made if the variable is
 *     neither in the environment of its machine nor a secret {@code <provider>/...} in the secret store, which goes along
 */
public record RouterVmOptions(
        Optional<URI> jar,
        Optional<String> sha256,
        int port,
        Map<String, Secret> environment,
        Map<String, Need> needs) {

    /** The port that router VMs serve clients at unless told otherwise. */
    public static final int DEFAULT_PORT = 8080;

    /**
     * What a serverless provider cannot do without on a machine.
     *
     * @param variable of the environment there; empty if nothing helps
     * @param fix why it is missing and what to do, for the end of a sentence
     */
    public record Need(String variable, String fix) {

        /** Checks that every part is there. */
        public Need {
            Objects.requireNonNull(variable, "variable");
            Objects.requireNonNull(fix, "fix");
        }

        /**
         * Of a provider that can do nothing on such a machine, whatever it is handed.
         *
         * @param fix why not and what to do, for the end of a sentence
         * @return what no machine has
         */
        public static Need never(String fix) {
            return new Need("", fix);
        }

        boolean isNever() {
            return variable.isEmpty();
        }
    }

    /** The jar that this program was started from, and nothing else. */
    public static final RouterVmOptions DEFAULT = builder().build();

    /** Copies the map and checks ranges. */
    public RouterVmOptions {
        Objects.requireNonNull(jar, "jar");
        Objects.requireNonNull(sha256, "sha256");
        if (port < 1 || port > 65_535) {
            throw new IllegalArgumentException("router VM: port is " + port + " but must be 1 to 65535");
        }
        environment = Map.copyOf(environment);
        needs = Map.copyOf(needs);
    }

    /**
     * A builder with the defaults.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Builds {@link RouterVmOptions}. Not thread-safe. */
    public static final class Builder {
        private Optional<URI> jar = Optional.empty();
        private Optional<String> sha256 = Optional.empty();
        private int port = DEFAULT_PORT;
        private final Map<String, Secret> environment = new LinkedHashMap<>();
        private final Map<String, Need> needs = new LinkedHashMap<>();

        private Builder() {}

        /**
         * Sets {@link RouterVmOptions#jar()}.
         *
         * @param value {@code file:} or {@code https:}
         * @return this
         */
        public Builder jar(URI value) {
            this.jar = Optional.of(value);
            return this;
        }

        /**
         * Sets {@link RouterVmOptions#sha256()}.
         *
         * @param value 64 hexadecimal digits
         * @return this
         */
        public Builder sha256(String value) {
            this.sha256 = Optional.of(value);
            return this;
        }

        /**
         * Sets {@link RouterVmOptions#port()}.
         *
         * @param value 1 to 65535
         * @return this
         */
        public Builder port(int value) {
            this.port = value;
            return this;
        }

        /**
         * Adds to {@link RouterVmOptions#environment()}.
         *
         * @param variable its name
         * @param value its value
         * @return this
         */
        public Builder environment(String variable, Secret value) {
            environment.put(Objects.requireNonNull(variable, "variable"), Objects.requireNonNull(value, "value"));
            return this;
        }

        /**
         * Adds to {@link RouterVmOptions#needs()}.
         *
         * @param provider a serverless provider
         * @param need without which it is refused
         * @return this
         */
        public Builder need(String provider, Need need) {
            needs.put(Objects.requireNonNull(provider, "provider"), Objects.requireNonNull(need, "need"));
            return this;
        }

        /**
         * Makes the options.
         *
         * @return the options
         */
        public RouterVmOptions build() {
            return new RouterVmOptions(jar, sha256, port, environment, needs);
        }
    }
}
