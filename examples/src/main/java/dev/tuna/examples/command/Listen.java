package dev.tuna.examples.command;

import picocli.CommandLine.Option;

/** Where the endpoint of all deployments listens. */
final class Listen {

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:8080",
            converter = HostPort.Converter.class,
            description = "Where the endpoint listens (default: ${DEFAULT-VALUE}).")
    private HostPort address = new HostPort("127.0.0.1", 8080);

    String host() {
        return address.host();
    }

    int port() {
        return address.port();
    }

    /** The same option again, for another process that is to listen on this port. */
    String word(int port) {
        return "--listen=" + (host().contains(":") ? "[" + host() + "]" : host()) + ":" + port;
    }
}
