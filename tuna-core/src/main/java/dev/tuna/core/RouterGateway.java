package dev.tuna.core;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.core.control.Gateway;
import dev.tuna.router.RouterListener;

/** The router's engine as the control plane sees it. */
final class RouterGateway {

    private RouterGateway() {}

    static Gateway open(String host, int port, Secret adminKey, RouterListener listener) {
        throw new ConfigurationException(
                ErrorCode.ENDPOINT_UNAVAILABLE, "the endpoint at " + host + ":" + port + " cannot be opened");
    }
}
