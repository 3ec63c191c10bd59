package dev.tuna.core;

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

/** A plugin around another one; a test overrides what it wants to happen on the way. */
public class ForwardingServerless implements ServerlessProvider, ServerlessCloud {

    private final ServerlessProvider provider;

    @SuppressWarnings("NullAway.Init")
    private ServerlessCloud cloud;

    @SuppressWarnings("NullAway.Init")
    protected ProviderContext context;

    protected ForwardingServerless(ServerlessProvider provider) {
        this.provider = provider;
    }

    @Override
    public String name() {
        return provider.name();
    }

    @Override
    public ServerlessCloud open(ProviderContext opened) {
        context = opened;
        cloud = provider.open(opened);
        return this;
    }

    @Override
    public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
        return cloud.preflight(spec, fix);
    }

    @Override
    public List<GpuOffer> offers(GpuQuery query) {
        return cloud.offers(query);
    }

    @Override
    public ServerlessPlan plan(ServerlessSpec spec) {
        return cloud.plan(spec);
    }

    @Override
    public ResourceRef begin(ServerlessPlan plan) {
        return cloud.begin(plan);
    }

    @Override
    public ServerlessObservation observe(ResourceRef resource) {
        return cloud.observe(resource);
    }

    @Override
    public void destroy(ResourceRef resource) {
        cloud.destroy(resource);
    }

    @Override
    public List<FoundResource> find() {
        return cloud.find();
    }

    @Override
    public void close() {
        cloud.close();
    }
}
