package dev.tuna.testkit.cloud.plugin;

import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;

/**
 * The provider {@code local-spot}: rented machines, spot and on demand, on the local cloud. Settings as for
 * {@link LocalProvider}.
 */
public final class LocalSpotProvider implements SpotProvider {

    /** For ServiceLoader. */
    public LocalSpotProvider() {}

    @Override
    public String name() {
        return "local-spot";
    }

    @Override
    public SpotCloud open(ProviderContext context) {
        return new LocalSpotCloud(context, Access.of(name(), context));
    }
}
