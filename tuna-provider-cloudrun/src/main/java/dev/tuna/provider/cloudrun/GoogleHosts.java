package dev.tuna.provider.cloudrun;

import java.net.URI;
import java.util.Optional;

/**
 * Google's hosts, or one URL in place of all of them. Immutable.
 *
 * @param instead the one URL, for tests
 */
record GoogleHosts(Optional<URI> instead) {

    static final String RUN = "run.googleapis.com";
    static final String SERVICE_USAGE = "serviceusage.googleapis.com";
    static final String BILLING = "cloudbilling.googleapis.com";
    static final String RESOURCE_MANAGER = "cloudresourcemanager.googleapis.com";
    static final String IAM_CREDENTIALS = "iamcredentials.googleapis.com";
    static final String QUOTAS = "cloudquotas.googleapis.com";
    static final String MONITORING = "monitoring.googleapis.com";
    static final String LOGGING = "logging.googleapis.com";
    static final String METADATA = "metadata.google.internal";

    /** Where an API is. */
    URI of(String host) {
        return instead.orElseGet(() -> URI.create("https://" + host));
    }

    /** The same URL, at the one that stands in if it is one of Google's. */
    URI redirected(URI url) {
        String host = url.getHost();
        if (instead.isEmpty() || host == null || !(host.endsWith(".googleapis.com") || host.equals(METADATA))) {
            return url;
        }
        String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
        return URI.create(instead.get() + url.getRawPath() + query);
    }
}
