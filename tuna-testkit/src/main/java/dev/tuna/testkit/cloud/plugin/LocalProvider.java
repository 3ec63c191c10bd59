package dev.tuna.testkit.cloud.plugin;

import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessProvider;

/**
 * The provider {@code local}: serverless endpoints on the local cloud.
 *
 * <p>Setting {@code url}: where the cloud listens, for instance {@code http://127.0.0.1:7077}
 * ({@link dev.tuna.testkit.cloud.LocalCloud#settings()} gives it). It takes no options with a request and no container
 * image.
 */
public final class LocalProvider implements ServerlessProvider {

    /** For ServiceLoader. */
    public LocalProvider() {}

    @Override
    public String name() {
        return "local";
    }

    @Override
    public ServerlessCloud open(ProviderContext context) {
        return new LocalServerlessCloud(context, Access.of(name(), context));
    }
}
