package dev.tuna.spot.aws.standin;

import static dev.tuna.spot.aws.standin.Clients.EAST;
import static dev.tuna.spot.aws.standin.Clients.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.sts.StsClient;

/** Who gets in, and how those who do not are told. */
class AccessTest {

    /**
     * What is left of EC2's AuthFailure: the JDK's connections take a status of 401 for a question to themselves and keep the
     * body when they cannot answer it, so that the SDK's client on them sees no code.
     */
    private static final String AUTH_FAILURE = "null 401";

    private final Clients clients = new Clients();

    @AfterEach
    void close() {
        clients.close();
    }

    @Test
    void whoIsKnownIsTold() {
        try (StsClient sts = clients.client(StsClient.builder(), EAST)) {
            assertThat(sts.getCallerIdentity()).satisfies(caller -> {
                assertThat(caller.account()).isEqualTo(clients.aws.accountId());
                assertThat(caller.arn()).startsWith("arn:aws:iam::" + clients.aws.accountId());
            });
        }
    }

    @Test
    void everyServiceRefusesAStrangerInItsOwnWords() {
        try (StsClient sts = clients.client(StsClient.builder(), EAST, "AKIASTRANGER");
                Ec2Client ec2 = clients.client(Ec2Client.builder(), EAST, "AKIASTRANGER");
                SsmClient ssm = clients.client(SsmClient.builder(), EAST, "AKIASTRANGER")) {
            assertThat(refusal(sts::getCallerIdentity)).isEqualTo("InvalidClientTokenId 403");
            assertThat(refusal(() -> ec2.describeInstances(it -> {}))).isEqualTo(AUTH_FAILURE);
            assertThat(refusal(() -> ssm.getParameter(it -> it.name("/a"))))
                    .isEqualTo("UnrecognizedClientException 400");
        }
    }

    @Test
    void aRegionThatTheAccountHasNotIsRefused() {
        try (Ec2Client ec2 = clients.ec2("af-south-1")) {
            assertThat(refusal(() -> ec2.describeInstances(it -> {}))).isEqualTo(AUTH_FAILURE);
        }
    }

    @Test
    void aRequestWithoutSignatureIsRefused() throws IOException, InterruptedException {
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(clients.aws.uri() + "/"))
                                .POST(BodyPublishers.ofString("Action=DescribeInstances&Version=2016-11-15"))
                                .build(),
                        BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(403);
        assertThat(answer.body()).contains("<Errors><Error><Code>MissingAuthenticationToken</Code>");
    }

    @Test
    void theBodyOfAnAuthFailureIsThereForWhoCanReadIt() throws IOException, InterruptedException {
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(clients.aws.uri() + "/"))
                                .header(
                                        "Authorization",
                                        "AWS4-HMAC-SHA256 Credential=AKIASTRANGER/20260802/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature="
                                                + "0".repeat(64))
                                .POST(BodyPublishers.ofString("Action=DescribeInstances&Version=2016-11-15"))
                                .build(),
                        BodyHandlers.ofString());
        assertThat(answer.body()).contains("<Code>AuthFailure</Code>");
    }

    @Test
    void rightsAreTakenOneByOneAndRehearsalsTell() {
        assertThat(refusal(() -> clients.ec2.describeInstances(it -> it.dryRun(true))))
                .isEqualTo("DryRunOperation 412");
        clients.aws.deny("ec2:DescribeInstances");
        assertThat(refusal(() -> clients.ec2.describeInstances(it -> it.dryRun(true))))
                .isEqualTo("UnauthorizedOperation 403");
        assertThat(refusal(() -> clients.ec2.describeInstances(it -> {}))).isEqualTo("UnauthorizedOperation 403");
        assertThat(refusal(() -> clients.ec2.describeVolumes(it -> {}))).isEqualTo("none");
        clients.aws.allow("ec2:DescribeInstances");
        assertThat(refusal(() -> clients.ec2.describeInstances(it -> {}))).isEqualTo("none");
        assertThat(refusal(() -> clients.ec2.createSecurityGroup(
                        it -> it.groupName("g").description("d").dryRun(true))))
                .isEqualTo("DryRunOperation 412");
        assertThat(clients.aws.things()).isEmpty();
    }
}
