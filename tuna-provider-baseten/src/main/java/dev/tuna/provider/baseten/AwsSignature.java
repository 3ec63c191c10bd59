package dev.tuna.provider.baseten;

import dev.tuna.api.Secret;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.SortedMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** AWS Signature Version 4 for one request to S3 without a query. Pure. */
final class AwsSignature {

    private static final String ALGORITHM = "AWS4-HMAC-SHA256";
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final int DATE_LENGTH = 8;

    private AwsSignature() {}

    /** A time as the header {@code x-amz-date} has it. */
    static String time(Instant now) {
        return TIME.format(now);
    }

    /** A key as a path, each character but the slash encoded as AWS encodes it. */
    static String encodedPath(String key) {
        return Arrays.stream(key.split("/", -1))
                .map(segment -> URLEncoder.encode(segment, StandardCharsets.UTF_8)
                        .replace("+", "%20")
                        .replace("*", "%2A")
                        .replace("%7E", "~"))
                .collect(Collectors.joining("/"));
    }

    static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /**
     * The header {@code Authorization}.
     *
     * @param method HTTP method
     * @param path encoded path, beginning with a slash
     * @param headers what is signed, names in lower case: {@code host}, {@code x-amz-content-sha256} and {@code x-amz-date}
     *     at least
     * @param region AWS region
     * @param accessKey id of the key
     * @param secretKey the key
     */
    static Secret authorization(
            String method,
            String path,
            SortedMap<String, String> headers,
            String region,
            String accessKey,
            Secret secretKey) {
        String time = headers.getOrDefault("x-amz-date", "");
        String date = time.substring(0, DATE_LENGTH);
        String scope = date + "/" + region + "/s3/aws4_request";
        String names = String.join(";", headers.keySet());
        StringBuilder canonical = new StringBuilder(method + "\n" + path + "\n\n");
        headers.forEach((name, value) ->
                canonical.append(name).append(':').append(value.strip()).append('\n'));
        canonical.append('\n').append(names).append('\n').append(headers.getOrDefault("x-amz-content-sha256", ""));
        String toSign = ALGORITHM + "\n" + time + "\n" + scope + "\n" + sha256(bytes(canonical.toString()));
        byte[] key = bytes("AWS4" + secretKey.reveal());
        for (String part : scope.split("/")) {
            key = hmac(key, part);
        }
        String signature = HexFormat.of().formatHex(hmac(key, toSign));
        return Secret.of(ALGORITHM + " Credential=" + accessKey + "/" + scope + ", SignedHeaders=" + names
                + ", Signature=" + signature);
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(bytes(text));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has HmacSHA256", e);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
