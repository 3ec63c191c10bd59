package dev.tuna.provider.cloudrun;

import com.google.auth.http.HttpTransportFactory;
import com.google.auth.oauth2.ComputeEngineCredentials;
import com.google.auth.oauth2.ExternalAccountAuthorizedUserCredentials;
import com.google.auth.oauth2.ExternalAccountCredentials;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.IdTokenProvider;
import com.google.auth.oauth2.ImpersonatedCredentials;
import com.google.auth.oauth2.ServiceAccountCredentials;
import com.google.auth.oauth2.UserCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Who calls Google: a credential of one of Google's kinds. Thread-safe.
 *
 * @param where where it was found, in words
 * @param type the {@code type} of its file, or {@code metadata_server}
 * @param credentials what mints tokens
 * @param account the service account's address, where it is one
 */
record Login(String where, String type, GoogleCredentials credentials, Optional<String> account) {

    private static final String SCOPE = "https://www.googleapis.com/auth/cloud-platform";
    private static final String METADATA = "metadata_server";

    static Login of(CredentialSource.Found found, HttpTransportFactory transport) throws IOException {
        String type = found.field("type").orElse("");
        try (InputStream text = new ByteArrayInputStream(found.text().reveal().getBytes(StandardCharsets.UTF_8))) {
            // The type is named so that a file can only be what it says it is.
            GoogleCredentials credentials = switch (type) {
                case "service_account" -> ServiceAccountCredentials.fromStream(text, transport);
                case "authorized_user" -> UserCredentials.fromStream(text, transport);
                case "impersonated_service_account" -> ImpersonatedCredentials.fromStream(text, transport);
                case "external_account" -> ExternalAccountCredentials.fromStream(text, transport);
                case "external_account_authorized_user" ->
                    ExternalAccountAuthorizedUserCredentials.fromStream(text, transport);
                default ->
                    throw new IOException("its type is '" + type
                            + "' but must be service_account, authorized_user, impersonated_service_account,"
                            + " external_account or external_account_authorized_user");
            };
            return new Login(found.where(), type, ready(credentials), account(credentials));
        }
    }

    /** The account of the machine that this runs on. */
    static Login onGoogle(HttpTransportFactory transport, Optional<String> account) {
        GoogleCredentials credentials = ComputeEngineCredentials.newBuilder()
                .setHttpTransportFactory(transport)
                .build();
        return new Login("the metadata server", METADATA, ready(credentials), account);
    }

    /** Without the library's own pauses: whoever calls is in a hurry and comes again. */
    private static GoogleCredentials ready(GoogleCredentials credentials) {
        GoogleCredentials patient = credentials.createScopedRequired() ? credentials.createScoped(SCOPE) : credentials;
        return patient.createWithCustomRetryStrategy(false);
    }

    private static Optional<String> account(GoogleCredentials credentials) {
        if (credentials instanceof ServiceAccountCredentials serviceAccount) {
            return Optional.ofNullable(serviceAccount.getClientEmail());
        }
        return credentials instanceof ImpersonatedCredentials impersonated
                ? Optional.ofNullable(impersonated.getAccount())
                : Optional.empty();
    }

    /** What can mint an ID token for a service: a person's login makes them out to gcloud, which Cloud Run refuses. */
    Optional<IdTokenProvider> idTokens() {
        return credentials instanceof IdTokenProvider provider && !(credentials instanceof UserCredentials)
                ? Optional.of(provider)
                : Optional.empty();
    }

    /** Google asks people, but not service accounts, to say which project their calls are counted for. */
    boolean isPerson() {
        return type.equals("authorized_user") || type.equals("external_account_authorized_user");
    }

    Optional<String> quotaProject() {
        return Optional.ofNullable(credentials.getQuotaProjectId());
    }

    /** Without the credential. */
    @Override
    public String toString() {
        return "Login[" + type + " of " + where + "]";
    }
}
