package dev.tuna.testkit.aws;

import dev.tuna.testkit.vendor.VendorRequest;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who signed a request and for what, as its {@code Authorization} header says (Signature Version 4). Whether the signature is
 * right is not looked at.
 *
 * @param accessKey who
 * @param region for which region
 * @param service for which service, for instance {@code ec2}
 */
record Signature(String accessKey, String region, String service) {

    private static final Pattern HEADER = Pattern.compile(
            "AWS4-HMAC-SHA256 Credential=([^/]+)/\\d{8}/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=\\S+, ?Signature=[0-9a-f]{64}");

    static Optional<Signature> of(VendorRequest request) {
        return request.header("Authorization")
                .map(HEADER::matcher)
                .filter(Matcher::matches)
                .map(found -> new Signature(found.group(1), found.group(2), found.group(3)));
    }
}
