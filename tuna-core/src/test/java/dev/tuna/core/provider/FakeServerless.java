package dev.tuna.core.provider;

import dev.tuna.api.GpuOffer;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.PreflightReport;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import java.util.List;
import java.util.function.Function;

/** A serverless provider whose cloud is given by hand. */
public class FakeServerless implements ServerlessProvider {

    private final String name;
    private final Function<ProviderContext, ServerlessCloud> open;

    /** Opens a {@link Cloud} that has nothing. */
    public FakeServerless(String name) {
        this(name, context -> new Cloud());
    }

    public FakeServerless(String name, Function<ProviderContext, ServerlessCloud> open) {
        this.name = name;
        this.open = open;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public ServerlessCloud open(ProviderContext context) {
        return open.apply(context);
    }

    /** A cloud that does nothing until a test overrides a method. */
    public static class Cloud implements ServerlessCloud {

        @Override
        public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
            throw new UnsupportedOperationException("preflight");
        }

        @Override
        public List<GpuOffer> offers(GpuQuery query) {
            return List.of();
        }

        @Override
        public ServerlessPlan plan(ServerlessSpec spec) {
            throw new UnsupportedOperationException("plan");
        }

        @Override
        public ResourceRef begin(ServerlessPlan plan) {
            throw new UnsupportedOperationException("begin");
        }

        @Override
        public ServerlessObservation observe(ResourceRef resource) {
            throw new UnsupportedOperationException("observe");
        }

        @Override
        public void destroy(ResourceRef resource) {
            throw new UnsupportedOperationException("destroy");
        }

        @Override
        public List<FoundResource> find() {
            return List.of();
        }

        @Override
        public void close() {}
    }
}
