package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Makes tokens and knows them again. Thread-safe. */
final class Tokens {

    private static final Base64.Encoder TO_TEXT = Base64.getUrlEncoder().withoutPadding();
    private static final Base64.Decoder FROM_TEXT = Base64.getUrlDecoder();

    private final InstantSource clock;
    private final Duration lifetime;
    private final byte[] signingKey = new byte[32];
    private final SecureRandom random = new SecureRandom();
    private final Map<String, Access> access = new ConcurrentHashMap<>();
    private final Set<String> minted = ConcurrentHashMap.newKeySet();

    private record Access(String account, Instant end) {}

    Tokens(InstantSource clock, Duration lifetime) {
        this.clock = clock;
        this.lifetime = lifetime;
        random.nextBytes(signingKey);
    }

    /** Costs a second of work, and is the same for every stand-in of a process. */
    private static final class AccountKey {
        static final KeyPair PAIR = made();

        private static KeyPair made() {
            try {
                KeyPairGenerator keys = KeyPairGenerator.getInstance("RSA");
                keys.initialize(2048);
                return keys.generateKeyPair();
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every Java platform has RSA", e);
            }
        }
    }

    /** The service account's private key as a key file has it. */
    String privateKey() {
        return "-----BEGIN PRIVATE KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'})
                        .encodeToString(AccountKey.PAIR.getPrivate().getEncoded())
                + "\n-----END PRIVATE KEY-----\n";
    }

    long lifetimeSeconds() {
        return lifetime.toSeconds();
    }

    /** Every token that was ever made, so that a test can look for leaks. */
    Set<String> minted() {
        return Set.copyOf(minted);
    }

    String accessToken(String account) {
        byte[] bytes = new byte[48];
        random.nextBytes(bytes);
        String token = "ya29." + TO_TEXT.encodeToString(bytes);
        access.put(token, new Access(account, clock.instant().plus(lifetime)));
        minted.add(token);
        return token;
    }

    /** Whose access token it is, while it lives. */
    Optional<String> accessAccount(String token) {
        return Optional.ofNullable(access.get(token))
                .filter(known -> clock.instant().isBefore(known.end()))
                .map(Access::account);
    }

    String idToken(String account, String audience) {
        Instant now = clock.instant();
        ObjectNode claims = StandInService.JSON.createObjectNode();
        claims.put("iss", "https://accounts.google.com").put("aud", audience);
        claims.put("sub", HexFormat.of().formatHex(account.getBytes(StandardCharsets.UTF_8)));
        claims.put("email", account).put("email_verified", true);
        claims.put("iat", now.getEpochSecond());
        claims.put("exp", now.plus(lifetime).getEpochSecond());
        String head = text("{\"alg\":\"RS256\",\"kid\":\"standin\",\"typ\":\"JWT\"}") + "." + text(claims.toString());
        String token = head + "." + TO_TEXT.encodeToString(sign(head));
        minted.add(token);
        return token;
    }

    /** The claims of an ID token that was made here and lives. */
    Optional<JsonNode> idClaims(String token) {
        int end = token.lastIndexOf('.');
        try {
            if (end < 0
                    || !MessageDigest.isEqual(
                            sign(token.substring(0, end)), FROM_TEXT.decode(token.substring(end + 1)))) {
                return Optional.empty();
            }
            JsonNode claims = claims(token);
            boolean lives =
                    clock.instant().getEpochSecond() < claims.path("exp").asLong();
            return lives ? Optional.of(claims) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** The claims that a service account has signed with its key. */
    Optional<JsonNode> assertion(String jwt) {
        int end = jwt.lastIndexOf('.');
        try {
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initVerify(AccountKey.PAIR.getPublic());
            signature.update(jwt.substring(0, Math.max(0, end)).getBytes(StandardCharsets.UTF_8));
            return signature.verify(FROM_TEXT.decode(jwt.substring(end + 1)))
                    ? Optional.of(claims(jwt))
                    : Optional.empty();
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static JsonNode claims(String jwt) {
        try {
            return StandInService.JSON.readTree(
                    new String(FROM_TEXT.decode(jwt.split("\\.")[1]), StandardCharsets.UTF_8));
        } catch (JacksonException | ArrayIndexOutOfBoundsException e) {
            throw new IllegalArgumentException("no JWT", e);
        }
    }

    private byte[] sign(String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(signingKey, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }

    private static String text(String json) {
        return TO_TEXT.encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }
}
