package dev.tuna.spot.aws;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.ModelHub;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an installation says about AWS that no request may change. Immutable.
 *
 * @param endpoint {@code endpoint}: one URL in place of all of AWS's hosts, for tests
 * @param profile {@code profile}: the profile of the shared credentials file; default the SDK's own choice
 * @param credentials {@code credentials_secret}: the secret that holds credentials as JSON, as {@code aws configure
 *     export-credentials} prints them; default the SDK's chain: environment, shared files, container, instance
 * @param ingressUrl {@code ingress_url}: what answers with the address that this host is seen from
 * @param hubUrl {@code hub_url}: where Hugging Face tells how large a model is
 */
record AwsSettings(
        Optional<URI> endpoint, Optional<String> profile, Optional<SecretRef> credentials, URI ingressUrl, URI hubUrl) {

    private static final String ENDPOINT = "endpoint";
    private static final String PROFILE = "profile";
    private static final String CREDENTIALS = "credentials_secret";
    private static final String INGRESS_URL = "ingress_url";
    private static final String HUB_URL = "hub_url";

    /** Keys that a request must not set, since the cloud is opened before a request is known. */
    static final List<String> KEYS = List.of(ENDPOINT, PROFILE, CREDENTIALS, INGRESS_URL, HUB_URL);

    private static final String CHECK_IP = "https://checkip.amazonaws.com";

    /**
     * Reads the settings of an installation; keys that requests may set too are left to {@link AwsOptions}.
     *
     * @throws ConfigurationException naming every value at fault
     */
    static AwsSettings of(Map<String, String> settings) {
        List<String> problems = new ArrayList<>();
        var read = new AwsSettings(
                Optional.ofNullable(settings.get(ENDPOINT)).flatMap(url -> url(ENDPOINT, url, problems)),
                Optional.ofNullable(settings.get(PROFILE)).map(String::strip).filter(name -> !name.isEmpty()),
                Optional.ofNullable(settings.get(CREDENTIALS)).flatMap(name -> secret(name, problems)),
                url(INGRESS_URL, settings.getOrDefault(INGRESS_URL, CHECK_IP), problems)
                        .orElse(URI.create(CHECK_IP)),
                Optional.ofNullable(settings.get(HUB_URL))
                        .flatMap(url -> url(HUB_URL, url, problems))
                        .orElse(ModelHub.HUGGING_FACE));
        if (read.profile.isPresent() && read.credentials.isPresent()) {
            problems.add(PROFILE + " and " + CREDENTIALS + " are both set; set one of them");
        }
        if (!problems.isEmpty()) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST, "settings of provider " + AwsOptions.PROVIDER, problems);
        }
        return read;
    }

    private static Optional<URI> url(String key, String value, List<String> problems) {
        try {
            URI url = URI.create(value.strip().replaceFirst("/+$", ""));
            if (("http".equals(url.getScheme()) || "https".equals(url.getScheme())) && url.getHost() != null) {
                return Optional.of(url);
            }
        } catch (IllegalArgumentException e) {
            // Said below, with what is allowed.
        }
        problems.add(key + " is not a URL such as http://127.0.0.1:8080");
        return Optional.empty();
    }

    private static Optional<SecretRef> secret(String name, List<String> problems) {
        try {
            return Optional.of(new SecretRef(name));
        } catch (ConfigurationException e) {
            problems.add(CREDENTIALS + " must be the name of a secret, 1 to 128 characters of A-Z a-z 0-9 . _ / -");
            return Optional.empty();
        }
    }
}
