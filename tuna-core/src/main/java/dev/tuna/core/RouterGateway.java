package dev.tuna.core;

import dev.tuna.core.control.Gateway;
import dev.tuna.router.Route;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RouterEngine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The router's engine as the control plane sees it. Thread-safe.
 *
 * @param engine closed with this object
 * @param certificateFile what clients are shown; empty if it speaks plain HTTP
 * @param publicAddress by which clients reach it, where that is not the one that it listens on
 */
record RouterGateway(RouterEngine engine, Optional<Path> certificateFile, Optional<URI> publicAddress)
        implements Gateway {

    @Override
    public void put(Route route) {
        engine.put(route);
    }

    @Override
    public void remove(String deployment) {
        engine.remove(deployment);
    }

    @Override
    public RouteLoad load(String deployment) {
        return engine.load(deployment).orElse(RouteLoad.NONE);
    }

    @Override
    public URI address() {
        InetSocketAddress bound = engine.address();
        return publicAddress.orElseGet(() -> URI.create((certificateFile.isPresent() ? "https://" : "http://")
                + host(bound.getAddress()) + ":" + bound.getPort()));
    }

    /** Nobody can connect to the address that stands for all of them. */
    private static String host(InetAddress address) {
        if (address.isAnyLocalAddress()) {
            return "127.0.0.1";
        }
        String text = address.getHostAddress();
        return text.contains(":") ? "[" + text + "]" : text;
    }

    /** Read anew: it may have been renewed. */
    @Override
    public Optional<String> certificate() {
        return certificateFile.map(file -> {
            try {
                return Files.readString(file);
            } catch (IOException e) {
                throw new UncheckedIOException("certificate " + file + " cannot be read", e);
            }
        });
    }

    @Override
    public void close() {
        engine.close();
    }
}
