package dev.tuna.examples.plugin;

import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessProvider;

/**
 * Fronts an OpenAI-compatible server that somebody else runs. Nothing is made and nothing is torn down: destroying a
 * deployment only forgets the server.
 *
 * <p>Options (of the request) or settings (of the installation): {@code url}, base URL without {@code /v1};
 * {@code api_key_secret}, name of the secret that holds the server's key, if it demands one; {@code usd_per_hour}, what
 * it costs, if that is known.
 */
public final class StaticProvider implements ServerlessProvider {

    /** For {@link java.util.ServiceLoader}. */
    public StaticProvider() {}

    @Override
    public String name() {
        return StaticServer.PROVIDER;
    }

    @Override
    public ServerlessCloud open(ProviderContext context) {
        return new StaticCloud(context);
    }
}
