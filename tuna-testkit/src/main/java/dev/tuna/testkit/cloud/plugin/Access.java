package dev.tuna.testkit.cloud.plugin;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.TunaException;
import dev.tuna.spi.ProviderContext;
import dev.tuna.testkit.cloud.LocalCloudMain;
import dev.tuna.testkit.cloud.model.CloudApi;
import java.net.URI;
import java.util.Optional;

/**
 * The way to the cloud, or why there is none. Immutable.
 *
 * @param provider the plugin's name
 * @param api the cloud; empty if the settings do not lead to one
 * @param base what endpoint URLs begin with
 * @param problem what is wrong with the settings; empty if nothing
 * @param missing whether what is wrong is that there is none
 */
record Access(String provider, Optional<CloudApi> api, URI base, String problem, boolean missing) {

    static final String FIX = "java -cp CLASSPATH " + LocalCloudMain.class.getName() + " --port "
            + LocalCloudMain.DEFAULT_PORT + " and set url to http://127.0.0.1:" + LocalCloudMain.DEFAULT_PORT;

    private static final URI NOWHERE = URI.create("http://127.0.0.1:" + LocalCloudMain.DEFAULT_PORT);

    /** Goes by the setting {@code url}; does not contact the cloud. */
    static Access of(String provider, ProviderContext context) {
        String url = context.settings().getOrDefault("url", "");
        if (url.isBlank()) {
            return new Access(
                    provider, Optional.empty(), NOWHERE, "setting url of provider " + provider + " is missing", true);
        }
        try {
            URI base = URI.create(url.replaceAll("/+$", ""));
            return new Access(provider, Optional.of(new HttpCloud(provider, base, context)), base, "", false);
        } catch (IllegalArgumentException e) {
            return new Access(
                    provider,
                    Optional.empty(),
                    NOWHERE,
                    "setting url of provider " + provider + " is '" + url + "' but must be an http URL: "
                            + e.getMessage(),
                    false);
        }
    }

    CloudApi cloud() {
        return api.orElseThrow(() -> new ConfigurationException(
                missing ? ErrorCode.NOT_CONFIGURED : ErrorCode.INVALID_REQUEST,
                problem + "; start a local cloud: " + FIX));
    }

    Check check() {
        return problem.isEmpty()
                ? Check.passed("url_set", "the local cloud is at " + base)
                : Check.failed("url_set", problem, FIX);
    }

    /** What preflight says when the cloud fails instead of answering. */
    static Check unreadable(TunaException failure) {
        return new Check(
                "cloud_reachable",
                failure.retryable() ? Outcome.UNKNOWN : Outcome.FAILED,
                String.valueOf(failure.getMessage()),
                Optional.of(FIX));
    }
}
