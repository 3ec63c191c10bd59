package dev.tuna.core;

import dev.tuna.api.Secret;
import dev.tuna.core.control.Gateway;
import dev.tuna.router.NamedKey;
import dev.tuna.router.Route;
import dev.tuna.router.RouteLoad;
import dev.tuna.router.RouterConfig;
import dev.tuna.router.RouterEngine;
import dev.tuna.router.RouterListener;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;

/** The router's engine as the control plane sees it. */
final class RouterGateway implements Gateway {

    private final RouterEngine engine;

    private RouterGateway(RouterEngine engine) {
        this.engine = engine;
    }

    @SuppressWarnings("DoNotCallSuggester")
    static Gateway open(String host, int port, Secret adminKey, RouterListener listener) {
        RouterConfig config = RouterConfig.builder()
                .host(host)
                .port(port)
                .adminKeys(List.of(NamedKey.of("admin", adminKey)))
                .build();
        return new RouterGateway(
                RouterEngine.builder().config(config).listener(listener).start());
    }

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
        String host = bound.getAddress().isAnyLocalAddress() ? "127.0.0.1" : bound.getHostString();
        return URI.create("http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + bound.getPort());
    }

    @Override
    public void close() {
        engine.close();
    }
}
