package dev.tuna.testkit.aws;

import dev.tuna.api.Secret;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * S3, with the bucket in the path: objects are put, fetched (with a signed URL too, until it expires), listed and deleted. Which
 * region a bucket is in makes no difference. Confined to the account's lock.
 */
final class Buckets {

    private static final String SERVICE = "s3";
    private static final String SIGNED = "X-Amz-Algorithm";
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT);
    private static final Pattern CREDENTIAL = Pattern.compile("([^/]+)/\\d{8}/([^/]+)/s3/aws4_request");
    private static final Duration LONGEST = Duration.ofDays(7);

    private final AwsAccount account;
    private final Map<String, Map<String, Thing>> buckets = new TreeMap<>();

    /**
     * An object.
     *
     * @param type its content type
     * @param content its bytes, a character each
     */
    private record Thing(String type, String content, Instant made) {}

    Buckets(AwsAccount account) {
        this.account = account;
    }

    /** Whether a request is meant for S3. */
    static boolean isFor(VendorRequest request) {
        return request.parameter(SIGNED).isPresent()
                || Signature.of(request)
                        .filter(signature -> signature.service().equals(SERVICE))
                        .isPresent();
    }

    /** As policies have it, with the region. */
    static String nameOf(VendorRequest request) {
        return signer(request).map(Signature::region).orElse("unsigned") + " " + actionOf(request);
    }

    private static String actionOf(VendorRequest request) {
        return switch (request.method()) {
            case "PUT" -> "s3:PutObject";
            case "DELETE" -> "s3:DeleteObject";
            case "HEAD" -> "s3:HeadObject";
            default -> request.parameter("list-type").isPresent() ? "s3:ListBucket" : "s3:GetObject";
        };
    }

    private static Optional<Signature> signer(VendorRequest request) {
        return Signature.of(request)
                .or(() -> query(request, "X-Amz-Credential")
                        .map(CREDENTIAL::matcher)
                        .filter(Matcher::matches)
                        .map(found -> new Signature(found.group(1), found.group(2), SERVICE)));
    }

    private static Optional<String> query(VendorRequest request, String name) {
        return request.parameter(name).map(value -> URLDecoder.decode(value, StandardCharsets.UTF_8));
    }

    void add(String bucket) {
        buckets.putIfAbsent(bucket, new TreeMap<>());
    }

    List<String> objects() {
        List<String> all = new ArrayList<>();
        buckets.forEach((bucket, things) -> things.keySet().forEach(key -> all.add(bucket + "/" + key)));
        return all;
    }

    VendorAnswer answer(VendorRequest request) {
        Signature signature = signer(request).orElseThrow(() -> new AwsError(403, "AccessDenied", "Access Denied"));
        if (!Secret.of(signature.accessKey()).equals(account.accessKey())) {
            throw new AwsError(
                    403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
        }
        if (request.parameter(SIGNED).isPresent()) {
            checkUrl(request);
        }
        String action = actionOf(request);
        String needed = action.equals("s3:HeadObject") ? "s3:GetObject" : action;
        if (!account.allows(needed)) {
            throw new AwsError(403, "AccessDenied", "User is not authorized to perform: " + needed);
        }
        String[] path = request.path().substring(1).split("/", 2);
        Map<String, Thing> bucket = buckets.get(path[0]);
        if (bucket == null) {
            throw new AwsError(404, "NoSuchBucket", "The specified bucket does not exist");
        }
        String key = path.length > 1 ? path[1] : "";
        return switch (action) {
            case "s3:PutObject" -> put(bucket, key, request);
            case "s3:DeleteObject" -> {
                bucket.remove(key);
                yield VendorAnswer.empty(204);
            }
            case "s3:ListBucket" -> list(path[0], bucket, request);
            case "s3:HeadObject" -> {
                Thing thing = find(bucket, key);
                yield VendorAnswer.of(200, thing.type(), "").with("ETag", etag(thing));
            }
            default -> {
                Thing thing = find(bucket, key);
                yield VendorAnswer.of(200, thing.type(), thing.content()).with("ETag", etag(thing));
            }
        };
    }

    /** What is signed is not recomputed. */
    private void checkUrl(VendorRequest request) {
        boolean complete = query(request, SIGNED).equals(Optional.of("AWS4-HMAC-SHA256"))
                && query(request, "X-Amz-SignedHeaders").equals(Optional.of("host"))
                && query(request, "X-Amz-Signature")
                        .filter(signature -> signature.matches("[0-9a-f]{64}"))
                        .isPresent();
        if (!complete) {
            throw new AwsError(
                    400,
                    "AuthorizationQueryParametersError",
                    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
        }
        try {
            Instant from = LocalDateTime.parse(query(request, "X-Amz-Date").orElse(""), DATE)
                    .toInstant(ZoneOffset.UTC);
            Duration time = Duration.ofSeconds(
                    Long.parseLong(query(request, "X-Amz-Expires").orElse("")));
            if (time.compareTo(LONGEST) > 0) {
                throw new AwsError(
                        400,
                        "AuthorizationQueryParametersError",
                        "X-Amz-Expires must be less than a week (in seconds)");
            }
            if (!account.now().isBefore(from.plus(time))) {
                throw new AwsError(403, "AccessDenied", "Request has expired");
            }
        } catch (DateTimeException | NumberFormatException e) {
            throw new AwsError(400, "AuthorizationQueryParametersError", "X-Amz-Date or X-Amz-Expires is malformed");
        }
    }

    private static Thing find(Map<String, Thing> bucket, String key) {
        Thing thing = bucket.get(key);
        if (thing == null) {
            throw new AwsError(404, "NoSuchKey", "The specified key does not exist.");
        }
        return thing;
    }

    private VendorAnswer put(Map<String, Thing> bucket, String key, VendorRequest request) {
        byte[] content = request.body().getBytes(StandardCharsets.ISO_8859_1);
        String told = request.header("x-amz-content-sha256").orElse("UNSIGNED-PAYLOAD");
        if (!told.equals("UNSIGNED-PAYLOAD") && !told.equals(digest("SHA-256", content))) {
            throw new AwsError(
                    400,
                    "XAmzContentSHA256Mismatch",
                    "The provided 'x-amz-content-sha256' header does not match what was computed, or the body is in chunks, which are not known here.");
        }
        Thing thing =
                new Thing(request.header("Content-Type").orElse("binary/octet-stream"), request.body(), account.now());
        bucket.put(key, thing);
        return VendorAnswer.empty(200).with("ETag", etag(thing));
    }

    private static String etag(Thing thing) {
        return '"' + digest("MD5", thing.content().getBytes(StandardCharsets.ISO_8859_1)) + '"';
    }

    private static String digest(String algorithm, byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private VendorAnswer list(String name, Map<String, Thing> bucket, VendorRequest request) {
        String prefix = query(request, "prefix").orElse("");
        List<Map.Entry<String, Thing>> found = bucket.entrySet().stream()
                .filter(each -> each.getKey().startsWith(prefix))
                .toList();
        Page<Map.Entry<String, Thing>> page = Page.of(
                found,
                query(request, "continuation-token"),
                account.pageSize(),
                AwsError.bad("InvalidArgument", "The continuation token provided is incorrect"));
        boolean encoded = query(request, "encoding-type").equals(Optional.of("url"));
        Xml out = new Xml()
                .put("Name", name)
                .put("Prefix", prefix)
                .put("KeyCount", page.items().size())
                .put("MaxKeys", account.pageSize())
                .put("IsTruncated", page.next().isPresent());
        page.next().ifPresent(next -> out.put("NextContinuationToken", next));
        if (encoded) {
            out.put("EncodingType", "url");
        }
        page.items()
                .forEach(each -> out.in(
                        "Contents",
                        item -> item.put(
                                        "Key",
                                        encoded
                                                ? URLEncoder.encode(each.getKey(), StandardCharsets.UTF_8)
                                                : each.getKey())
                                .put("LastModified", each.getValue().made())
                                .put("ETag", etag(each.getValue()))
                                .put("Size", each.getValue().content().length())
                                .put("StorageClass", "STANDARD")));
        return VendorAnswer.of(
                200,
                "application/xml",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                        + out + "</ListBucketResult>");
    }

    /** An error in S3's words. */
    static VendorAnswer error(AwsError error) {
        return VendorAnswer.of(
                error.status(),
                "application/xml",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>"
                        + new Xml().put("Code", error.code()).put("Message", error.text())
                        + "<RequestId>" + UUID.randomUUID() + "</RequestId></Error>");
    }
}
