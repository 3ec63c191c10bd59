package dev.tuna.testkit.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The metadata service of an instance. */
class MetadataServerTest {

    private static final InstanceView INSTANCE = new InstanceView(
            "i-0123456789abcdef0",
            "us-east-1",
            "us-east-1b",
            "g5.xlarge",
            Market.SPOT,
            "ami-0123456789abcdef0",
            InstanceState.RUNNING,
            Base64.getEncoder().encodeToString("#!/bin/sh\n".getBytes(StandardCharsets.UTF_8)),
            Map.of("tuna-owner", "me"),
            "127.1.2.3",
            Optional.empty(),
            true,
            Instant.EPOCH);

    private Instant now = Instant.parse("2026-08-02T10:00:00Z");
    private final MetadataServer server = MetadataServer.start(INSTANCE, () -> now);
    private final HttpClient http = HttpClient.newHttpClient();

    @AfterEach
    void close() {
        server.close();
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private HttpRequest.Builder at(String path) {
        return HttpRequest.newBuilder(URI.create(server.uri() + path));
    }

    private String token(int seconds) throws IOException, InterruptedException {
        return send(at("/latest/api/token")
                        .header("X-aws-ec2-metadata-token-ttl-seconds", String.valueOf(seconds))
                        .PUT(BodyPublishers.noBody()))
                .body();
    }

    private HttpResponse<String> get(String path, String token) throws IOException, InterruptedException {
        return send(at(path).header("X-aws-ec2-metadata-token", token));
    }

    @Test
    void tellsNothingWithoutATokenThatIsValid() throws IOException, InterruptedException {
        assertThat(send(at("/latest/meta-data/instance-id")).statusCode()).isEqualTo(401);
        assertThat(get("/latest/meta-data/instance-id", "made-up").statusCode()).isEqualTo(401);
        String token = token(60);
        assertThat(get("/latest/meta-data/instance-id", token).body()).isEqualTo("i-0123456789abcdef0");
        now = now.plusSeconds(60);
        assertThat(get("/latest/meta-data/instance-id", token).statusCode()).isEqualTo(401);
        String other = token(60);
        server.forgetTokens();
        assertThat(get("/latest/meta-data/instance-id", other).statusCode()).isEqualTo(401);
    }

    @Test
    void givesNoTokenForAnUnknownTimeOrThroughAProxy() throws IOException, InterruptedException {
        assertThat(send(at("/latest/api/token").PUT(BodyPublishers.noBody())).statusCode())
                .isEqualTo(400);
        assertThat(send(at("/latest/api/token")
                                .header("X-aws-ec2-metadata-token-ttl-seconds", "21601")
                                .PUT(BodyPublishers.noBody()))
                        .statusCode())
                .isEqualTo(400);
        assertThat(send(at("/latest/api/token")
                                .header("X-aws-ec2-metadata-token-ttl-seconds", "60")
                                .header("X-Forwarded-For", "203.0.113.1")
                                .PUT(BodyPublishers.noBody()))
                        .statusCode())
                .isEqualTo(403);
    }

    @Test
    void handsOutTheCredentialsOfARoleIfThereIsOne() throws IOException, InterruptedException {
        String roles = "/latest/meta-data/iam/security-credentials/";
        String token = token(60);
        assertThat(get(roles, token).statusCode()).isEqualTo(404);
        server.role("router", Secret.of("AKIA1"), Secret.of("key"), now);
        assertThat(get(roles, token).body()).isEqualTo("router");
        assertThat(get(roles + "router", token).body())
                .contains("\"AccessKeyId\":\"AKIA1\"", "\"SecretAccessKey\":\"key\"", "2026-08-02T16:00:00Z");
    }

    @Test
    void tellsOfNoticeAndRebalanceWhenThereIsOne() throws IOException, InterruptedException {
        String token = token(60);
        assertThat(get("/latest/meta-data/spot/instance-action", token).statusCode())
                .isEqualTo(404);
        assertThat(get("/latest/meta-data/events/recommendations/rebalance", token)
                        .statusCode())
                .isEqualTo(404);
        server.notice(now.plusSeconds(120));
        server.rebalance(now);
        assertThat(get("/latest/meta-data/spot/instance-action", token).body())
                .isEqualTo("{\"action\":\"terminate\",\"time\":\"2026-08-02T10:02:00Z\"}");
        assertThat(get("/latest/meta-data/events/recommendations/rebalance", token)
                        .body())
                .isEqualTo("{\"noticeTime\":\"2026-08-02T10:00:00Z\"}");
        server.calm();
        assertThat(get("/latest/meta-data/spot/instance-action", token).statusCode())
                .isEqualTo(404);
    }

    @Test
    void tellsWhatTheInstanceIs() throws IOException, InterruptedException {
        String token = token(60);
        assertThat(get("/latest/user-data", token).body()).isEqualTo("#!/bin/sh\n");
        assertThat(get("/latest/meta-data/tags/instance/tuna-owner", token).body())
                .isEqualTo("me");
        assertThat(get("/latest/meta-data/placement/", token).body()).isEqualTo("availability-zone\nregion");
        assertThat(get("/latest/meta-data/public-ipv4", token).statusCode()).isEqualTo(404);
        assertThat(get("/latest/dynamic/instance-identity/document", token).body())
                .contains("\"region\":\"us-east-1\"");
    }
}
