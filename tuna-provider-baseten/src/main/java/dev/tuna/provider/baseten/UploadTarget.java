package dev.tuna.provider.baseten;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import java.net.URI;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where an archive goes, with credentials that are good for that one object and for a short time.
 *
 * @param url the object's URL, every character in the form that is signed
 * @param key the object's key, which the commit names
 * @param region AWS region of the bucket
 * @param accessKey id of the credentials
 * @param secretKey secret of the credentials
 * @param sessionToken token of the session
 */
record UploadTarget(URI url, String key, String region, String accessKey, Secret secretKey, Secret sessionToken) {

    private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9.-]{1,62}");
    private static final Pattern REGION = Pattern.compile("[a-z0-9-]{1,32}");

    /**
     * Reads the answer of {@code POST /v1/prepare_model_upload}.
     *
     * @param base what stands in for S3, in tests
     */
    static UploadTarget of(JsonNode answer, Optional<URI> base) {
        String bucket = answer.path("s3_bucket").asText("");
        String region = answer.path("s3_region").asText("");
        String key = answer.path("s3_key").asText("");
        JsonNode creds = answer.path("creds");
        String accessKey = creds.path("aws_access_key_id").asText("");
        String secretKey = creds.path("aws_secret_access_key").asText("");
        String token = creds.path("aws_session_token").asText("");
        // The answer decides what is connected to, so it is not believed blindly.
        if (!BUCKET.matcher(bucket).matches()
                || !REGION.matcher(region).matches()
                || key.isEmpty()
                || key.startsWith("/")
                || accessKey.isEmpty()
                || secretKey.isEmpty()
                || token.isEmpty()) {
            throw ProviderException.of(BasetenProvider.NAME, "prepare upload")
                    .code(ErrorCode.PROVIDER_REFUSED)
                    .message("the answer does not say where the archive has to go")
                    .build();
        }
        return new UploadTarget(
                url(bucket, region, key, base), key, region, accessKey, Secret.of(secretKey), Secret.of(token));
    }

    private static URI url(String bucket, String region, String key, Optional<URI> base) {
        String object = AwsSignature.encodedPath(key);
        if (base.isPresent()) {
            return URI.create(base.get() + "/" + bucket + "/" + object);
        }
        // The certificate covers one label in front, so a bucket with dots goes into the path.
        return URI.create(
                bucket.contains(".")
                        ? "https://s3." + region + ".amazonaws.com/" + bucket + "/" + object
                        : "https://" + bucket + ".s3." + region + ".amazonaws.com/" + object);
    }
}
