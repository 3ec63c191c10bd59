package dev.tuna.spot.aws.standin;

import static dev.tuna.spot.aws.standin.Clients.EAST;
import static dev.tuna.spot.aws.standin.Clients.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.ssm.model.ParameterType;
import software.amazon.awssdk.services.ssm.model.PutParameterRequest;

/** Buckets and parameters, before AWS's own clients. */
class StorageTest {

    private final Clients clients = new Clients();
    private final S3Client s3 = clients.client(
            S3Client.builder()
                    .forcePathStyle(true)
                    .serviceConfiguration(configuration -> configuration.chunkedEncodingEnabled(false)),
            EAST);

    StorageTest() {
        clients.aws.bucket("things");
    }

    @AfterEach
    void close() {
        s3.close();
        clients.close();
    }

    private void put(String key, byte[] content) {
        s3.putObject(
                request -> request.bucket("things").key(key).contentType("application/java-archive"),
                RequestBody.fromBytes(content));
    }

    @Test
    void objectsAreKeptByteByByteUntilTheyAreDeleted() {
        byte[] content = new byte[1024];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) i;
        }
        put("a/one", content);
        put("a/two words", content);
        put("b", content);
        assertThat(s3.getObjectAsBytes(request -> request.bucket("things").key("a/one"))
                        .asByteArray())
                .isEqualTo(content);
        assertThat(s3.headObject(request -> request.bucket("things").key("b")).contentType())
                .isEqualTo("application/java-archive");
        assertThat(s3.listObjectsV2(request -> request.bucket("things").prefix("a/"))
                        .contents())
                .extracting(S3Object::key)
                .containsExactly("a/one", "a/two words");
        s3.deleteObject(request -> request.bucket("things").key("a/one"));
        s3.deleteObject(request -> request.bucket("things").key("a/one"));
        assertThat(clients.aws.objects()).containsExactly("things/a/two words", "things/b");
    }

    @Test
    void whatIsNotThereIsTold() {
        assertThat(refusal(() ->
                        s3.getObjectAsBytes(request -> request.bucket("things").key("x"))))
                .isEqualTo("NoSuchKey 404");
        assertThat(refusal(
                        () -> s3.headObject(request -> request.bucket("things").key("x"))))
                .endsWith(" 404");
        assertThat(refusal(() ->
                        s3.getObjectAsBytes(request -> request.bucket("nobodys").key("x"))))
                .isEqualTo("NoSuchBucket 404");
        clients.aws.deny("s3:PutObject");
        assertThat(refusal(() -> put("x", new byte[1]))).isEqualTo("AccessDenied 403");
    }

    /** The URL is signed by the system's clock; here it is looked at by another one. */
    @Test
    void signedUrlsAreGoodForAWhile() throws IOException {
        put("one", "content".getBytes(StandardCharsets.UTF_8));
        clients.clock.pass(Duration.between(clients.clock.instant(), Instant.now()));
        URL url;
        try (S3Presigner presigner = S3Presigner.builder()
                .endpointOverride(clients.aws.uri())
                .region(Region.of(EAST))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create(
                        clients.aws.accessKey().reveal(),
                        clients.aws.secretKey().reveal())))
                .serviceConfiguration(
                        S3Configuration.builder().pathStyleAccessEnabled(true).build())
                .build()) {
            url = presigner
                    .presignGetObject(request -> request.signatureDuration(Duration.ofHours(1))
                            .getObjectRequest(object -> object.bucket("things").key("one")))
                    .url();
        }
        assertThat(fetch(url)).isEqualTo("200 content");
        assertThat(fetch(new URL(url.toString().replaceFirst("X-Amz-Signature=..", "X-Amz-Signature="))))
                .startsWith("400 ");
        clients.clock.pass(Duration.ofMinutes(61));
        assertThat(fetch(url)).startsWith("403 ").contains("Request has expired");
    }

    private static String fetch(URL url) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) url.openConnection();
        int status = connection.getResponseCode();
        try (InputStream in = status < 400
                ? connection.getInputStream()
                : Objects.requireNonNullElse(connection.getErrorStream(), InputStream.nullInputStream())) {
            return status + " " + new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void parametersAreSealedAndShortAndNotOverwrittenByChance() {
        try (SsmClient ssm = clients.client(SsmClient.builder(), EAST)) {
            PutParameterRequest put = PutParameterRequest.builder()
                    .name("/tuna/one")
                    .type(ParameterType.SECURE_STRING)
                    .value("secret")
                    .build();
            assertThat(ssm.putParameter(put).version()).isEqualTo(1);
            assertThat(refusal(() -> ssm.putParameter(put))).isEqualTo("ParameterAlreadyExists 400");
            assertThat(ssm.putParameter(put.toBuilder().overwrite(true).build()).version())
                    .isEqualTo(2);
            assertThat(ssm.getParameter(request -> request.name("/tuna/one"))
                            .parameter()
                            .value())
                    .doesNotContain("secret");
            assertThat(ssm.getParameter(request -> request.name("/tuna/one").withDecryption(true))
                            .parameter()
                            .value())
                    .isEqualTo("secret");
            assertThat(refusal(() -> ssm.putParameter(put.toBuilder()
                            .name("/tuna/two")
                            .value("x".repeat(4097))
                            .build())))
                    .isEqualTo("ValidationException 400");
            assertThat(clients.aws.parameters()).isEqualTo(List.of("us-east-1/tuna/one"));
            ssm.deleteParameter(request -> request.name("/tuna/one"));
            assertThat(refusal(() -> ssm.deleteParameter(request -> request.name("/tuna/one"))))
                    .isEqualTo("ParameterNotFound 400");
            assertThat(clients.aws.things()).isEmpty();
        }
    }
}
