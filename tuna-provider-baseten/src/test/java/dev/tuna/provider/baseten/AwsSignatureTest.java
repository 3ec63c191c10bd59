package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Against the examples that AWS has published for S3 (Signature Calculations for the Authorization Header). */
class AwsSignatureTest {

    private static final String ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE";
    private static final Secret SECRET_KEY = Secret.of("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");

    @Test
    void aGetIsSignedAsPublished() {
        var headers = new TreeMap<>(Map.of(
                "host", "examplebucket.s3.amazonaws.com",
                "range", "bytes=0-9",
                "x-amz-content-sha256", AwsSignature.sha256(new byte[0]),
                "x-amz-date", "20130524T000000Z"));
        assertThat(AwsSignature.authorization("GET", "/test.txt", headers, "us-east-1", ACCESS_KEY, SECRET_KEY)
                        .reveal())
                .isEqualTo("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                        + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                        + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    }

    @Test
    void aPutOfAKeyWithOddCharactersIsSignedAsPublished() {
        var headers = new TreeMap<>(Map.of(
                "date", "Fri, 24 May 2013 00:00:00 GMT",
                "host", "examplebucket.s3.amazonaws.com",
                "x-amz-content-sha256", AwsSignature.sha256("Welcome to Amazon S3.".getBytes(StandardCharsets.UTF_8)),
                "x-amz-date", "20130524T000000Z",
                "x-amz-storage-class", "REDUCED_REDUNDANCY"));
        String path = "/" + AwsSignature.encodedPath("test$file.text");
        assertThat(AwsSignature.authorization("PUT", path, headers, "us-east-1", ACCESS_KEY, SECRET_KEY)
                        .reveal())
                .endsWith("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    }

    @Test
    void slashesPartAKeyAndEverythingElseIsEncodedOnce() {
        assertThat(AwsSignature.encodedPath("org 1/a+b/~c*d/é")).isEqualTo("org%201/a%2Bb/~c%2Ad/%C3%A9");
    }

    @Test
    void timesAreWrittenInUtcWithoutPunctuation() {
        assertThat(AwsSignature.time(Instant.parse("2026-11-30T23:59:07.5Z"))).isEqualTo("20261130T235907Z");
    }
}
