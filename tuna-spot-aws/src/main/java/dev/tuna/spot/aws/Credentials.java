package dev.tuna.spot.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.SecretStore;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.SdkSystemSetting;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.profiles.ProfileFile;

/** Who calls. Tuna keeps no credentials: it asks the SDK's chain, or the store that the host put them into, for each call. */
final class Credentials {

    /** What is said where nobody has set up any. */
    static final String NONE = "no AWS credentials are set up";

    private static final Duration REST = Duration.ofSeconds(10);

    private static final List<SdkSystemSetting> SOURCES = List.of(
            SdkSystemSetting.AWS_ACCESS_KEY_ID,
            SdkSystemSetting.AWS_WEB_IDENTITY_TOKEN_FILE,
            SdkSystemSetting.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
            SdkSystemSetting.AWS_CONTAINER_CREDENTIALS_FULL_URI);

    private Credentials() {}

    static AwsCredentialsProvider of(AwsSettings settings, SecretStore secrets, InstantSource clock) {
        if (settings.credentials().isPresent()) {
            SecretRef ref = settings.credentials().get();
            return () -> read(ref, secrets);
        }
        DefaultCredentialsProvider.Builder chain = DefaultCredentialsProvider.builder();
        settings.profile().ifPresent(chain::profileName);
        return new Chain(chain.build(), clock);
    }

    /** Looking for credentials where there are none takes seconds: several calls that begin together need not all do it. */
    private static final class Chain implements AwsCredentialsProvider, AutoCloseable {

        private final DefaultCredentialsProvider chain;
        private final InstantSource clock;
        private final ReentrantLock lock = new ReentrantLock();

        // Guarded by lock:
        private @Nullable SdkClientException failure;
        private Instant failedAt = Instant.MIN;

        private Chain(DefaultCredentialsProvider chain, InstantSource clock) {
            this.chain = chain;
            this.clock = clock;
        }

        @Override
        public AwsCredentials resolveCredentials() {
            lock.lock();
            try {
                SdkClientException known = failure;
                if (known != null && clock.instant().isBefore(failedAt.plus(REST))) {
                    throw known;
                }
                failure = null;
                return chain.resolveCredentials();
            } catch (SdkClientException e) {
                if (failure == null) {
                    failure = isSetUp() ? e : missing(NONE);
                    failedAt = clock.instant();
                }
                throw failure;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            chain.close();
        }
    }

    /** Whether there is anything that could have been credentials; where there is not, it is no failure of theirs. */
    private static boolean isSetUp() {
        return SOURCES.stream().anyMatch(source -> source.getStringValue().isPresent())
                || !ProfileFile.defaultProfileFile().profiles().isEmpty();
    }

    private static AwsCredentials read(SecretRef ref, SecretStore secrets) {
        Secret secret = secrets.get(ref)
                .orElseThrow(() -> missing("credentials: there is no secret '" + ref.name() + "' in the secret store"));
        try {
            JsonNode json = SdkJson.JSON.readTree(secret.reveal());
            String id = json.path("AccessKeyId").asText("");
            String key = json.path("SecretAccessKey").asText("");
            String session = json.path("SessionToken").asText("");
            if (id.isEmpty() || key.isEmpty()) {
                throw missing("credentials: secret '" + ref.name() + "' has no AccessKeyId and SecretAccessKey");
            }
            return session.isEmpty()
                    ? AwsBasicCredentials.create(id, key)
                    : AwsSessionCredentials.create(id, key, session);
        } catch (JsonProcessingException e) {
            // Its message would quote what could not be read.
            throw missing("credentials: secret '" + ref.name() + "' is not JSON");
        }
    }

    private static SdkClientException missing(String why) {
        return SdkClientException.create(why);
    }
}
