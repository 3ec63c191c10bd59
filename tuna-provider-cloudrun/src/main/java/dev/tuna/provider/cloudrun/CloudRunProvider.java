package dev.tuna.provider.cloudrun;

import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessProvider;

/**
 * The provider {@code cloudrun}: services with a GPU on Google Cloud Run.
 *
 * <p>Settings of the installation: {@code credentials_secret}, name of the secret that holds a Google credential file as
 * JSON (default {@code cloudrun/credentials}; if there is none, Application Default Credentials: the file that
 * {@code GOOGLE_APPLICATION_CREDENTIALS} names, gcloud's own, the metadata server); {@code quota_project}, the project that
 * API calls are counted for; {@code observe_interval_seconds}, how long an observation is used (default 10); {@code api_url},
 * one URL in place of all of Google's hosts, and {@code hub_url}, one in place of Hugging Face's, for tests. Options of a request are described at {@link CloudRunOptions}; each
 * of them may be a setting too.
 */
public final class CloudRunProvider implements ServerlessProvider {

    static final String NAME = "cloudrun";

    /** For {@link java.util.ServiceLoader}. */
    public CloudRunProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public ServerlessCloud open(ProviderContext context) {
        return new CloudRunCloud(context, System::getenv);
    }
}
