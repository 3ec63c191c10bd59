package dev.tuna.examples.command;

import java.net.URI;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A listen address as written on a command line.
 *
 * @param host name or address, without brackets
 * @param port 0 to 65535; 0 takes any free one
 */
public record HostPort(String host, int port) {

    /**
     * Reads {@code 127.0.0.1:8080}, {@code [::1]:8080}, {@code localhost:8080} or just a port, which means loopback.
     *
     * @param text as written
     * @return the address
     * @throws IllegalArgumentException naming the text and what is allowed
     */
    public static HostPort parse(String text) {
        URI uri;
        try {
            uri = URI.create("tcp://" + (text.matches("[0-9]+") ? "127.0.0.1:" + text : text));
        } catch (IllegalArgumentException e) {
            throw refused(text);
        }
        String host = uri.getHost();
        int port = uri.getPort();
        boolean address = host != null && uri.getRawAuthority().equals(host + ":" + port);
        if (!address || port < 0 || port > 65535 || !uri.getRawPath().isEmpty()) {
            throw refused(text);
        }
        return new HostPort(host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port);
    }

    private static IllegalArgumentException refused(String text) {
        return new IllegalArgumentException(
                "'" + text + "' is no listen address; write HOST:PORT, for instance 127.0.0.1:8080");
    }

    /** For picocli. */
    public static final class Converter implements ITypeConverter<HostPort> {

        @Override
        public HostPort convert(String text) {
            try {
                return parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
