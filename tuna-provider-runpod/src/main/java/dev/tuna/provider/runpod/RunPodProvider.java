package dev.tuna.provider.runpod;

import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessProvider;

/**
 * The provider {@code runpod}: serverless endpoints of RunPod.
 *
 * <p>Settings of the installation: {@code api_key_secret}, name of the secret that holds the API key (default
 * {@code runpod/api-key}, and if there is none the environment variable {@code RUNPOD_API_KEY}); {@code endpoint_key_secret},
 * name of a secret with a narrower key that the router sends to endpoints (default the API key);
 * {@code observe_interval_seconds}, how long an observation is used (default 10); {@code api_url},
 * {@code serverless_url} and {@code hub_url}, for tests. Options of a request are described at {@link RunPodOptions}.
 */
public final class RunPodProvider implements ServerlessProvider {

    static final String NAME = "runpod";

    /** For {@link java.util.ServiceLoader}. */
    public RunPodProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public ServerlessCloud open(ProviderContext context) {
        return new RunPodCloud(context, System::getenv);
    }
}
