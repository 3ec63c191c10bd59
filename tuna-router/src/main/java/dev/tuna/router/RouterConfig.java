package dev.tuna.router;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How a {@link RouterEngine} listens and what it grants to clients; what concerns one deployment is in {@link RoutePolicy}.
 * Immutable.
 *
 * @param host address to listen on; default {@value #DEFAULT_HOST}, since the endpoint spends money
 * @param port port to listen on, 0 for any free one; default {@value #DEFAULT_PORT}
 * @param ioThreads event loops, each of which serves its own share of the connections; default one per processor, at most 8
 * @param maxBodyBytes largest request body, since it is kept until the answer has begun; beyond it 413; default 32 MiB
 * @param maxHeaderBytes largest request line, and largest sum of a request's headers; beyond it 414 or 431; default 32 KiB
 * @param maxBufferedBytes request bodies kept at once, over all requests; beyond it 503; default 256 MiB
 * @param maxContinuationBytes what continuing streams takes, over all streams: three quarters of it for the requests and
 *     token ids that running streams keep, beyond which they are served and not continued, and the rest for asking backends
 *     to go on with those that broke, beyond which these end in an error; default 256 MiB
 * @param headerTimeout from the first byte of a request to the end of its headers, and longest silence inside its body;
 *     then 408; default 10 s
 * @param keepAliveTimeout longest rest of a client connection between requests; default 5 min, longer than the 60 s of
 *     usual load balancers in front, which should be the side that closes
 * @param shutdownGrace how long {@link RouterEngine#close()} lets answers that flow come to their end; default 5 s
 * @param adminKeys keys for the admin endpoints; without any, the ones that change something are refused
 * @param tls certificate and key of the listener; empty for plain HTTP
 * @param sharedPort whether another engine of the same user may listen on the same address at the same time, so that one
 *     process can follow another without a gap; default false, since two by mistake would each get half of the requests
 * @param backendCertificates PEM file of the authorities that {@code https} backends may have their certificates from;
 *     empty for the ones that the Java runtime trusts
 */
public record RouterConfig(
        String host,
        int port,
        int ioThreads,
        int maxBodyBytes,
        int maxHeaderBytes,
        long maxBufferedBytes,
        long maxContinuationBytes,
        Duration headerTimeout,
        Duration keepAliveTimeout,
        Duration shutdownGrace,
        List<NamedKey> adminKeys,
        Optional<Tls> tls,
        boolean sharedPort,
        Optional<Path> backendCertificates) {

    /** The loopback address. */
    public static final String DEFAULT_HOST = "127.0.0.1";

    /** The port that the router listens on unless told otherwise. */
    public static final int DEFAULT_PORT = 8080;

    /** Every default. */
    public static final RouterConfig DEFAULT = builder().build();

    /**
     * The listener's certificate. Immutable.
     *
     * @param certificateChain PEM file, the listener's certificate first
     * @param privateKey PEM file with its PKCS#8 key, not encrypted
     */
    public record Tls(Path certificateChain, Path privateKey) {

        /** Checks that both are there. */
        public Tls {
            Objects.requireNonNull(certificateChain, "certificateChain");
            Objects.requireNonNull(privateKey, "privateKey");
        }
    }

    /** Checks ranges and copies the keys. */
    public RouterConfig {
        Objects.requireNonNull(host, "host");
        require(port >= 0 && port <= 65_535, "port", port, "0 to 65535");
        require(ioThreads >= 1, "ioThreads", ioThreads, "1 or more");
        require(maxBodyBytes >= 1, "maxBodyBytes", maxBodyBytes, "1 or more");
        require(maxHeaderBytes >= 1024, "maxHeaderBytes", maxHeaderBytes, "1024 or more");
        require(maxBufferedBytes >= maxBodyBytes, "maxBufferedBytes", maxBufferedBytes, "maxBodyBytes or more");
        require(maxContinuationBytes >= 0, "maxContinuationBytes", maxContinuationBytes, "0 or more");
        require(isPositive(headerTimeout), "headerTimeout", headerTimeout, "longer than zero");
        require(isPositive(keepAliveTimeout), "keepAliveTimeout", keepAliveTimeout, "longer than zero");
        require(!shutdownGrace.isNegative(), "shutdownGrace", shutdownGrace, "zero or longer");
        adminKeys = List.copyOf(adminKeys);
        Objects.requireNonNull(tls, "tls");
        Objects.requireNonNull(backendCertificates, "backendCertificates");
    }

    /**
     * A builder with the defaults.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A builder with these values.
     *
     * @return a new builder
     */
    public Builder toBuilder() {
        Builder builder = new Builder()
                .host(host)
                .port(port)
                .ioThreads(ioThreads)
                .maxBodyBytes(maxBodyBytes)
                .maxHeaderBytes(maxHeaderBytes)
                .maxBufferedBytes(maxBufferedBytes)
                .maxContinuationBytes(maxContinuationBytes)
                .headerTimeout(headerTimeout)
                .keepAliveTimeout(keepAliveTimeout)
                .shutdownGrace(shutdownGrace)
                .adminKeys(adminKeys)
                .sharedPort(sharedPort);
        tls.ifPresent(builder::tls);
        backendCertificates.ifPresent(builder::backendCertificates);
        return builder;
    }

    private static boolean isPositive(Duration value) {
        return !value.isNegative() && !value.isZero();
    }

    private static void require(boolean holds, String field, Object value, String allowed) {
        if (!holds) {
            throw new IllegalArgumentException(
                    "router config: " + field + " is '" + value + "' but must be " + allowed);
        }
    }

    /** Builds a {@link RouterConfig}; setters are named like its components. Not thread-safe. */
    public static final class Builder {
        private String host = DEFAULT_HOST;
        private int port = DEFAULT_PORT;
        private int ioThreads = Math.min(8, Runtime.getRuntime().availableProcessors());
        private int maxBodyBytes = 32 << 20;
        private int maxHeaderBytes = 32 << 10;
        private long maxBufferedBytes = 256 << 20;
        private long maxContinuationBytes = 256 << 20;
        private Duration headerTimeout = Duration.ofSeconds(10);
        private Duration keepAliveTimeout = Duration.ofMinutes(5);
        private Duration shutdownGrace = Duration.ofSeconds(5);
        private List<NamedKey> adminKeys = List.of();
        private Optional<Tls> tls = Optional.empty();
        private boolean sharedPort;
        private Optional<Path> backendCertificates = Optional.empty();

        private Builder() {}

        /**
         * Sets {@link RouterConfig#host()}.
         *
         * @param value a numeric address or a name of this machine
         * @return this
         */
        public Builder host(String value) {
            this.host = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#port()}.
         *
         * @param value 0 to 65535
         * @return this
         */
        public Builder port(int value) {
            this.port = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#ioThreads()}.
         *
         * @param value 1 or more
         * @return this
         */
        public Builder ioThreads(int value) {
            this.ioThreads = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#maxBodyBytes()}.
         *
         * @param value 1 or more
         * @return this
         */
        public Builder maxBodyBytes(int value) {
            this.maxBodyBytes = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#maxHeaderBytes()}.
         *
         * @param value 1024 or more
         * @return this
         */
        public Builder maxHeaderBytes(int value) {
            this.maxHeaderBytes = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#maxBufferedBytes()}.
         *
         * @param value at least {@link RouterConfig#maxBodyBytes()}
         * @return this
         */
        public Builder maxBufferedBytes(long value) {
            this.maxBufferedBytes = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#maxContinuationBytes()}.
         *
         * @param value zero for none
         * @return this
         */
        public Builder maxContinuationBytes(long value) {
            this.maxContinuationBytes = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#headerTimeout()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder headerTimeout(Duration value) {
            this.headerTimeout = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#keepAliveTimeout()}.
         *
         * @param value longer than zero
         * @return this
         */
        public Builder keepAliveTimeout(Duration value) {
            this.keepAliveTimeout = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#shutdownGrace()}.
         *
         * @param value zero or longer
         * @return this
         */
        public Builder shutdownGrace(Duration value) {
            this.shutdownGrace = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#adminKeys()}.
         *
         * @param value any of which opens the admin endpoints
         * @return this
         */
        public Builder adminKeys(List<NamedKey> value) {
            this.adminKeys = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#tls()}.
         *
         * @param value certificate and key
         * @return this
         */
        public Builder tls(Tls value) {
            this.tls = Optional.of(value);
            return this;
        }

        /**
         * Sets {@link RouterConfig#sharedPort()}.
         *
         * @param value true to share
         * @return this
         */
        public Builder sharedPort(boolean value) {
            this.sharedPort = value;
            return this;
        }

        /**
         * Sets {@link RouterConfig#backendCertificates()}.
         *
         * @param value PEM file
         * @return this
         */
        public Builder backendCertificates(Path value) {
            this.backendCertificates = Optional.of(value);
            return this;
        }

        /**
         * Makes the config.
         *
         * @return the config
         * @throws IllegalArgumentException if a value is out of range; names it
         */
        public RouterConfig build() {
            return new RouterConfig(
                    host,
                    port,
                    ioThreads,
                    maxBodyBytes,
                    maxHeaderBytes,
                    maxBufferedBytes,
                    maxContinuationBytes,
                    headerTimeout,
                    keepAliveTimeout,
                    shutdownGrace,
                    adminKeys,
                    tls,
                    sharedPort,
                    backendCertificates);
        }
    }
}
