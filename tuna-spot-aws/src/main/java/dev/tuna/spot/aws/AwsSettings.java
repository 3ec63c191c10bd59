package dev.tuna.spot.aws;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.provider.support.SettingReader;
import java.net.URI;
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

    private static final URI CHECK_IP = URI.create("https://checkip.amazonaws.com");
    private static final String EXAMPLE = "http://127.0.0.1:8080";

    /**
     * Reads the settings of an installation; keys that requests may set too are left to {@link AwsOptions}.
     *
     * @throws ConfigurationException naming every value at fault
     */
    static AwsSettings of(Map<String, String> settings) {
        var reader = new SettingReader(AwsOptions.PROVIDER, settings);
        var read = new AwsSettings(
                reader.url(ENDPOINT, EXAMPLE),
                reader.text(PROFILE),
                Optional.ofNullable(settings.get(CREDENTIALS)).flatMap(name -> secret(name, reader)),
                reader.url(INGRESS_URL, EXAMPLE).orElse(CHECK_IP),
                reader.url(HUB_URL, EXAMPLE).orElse(ModelHub.HUGGING_FACE));
        if (read.profile.isPresent() && read.credentials.isPresent()) {
            reader.add(PROFILE + " and " + CREDENTIALS + " are both set; set one of them");
        }
        reader.throwIfAny();
        return read;
    }

    /** One that is left blank is a fault too: whoever names a secret does not mean whatever else is lying about. */
    private static Optional<SecretRef> secret(String name, SettingReader reader) {
        try {
            return Optional.of(new SecretRef(name));
        } catch (ConfigurationException e) {
            reader.add(CREDENTIALS + " must be the name of a secret, 1 to 128 characters of A-Z a-z 0-9 . _ / -");
            return Optional.empty();
        }
    }
}
