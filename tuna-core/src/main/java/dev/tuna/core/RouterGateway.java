package dev.tuna.core;

import dev.tuna.core.control.Gateway;
import dev.tuna.router.Route;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RouterEngine;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Optional;

/**
 * The router's engine as the control plane sees it. Thread-safe.
 *
 * @param engine closed with this object
 * @param scheme what it speaks
 * @param publicAddress by which clients reach it, where that is not the one that it listens on
 */
record RouterGateway(RouterEngine engine, String scheme, Optional<URI> publicAddress) implements Gateway {

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
        return publicAddress.orElseGet(
                () -> URI.create(scheme + "://" + host(bound.getAddress()) + ":" + bound.getPort()));
    }

    /** Nobody can connect to the address that stands for all of them. */
    private static String host(InetAddress address) {
        if (address.isAnyLocalAddress()) {
            return "127.0.0.1";
        }
        String text = address.getHostAddress();
        return text.contains(":") ? "[" + text + "]" : text;
    }

    @Override
    public void close() {
        engine.close();
    }
}
