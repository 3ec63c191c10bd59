package dev.tuna.provider.baseten;

import dev.tuna.provider.support.Sleeper;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessProvider;

/**
 * The provider {@code baseten}: models of a Baseten workspace, each with a deployment in its environment
 * {@code production}.
 *
 * <p>Settings of the installation are described at {@link BasetenSettings}, options of a request at
 * {@link BasetenOptions}.
 */
public final class BasetenProvider implements ServerlessProvider {

    static final String NAME = "baseten";

    /** For {@link java.util.ServiceLoader}. */
    public BasetenProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public ServerlessCloud open(ProviderContext context) {
        return new BasetenCloud(context, System::getenv, Sleeper.REAL);
    }
}
