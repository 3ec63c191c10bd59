package dev.tuna.testkit.baseten;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The part of S3 that a push needs: PUT of one object with credentials that were made for it, signed with Signature Version 4,
 * and what is in the archive. Thread-safe.
 */
final class Bucket {

    static final String NAME = "baseten-user-models-standin";
    static final String REGION = "us-west-2";

    private static final int BLOCK = 512;
    private static final Pattern AUTHORIZATION = Pattern.compile(
            "AWS4-HMAC-SHA256 Credential=([^/]+)/(\\d{8})/([^/]+)/s3/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})");

    /** Key of the object to the credentials that may put it. */
    private final Map<String, Grant> grants = new ConcurrentHashMap<>();

    private final Map<String, String> configs = new ConcurrentHashMap<>();

    private record Grant(String accessKey, String secretKey, String sessionToken) {}

    /** Permission for one object. */
    ObjectNode grant() {
        String id = UUID.randomUUID().toString().replace("-", "");
        Grant grant =
                new Grant("ASIA" + id.substring(0, 16).toUpperCase(java.util.Locale.ROOT), "s3cr3t/" + id, "tok+" + id);
        String key = "organizations/org 1/models/" + id + "/model.tgz";
        grants.put(key, grant);
        ObjectNode json = BasetenRoutes.JSON.createObjectNode();
        json.putObject("creds")
                .put("aws_access_key_id", grant.accessKey)
                .put("aws_secret_access_key", grant.secretKey)
                .put("aws_session_token", grant.sessionToken);
        return json.put("s3_bucket", NAME).put("s3_key", key).put("s3_region", REGION);
    }

    /** Every secret that was ever granted, to be looked for where it must not be. */
    java.util.List<String> secrets() {
        return grants.values().stream()
                .flatMap(grant -> java.util.stream.Stream.of(grant.secretKey, grant.sessionToken))
                .toList();
    }

    /** {@code config.yaml} of an archive; empty if it was never uploaded. */
    Optional<String> config(String key) {
        return Optional.ofNullable(configs.get(key));
    }

    /**
     * A PUT.
     *
     * @param key object
     * @param path the whole path as it was signed, decoded
     */
    VendorAnswer put(String key, String path, VendorRequest request) {
        Grant grant = grants.get(key);
        Matcher signed = AUTHORIZATION.matcher(request.header("Authorization").orElse(""));
        if (grant == null || !signed.matches() || !signed.group(1).equals(grant.accessKey)) {
            return error(403, "AccessDenied", "Access Denied");
        }
        if (!request.header("x-amz-security-token").orElse("").equals(grant.sessionToken)) {
            return error(403, "InvalidToken", "The provided token is malformed or otherwise invalid.");
        }
        byte[] body = request.body().getBytes(StandardCharsets.UTF_8);
        if (!request.header("x-amz-content-sha256").orElse("").equals(sha256(body))) {
            return error(400, "XAmzContentSHA256Mismatch", "The provided header does not match what was computed.");
        }
        if (!signature(grant, signed, path, request).equals(signed.group(5))) {
            return error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.");
        }
        Optional<String> config = configOf(body);
        if (config.isEmpty()) {
            return error(400, "InvalidRequest", "not a tar with a config.yaml");
        }
        configs.put(key, config.get());
        return VendorAnswer.empty(200).with("ETag", "\"" + sha256(body).substring(0, 32) + "\"");
    }

    private static String signature(Grant grant, Matcher signed, String path, VendorRequest request) {
        String headers = Arrays.stream(signed.group(4).split(";"))
                .map(name -> name + ":" + request.header(name).orElse("").strip() + "\n")
                .collect(Collectors.joining());
        String canonical = "PUT\n" + encoded(path) + "\n\n" + headers + "\n" + signed.group(4) + "\n"
                + request.header("x-amz-content-sha256").orElse("");
        String scope = signed.group(2) + "/" + signed.group(3) + "/s3/aws4_request";
        String toSign = "AWS4-HMAC-SHA256\n" + request.header("x-amz-date").orElse("") + "\n" + scope + "\n"
                + sha256(canonical.getBytes(StandardCharsets.UTF_8));
        byte[] key = ("AWS4" + grant.secretKey).getBytes(StandardCharsets.UTF_8);
        for (String part : new String[] {signed.group(2), signed.group(3), "s3", "aws4_request", toSign}) {
            key = hmac(key, part);
        }
        return HexFormat.of().formatHex(key);
    }

    private static String encoded(String path) {
        return Arrays.stream(path.split("/", -1))
                .map(segment ->
                        URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20"))
                .collect(Collectors.joining("/"));
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static VendorAnswer error(int status, String code, String message) {
        return VendorAnswer.of(
                status,
                "application/xml",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code + "</Code><Message>" + message
                        + "</Message></Error>");
    }

    /** The content of the file {@code config.yaml}, which must be the first and have a right header. */
    private static Optional<String> configOf(byte[] tar) {
        if (tar.length < 3 * BLOCK || tar.length % BLOCK != 0) {
            return Optional.empty();
        }
        String name = text(tar, 0, 100);
        int length = octal(tar, 124, 12);
        int sum = 0;
        for (int at = 0; at < BLOCK; at++) {
            sum += at >= 148 && at < 156 ? ' ' : tar[at] & 0xff;
        }
        boolean right = name.equals("config.yaml")
                && text(tar, 257, 6).equals("ustar")
                && tar[156] == '0'
                && octal(tar, 148, 8) == sum
                && BLOCK + length <= tar.length - 2 * BLOCK;
        return right ? Optional.of(new String(tar, BLOCK, length, StandardCharsets.UTF_8)) : Optional.empty();
    }

    private static String text(byte[] tar, int from, int length) {
        return new String(tar, from, length, StandardCharsets.US_ASCII).replaceFirst("\0.*", "");
    }

    private static int octal(byte[] tar, int from, int length) {
        String digits = text(tar, from, length).strip();
        return digits.matches("[0-7]+") ? Integer.parseInt(digits, 8) : -1;
    }
}
