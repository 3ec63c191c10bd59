package dev.tuna.testkit.aws;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The stand-in as a process of its own, steered from here. */
class AwsStandInMainIT {

    private static final String IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";

    private final HttpClient http = HttpClient.newHttpClient();
    private Process process;
    private URI aws;
    private String accessKey;
    private URI control;

    @BeforeEach
    void start() throws IOException {
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        AwsStandInMain.class.getName(),
                        "--exit-on-stdin-eof",
                        "--pending-time",
                        "PT0S",
                        "--shutdown-time",
                        "PT0S")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader output = process.inputReader();
        String[] words =
                output.readLine().substring(AwsStandInMain.SAYS.length()).split(" ");
        aws = URI.create(words[0] + "/");
        accessKey = words[1];
        control = URI.create(output.readLine().substring(AwsStandInMain.CONTROL.length()));
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        process.getOutputStream().close();
        assertThat(process.waitFor(30, TimeUnit.SECONDS))
                .as("ends with its input")
                .isTrue();
    }

    private HttpRequest.Builder signed(String service) {
        return HttpRequest.newBuilder(aws)
                .header(
                        "Authorization",
                        "AWS4-HMAC-SHA256 Credential=" + accessKey + "/20260802/us-east-1/" + service
                                + "/aws4_request, SignedHeaders=host, Signature=" + "0".repeat(64));
    }

    private String ec2(String action) throws IOException, InterruptedException {
        return http.send(
                        signed("ec2")
                                .POST(BodyPublishers.ofString("Version=2016-11-15&Action=" + action))
                                .build(),
                        BodyHandlers.ofString())
                .body();
    }

    private HttpResponse<String> order(String what) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create(control + "/" + what))
                        .POST(BodyPublishers.noBody())
                        .build(),
                BodyHandlers.ofString());
    }

    private String told(String what) throws IOException, InterruptedException {
        return http.send(
                        HttpRequest.newBuilder(URI.create(control + "/" + what)).build(), BodyHandlers.ofString())
                .body();
    }

    private String run() throws IOException, InterruptedException {
        String parameter = http.send(
                        signed("ssm")
                                .header("X-Amz-Target", "AmazonSSM.GetParameter")
                                .POST(BodyPublishers.ofString("{\"Name\":\"" + IMAGE + "\"}"))
                                .build(),
                        BodyHandlers.ofString())
                .body();
        String image = parameter.replaceFirst("(?s).*\"Value\":\"([^\"]+)\".*", "$1");
        return ec2(
                "RunInstances&MinCount=1&MaxCount=1&InstanceType=m5.large&InstanceMarketOptions.MarketType=spot&ImageId="
                        + image);
    }

    @Test
    void launchesAndLosesWhatItIsTold() throws IOException, InterruptedException {
        String made = run();
        assertThat(made).contains("<RunInstancesResponse", "<spotInstanceRequestId>sir-");
        String id = made.replaceFirst("(?s).*<instanceId>([^<]+)<.*", "$1");
        assertThat(told("instances")).contains(id, "\"state\":\"running\"", "\"market\":\"spot\"");
        assertThat(order("reclaim?instance=" + id).statusCode()).isEqualTo(204);
        assertThat(told("instances")).isEqualTo("[]");
        assertThat(told("meters")).contains("Server.SpotInstanceTermination", "\"usd\":");
        assertThat(told("things")).isEqualTo("[]");
    }

    @Test
    void runsDryAndFailsWhenItIsTold() throws IOException, InterruptedException {
        order("stock?zone=us-east-1a&type=m5.large&market=spot&instances=0");
        assertThat(run()).contains("<Code>InsufficientInstanceCapacity</Code>");
        order("fault?calls=ec2:DescribeInstances&kind=throttling");
        assertThat(ec2("DescribeInstances")).contains("RequestLimitExceeded");
        assertThat(ec2("DescribeInstances")).contains("<reservationSet></reservationSet>");
    }

    @Test
    void saysWhatItCanDo() throws IOException, InterruptedException {
        assertThat(order("marmalade")).satisfies(answer -> {
            assertThat(answer.statusCode()).isEqualTo(400);
            assertThat(answer.body()).contains("interrupt", "spot-price", "clear-faults");
        });
        assertThat(order("reclaim?instance=i-none").body()).contains("there is no instance i-none");
    }
}
