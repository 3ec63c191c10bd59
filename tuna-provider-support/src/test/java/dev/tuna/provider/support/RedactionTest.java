package dev.tuna.provider.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedactionTest {

    private static final Redaction GUESSING = Redaction.of(List.of());

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Authorization: Bearer LEAK.LEAK-LEAK",
                "got header basic TEVBSzpMRUFL==LEAK",
                "{\"api_key\":\"LEAK-LEAK\"}",
                "{\"error\":\"{\\\"apiKey\\\": \\\"LEAKLEAK\\\"}\"}",
                "password=LEAKLEAK&x=1",
                "Modal-Secret: as-LEAKLEAKLEAK",
                "key sk-proj-LEAKLEAKLEAK is wrong",
                "token hf_LEAKLEAKLEAKLEAK expired",
                "rpa_LEAKLEAKLEAKLEAK",
                "AKIALEAKLEAKLEAK1234",
                "AIzaLEAKLEAKLEAKLEAKLEAKLEAK",
                "eyJLEAKLEAK.eyJLEAK.LEAK-LEAK",
                "see https://bucket.s3.example/a/b?X-Amz-Signature=LEAK&X-Amz-Date=1",
                "https://user:LEAK@host.example/x",
                "-----BEGIN RSA PRIVATE KEY-----\nLEAK\nLEAK\n-----END RSA PRIVATE KEY----- and then",
                "value 9LEAK0123456789abcdefghijklmnopqrstuvwxyzABCDEF here"
            })
    void hidesWhatLooksLikeASecret(String text) {
        assertThat(GUESSING.redact(text)).doesNotContain("LEAK").contains("***");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"error\":{\"message\":\"max_tokens: 4096 is above 2048\",\"code\":400}}",
                "endpoint e-123 in us-east-1 not found, see https://docs.example/errors/e-123",
                "tuna-0a1b2c3d: image vllm/vllm-openai:v0.12.0 not found",
                "request 3f2b8c1e-7a54-4d1c-9f0e-1a2b3c4d5e6f failed",
                "https://host.example/path is down"
            })
    void leavesOrdinaryTextAlone(String text) {
        assertThat(GUESSING.redact(text)).isEqualTo(text);
    }

    @Test
    void hidesKnownSecretsInEveryForm() {
        Secret secret = Secret.of("a b/c\"d+e");
        Redaction redaction = Redaction.of(List.of(secret));
        String base64 = Base64.getEncoder().encodeToString(secret.reveal().getBytes(StandardCharsets.UTF_8));
        assertThat(redaction.redact("1 a b/c\"d+e 2 a+b%2Fc%22d%2Be 3 a b/c\\\"d+e 4 " + base64))
                .isEqualTo("1 *** 2 *** 3 *** 4 ***");
    }

    @Test
    void hidesTheWordsOfAKnownHeaderValue() {
        Redaction redaction = Redaction.of(List.of(Secret.of("Bearer plain-word")));
        assertThat(redaction.redact("the bearer of plain-word")).isEqualTo("the bearer of ***");
    }

    @Test
    void hidesTheLongerOfTwoKnownSecretsWhole() {
        Redaction redaction = Redaction.of(List.of(Secret.of("plain"), Secret.of("plainer-words")));
        assertThat(redaction.redact("plainer-words")).isEqualTo("***");
    }

    @ParameterizedTest
    @CsvSource({"0", "3", "6", "9"})
    void neverCutsASecretIntoARecognisablePiece(int before) {
        Redaction redaction = Redaction.of(List.of(Secret.of("plain-word")));
        assertThat(redaction.quote(" ".repeat(3) + "x".repeat(before) + " plain-word", 12))
                .doesNotContain("plain")
                .hasSizeLessThanOrEqualTo(12);
    }

    @Test
    void quotesOnOneLine() {
        assertThat(GUESSING.quote(" a\n  b\tc ", 20)).isEqualTo("a b c");
        assertThat(GUESSING.quote("abcdef", 4)).isEqualTo("abc…");
        assertThat(GUESSING.quote(" \n", 4)).isEmpty();
    }

    @Test
    void staysFastOnHostileText() {
        for (String piece : List.of(
                "key",
                "Bearer ",
                "eyJaaaaaaaa.",
                "https://a?",
                "-----BEGIN PRIVATE KEY",
                "-----BEGIN PRIVATE KEY-----\n",
                "a1_",
                "\\\"")) {
            String hostile = piece.repeat(1_000_000 / piece.length());
            org.junit.jupiter.api.Assertions.assertTimeoutPreemptively(
                    java.time.Duration.ofSeconds(60), () -> GUESSING.redact(hostile));
        }
    }
}
