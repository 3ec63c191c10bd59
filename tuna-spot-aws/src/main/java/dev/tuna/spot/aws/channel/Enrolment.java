package dev.tuna.spot.aws.channel;

import dev.tuna.api.Secret;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The proof by which a machine shows that it was launched with a token, without telling it: an HMAC over a number used once
 * and over the certificate at its end of the connection. Who sits in between has another certificate, and so no use for it.
 */
final class Enrolment {

    private static final String PROTOCOL = "tuna-enrol-1";
    private static final int NONCE_BYTES = 32;

    private final byte[] nonce = new byte[NONCE_BYTES];

    Enrolment() {
        new SecureRandom().nextBytes(nonce);
    }

    /** What the machine is asked with, in hexadecimal digits. */
    String nonce() {
        return HexFormat.of().formatHex(nonce);
    }

    /** Whether the answer proves that the holder of a certificate knows the token. Constant time. */
    boolean isProvedBy(String answer, X509Certificate shown, Secret token) {
        byte[] given = answer.matches("[0-9a-f]{64}") ? HexFormat.of().parseHex(answer) : new byte[0];
        return MessageDigest.isEqual(given, proof(shown, token));
    }

    private byte[] proof(X509Certificate shown, Secret token) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(token.reveal().getBytes(StandardCharsets.US_ASCII), "HmacSHA256"));
            mac.update(PROTOCOL.getBytes(StandardCharsets.US_ASCII));
            mac.update(nonce);
            return mac.doFinal(MessageDigest.getInstance("SHA-256").digest(shown.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java runtime has no HMAC", e);
        }
    }
}
