package dev.tuna.testkit.aws;

import dev.tuna.api.Secret;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorExchange;
import dev.tuna.testkit.vendor.VendorFault;
import dev.tuna.testkit.vendor.VendorRequest;
import dev.tuna.testkit.vendor.VendorServer;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The metadata service of one instance on a loopback port, with tokens as version 2 wants them: what is asked without one is
 * refused. Thread-safe.
 */
public final class MetadataServer implements AutoCloseable {

    private static final String TOKEN = "/latest/api/token";
    private static final String ROOT = "/latest/meta-data/";
    private static final String USER_DATA = "/latest/user-data";
    private static final String DOCUMENT = "/latest/dynamic/instance-identity/document";
    private static final String ACTION = "spot/instance-action";
    private static final String TERMINATION = "spot/termination-time";
    private static final String REBALANCE = "events/recommendations/rebalance";
    private static final String ROLES = "iam/security-credentials/";
    private static final Duration LONGEST = Duration.ofHours(6);

    private final InstantSource clock;
    private final VendorServer server;
    private final ConcurrentSkipListMap<String, String> values = new ConcurrentSkipListMap<>();
    private final Map<String, Instant> tokens = new ConcurrentHashMap<>();
    private final AtomicLong given = new AtomicLong();
    private volatile String userData = "";
    private volatile String document = "";

    private MetadataServer(InstantSource clock) {
        this.clock = clock;
        this.server = VendorServer.start(this::answer);
    }

    /**
     * Starts one that knows an instance.
     *
     * @param instance what it tells
     * @param clock by which tokens expire
     * @return a listening server
     */
    public static MetadataServer start(InstanceView instance, InstantSource clock) {
        MetadataServer made = new MetadataServer(Objects.requireNonNull(clock, "clock"));
        made.tell(instance);
        return made;
    }

    private void tell(InstanceView instance) {
        userData = instance.script();
        document =
                "{\"accountId\":\"%s\",\"availabilityZone\":\"%s\",\"imageId\":\"%s\",\"instanceId\":\"%s\",\"instanceType\":\"%s\",\"privateIp\":\"%s\",\"region\":\"%s\"}"
                        .formatted(
                                AwsAccount.ID,
                                instance.zone(),
                                instance.image(),
                                instance.id(),
                                instance.type(),
                                instance.privateAddress(),
                                instance.region());
        Map<String, String> told = new TreeMap<>();
        told.put("ami-id", instance.image());
        told.put("instance-id", instance.id());
        told.put("instance-type", instance.type());
        told.put("instance-life-cycle", instance.market().wire());
        told.put("local-ipv4", instance.privateAddress());
        told.put("placement/availability-zone", instance.zone());
        told.put("placement/region", instance.region());
        instance.publicAddress().ifPresent(address -> told.put("public-ipv4", address));
        if (instance.metadataTags()) {
            instance.tags().forEach((key, value) -> told.put("tags/instance/" + key, value));
        }
        values.putAll(told);
    }

    /**
     * Where it listens; a real one is {@code http://169.254.169.254}.
     *
     * @return {@code http://127.0.0.1:port}
     */
    public URI uri() {
        return server.uri();
    }

    /**
     * Announces that the instance will be terminated.
     *
     * @param at when
     */
    public void notice(Instant at) {
        String time = at.truncatedTo(ChronoUnit.SECONDS).toString();
        values.put(ACTION, "{\"action\":\"terminate\",\"time\":\"" + time + "\"}");
        values.put(TERMINATION, time);
    }

    /**
     * Recommends to move elsewhere.
     *
     * @param at when that is said
     */
    public void rebalance(Instant at) {
        values.put(REBALANCE, "{\"noticeTime\":\"" + at.truncatedTo(ChronoUnit.SECONDS) + "\"}");
    }

    /**
     * Hands out credentials to whatever runs on the instance.
     *
     * @param role name of the role of its instance profile
     * @param accessKey id of the key
     * @param secretKey the key itself
     * @param now they are good for six hours from then on
     */
    public void role(String role, Secret accessKey, Secret secretKey, Instant now) {
        values.put(
                ROLES + role,
                "{\"Code\":\"Success\",\"LastUpdated\":\"%s\",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"%s\",\"Token\":\"%s\",\"Expiration\":\"%s\"}"
                        .formatted(
                                now.truncatedTo(ChronoUnit.SECONDS),
                                accessKey.reveal(),
                                secretKey.reveal(),
                                Ids.fixed("", uri() + role),
                                now.plus(LONGEST).truncatedTo(ChronoUnit.SECONDS)));
    }

    /** Takes notice and recommendation back. */
    public void calm() {
        values.keySet().removeAll(List.of(ACTION, TERMINATION, REBALANCE));
    }

    /**
     * Tells something else.
     *
     * @param path below {@code /latest/meta-data/}
     * @param value what is answered
     */
    public void put(String path, String value) {
        values.put(path, value);
    }

    /** Forgets every token, as a service that restarts does. */
    public void forgetTokens() {
        tokens.clear();
    }

    /**
     * Adds a fault behind those in force.
     *
     * @param fault what to do wrong from now on
     */
    public void inject(VendorFault fault) {
        server.inject(fault);
    }

    /**
     * Every exchange so far.
     *
     * @return a snapshot
     */
    public List<VendorExchange> exchanges() {
        return server.exchanges();
    }

    private VendorAnswer answer(VendorRequest request) {
        if (request.path().equals(TOKEN)) {
            return request.method().equals("PUT") ? token(request) : status(405, "Method Not Allowed");
        }
        if (!request.method().equals("GET")) {
            return status(405, "Method Not Allowed");
        }
        boolean known = request.header("X-aws-ec2-metadata-token")
                .flatMap(token -> Optional.ofNullable(tokens.get(token)))
                .filter(until -> clock.instant().isBefore(until))
                .isPresent();
        return known ? value(request.path()) : status(401, "Unauthorized");
    }

    private VendorAnswer token(VendorRequest request) {
        String seconds = request.header("X-aws-ec2-metadata-token-ttl-seconds").orElse("");
        // A request that came through a proxy is refused, so that nobody outside can have one made.
        if (!seconds.matches("\\d{1,5}") || request.header("X-Forwarded-For").isPresent()) {
            return status(request.header("X-Forwarded-For").isPresent() ? 403 : 400, "Bad Request");
        }
        Duration lifetime = Duration.ofSeconds(Long.parseLong(seconds));
        if (lifetime.isZero() || lifetime.compareTo(LONGEST) > 0) {
            return status(400, "Bad Request");
        }
        String token =
                "AQAE" + Ids.fixed("", uri() + " " + given.incrementAndGet()).substring(1) + "==";
        tokens.put(token, clock.instant().plus(lifetime));
        return VendorAnswer.of(200, "text/plain", token).with("X-aws-ec2-metadata-token-ttl-seconds", seconds);
    }

    private VendorAnswer value(String path) {
        if (path.equals(USER_DATA)) {
            return userData.isEmpty()
                    ? status(404, "Not Found")
                    : VendorAnswer.of(200, "application/octet-stream", userData);
        }
        if (path.equals(DOCUMENT)) {
            return VendorAnswer.json(200, document);
        }
        if (!path.startsWith(ROOT)) {
            return status(404, "Not Found");
        }
        String name = path.substring(ROOT.length());
        String value = values.get(name);
        return value == null ? listing(name) : VendorAnswer.of(200, "text/plain", value);
    }

    /** What there is below a path, as a directory. */
    private VendorAnswer listing(String name) {
        String under = name.isEmpty() || name.endsWith("/") ? name : name + "/";
        List<String> children = values.navigableKeySet().tailSet(under).stream()
                .takeWhile(key -> key.startsWith(under))
                .map(key -> key.substring(under.length()))
                .map(key -> key.replaceFirst("/.*", "/"))
                .distinct()
                .toList();
        return children.isEmpty()
                ? status(404, "Not Found")
                : VendorAnswer.of(200, "text/plain", String.join("\n", children));
    }

    private static VendorAnswer status(int status, String title) {
        return VendorAnswer.of(
                status,
                "text/html",
                "<html><head><title>" + status + " - " + title + "</title></head><body></body></html>");
    }

    /** Stops listening; may be called twice. */
    @Override
    public void close() {
        server.close();
    }
}
