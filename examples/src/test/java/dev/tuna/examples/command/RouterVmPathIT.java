package dev.tuna.examples.command;

import static dev.tuna.testkit.crash.Patience.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.core.Tuna;
import dev.tuna.examples.command.Commands.Result;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.InstanceState;
import dev.tuna.testkit.aws.InstanceView;
import dev.tuna.testkit.aws.SandboxInstances;
import dev.tuna.testkit.machine.ClassPathJar;
import dev.tuna.testkit.machine.MachineSandbox;
import dev.tuna.testkit.runpod.RunPodStandIn;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A deployment that lives on when the command that made it has ended, before the stand-ins of AWS and RunPod: every command, the
 * router's machine and the replicas are processes of their own.
 */
class RouterVmPathIT {

    private static final String BUCKET = "artifacts";
    private static final int AGENT_PORT = 8443;
    private static final String MODEL = "Qwen/Qwen3-0.6B";

    /** As the tag of the router's machine has it. */
    private static final String ROUTER = "tuna-router-vm";

    /** What a machine streams in twice the time between notice and end. */
    private static final int TOKENS = 400;

    private static final String TOKENS_PER_SECOND = "40";
    private static final Duration NOTICE = Duration.ofSeconds(5);

    @TempDir
    private Path temporary;

    @SuppressWarnings("NullAway.Init")
    private AwsStandIn aws;

    @SuppressWarnings("NullAway.Init")
    private RunPodStandIn runpod;

    private final List<Commands> all = new ArrayList<>();

    @BeforeEach
    void start() {
        assumeTrue(MachineSandbox.missing().isEmpty(), "no machines here");
        aws = AwsStandIn.builder()
                .runner(new SandboxInstances(machines(), AGENT_PORT, "--standin-tokens-per-second", TOKENS_PER_SECOND))
                .start();
        aws.bucket(BUCKET);
        runpod = RunPodStandIn.builder().start();
    }

    @AfterEach
    void close() throws IOException {
        for (Commands each : all) {
            each.close();
        }
        if (aws != null) {
            aws.close();
        }
        if (runpod != null) {
            runpod.close();
        }
    }

    private Path machines() {
        return temporary.resolve("machines");
    }

    // --- who commands

    /** Somebody with an account of AWS. */
    private Map<String, String> account() {
        return Map.of(
                "AWS_ACCESS_KEY_ID", aws.accessKey().reveal(),
                "AWS_SECRET_ACCESS_KEY", aws.secretKey().reveal(),
                "HOME", temporary.toString());
    }

    private Commands commands(String state, Map<String, String> environment) {
        var made = new Commands(temporary.resolve(state), environment);
        all.add(made);
        return made;
    }

    /** Where it is deployed from: there is the jar, and what else is needed to deploy. */
    private Commands deployer() throws IOException {
        var environment = new HashMap<>(account());
        environment.put("RUNPOD_API_KEY", runpod.key().reveal());
        environment.put("HF_TOKEN", "hf_of_the_hub");
        if (Commands.jar().isEmpty()) {
            environment.put(
                    "TUNA_ROUTER_VM_JAR",
                    ClassPathJar.make(temporary.resolve("tuna.jar")).toString());
        }
        environment.put("TUNA_ROUTER_VM_PORT", Integer.toString(freePort()));
        return commands("deployer", environment);
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** A command line, and where the stand-ins are. */
    private String[] line(String words) {
        var line = new ArrayList<>(List.of(words.split(" ")));
        var settings = new HashMap<>(aws.settings());
        settings.remove("credentials_secret"); // they are in the environment, or on the machine
        settings.forEach((key, value) -> line.addAll(List.of("-P", "aws." + key + "=" + value)));
        runpod.settings().forEach((key, value) -> line.addAll(List.of("-P", "runpod." + key + "=" + value)));
        return line.toArray(String[]::new);
    }

    private Result run(Commands commands, String words) throws Exception {
        Result result = commands.run(line(words));
        assertThat(result.exitCode())
                .as(words + ": " + result.out() + result.err())
                .isZero();
        return result;
    }

    private JsonNode json(Commands commands, String words) throws Exception {
        return new JsonMapper().readTree(run(commands, words + " --output json").out());
    }

    // --- what there is

    private List<InstanceView> live() {
        return aws.instances().stream()
                .filter(instance -> instance.state() != InstanceState.TERMINATED)
                .toList();
    }

    private InstanceView vm() {
        return live().stream()
                .filter(instance -> instance.tags().containsKey(ROUTER))
                .findFirst()
                .orElseThrow();
    }

    private List<InstanceView> replicas() {
        return live().stream()
                .filter(instance -> !instance.tags().containsKey(ROUTER))
                .toList();
    }

    private void assertThatNothingIsLeft() {
        assertThat(aws.things()).as("at AWS").isEmpty();
        assertThat(aws.fleets()).as("fleets").isEmpty();
        assertThat(aws.objects()).as("in the bucket").isEmpty();
        assertThat(aws.parameters()).as("parameters").isEmpty();
        assertThat(runpod.endpoints()).as("at RunPod").isEmpty();
    }

    // --- clients

    /** What the screen of a deploy says of how to reach it. */
    private record Printed(URI endpoint, String key, Path certificate, String curl) {

        static Printed on(String screen) {
            return new Printed(
                    URI.create(fact(screen, "endpoint")),
                    fact(screen, "key"),
                    Path.of(fact(screen, "shows")),
                    fact(screen, "try it"));
        }

        private static String fact(String screen, String name) {
            Matcher found = Pattern.compile("(?m)^  " + name + " +(.+)$").matcher(screen);
            assertThat(found.find()).as(name + " in " + screen).isTrue();
            return found.group(1);
        }

        /** Believes this one certificate, and nothing else. */
        HttpClient pinned() throws IOException, GeneralSecurityException {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            try (InputStream pem = Files.newInputStream(certificate)) {
                trusted.setCertificateEntry(
                        "router", CertificateFactory.getInstance("X.509").generateCertificate(pem));
            }
            var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory.getTrustManagers(), null);
            return HttpClient.newBuilder().sslContext(context).build();
        }

        HttpRequest chat(String key, int tokens, boolean stream) {
            return HttpRequest.newBuilder(URI.create(endpoint + "/chat/completions"))
                    .timeout(Duration.ofSeconds(60))
                    .header("Content-Type", "application/json")
                    .header("Authorization", "Bearer " + key)
                    .POST(HttpRequest.BodyPublishers.ofString(
                            "{\"model\":\"" + MODEL + "\",\"ignore_eos\":true,\"max_tokens\":" + tokens + ",\"stream\":"
                                    + stream + ",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                    .build();
        }
    }

    /** Begins a stream, has something happen in the middle of it, and hears it out. */
    private static List<String> streamed(HttpClient http, HttpRequest chat, Runnable meanwhile) throws Exception {
        HttpResponse<Stream<String>> answer = http.send(chat, BodyHandlers.ofLines());
        assertThat(answer.statusCode()).isEqualTo(200);
        var lines = new ArrayList<String>();
        Iterator<String> coming = answer.body().iterator();
        for (int i = 0; i < 20; i++) {
            lines.add(coming.next());
        }
        meanwhile.run();
        coming.forEachRemaining(lines::add);
        return lines;
    }

    private static String pasted(String line) throws Exception {
        Process shell = new ProcessBuilder(
                        "sh", "-c", line.replaceFirst("^curl ", "curl --silent --show-error --fail "))
                .redirectErrorStream(true)
                .start();
        String answer = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(shell.waitFor()).as(answer).isZero();
        return answer;
    }

    /** What the machines say, for whoever has to find out why one does not do what it should. */
    private String story() {
        try (Stream<Path> roots = Files.list(machines())) {
            return roots.map(root -> Stream.of("console", "var/lib/tuna/run.log", "var/lib/tuna/agent.log")
                            .map(root::resolve)
                            .filter(Files::exists)
                            .map(RouterVmPathIT::text)
                            .collect(Collectors.joining("\n", root.getFileName() + ":\n", "\n")))
                    .collect(Collectors.joining());
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    @DisplayName(
            "F-16, O-08 to O-16, M-05: at AWS it outlives the command and a replica, is seen and ended from anywhere with"
                    + " nothing but the account, and nothing is left")
    void aDeploymentOutlivesItsCommand() throws Exception {
        try {
            outlivesItsCommand();
        } catch (Exception | AssertionError e) {
            System.out.println(story());
            throw e;
        }
    }

    private void outlivesItsCommand() throws Exception {
        Commands deployer = deployer();
        Result deployed = run(
                deployer,
                "deploy --model " + MODEL
                        + " --gpu L4 --service-name chat --serverless-provider runpod --spots-cloud aws"
                        + " --region us-east-1 --no-scale-to-zero --use-different-vm-for-lb"
                        + " -P aws.router_instance_profile=tuna-router -P aws.artifact_bucket=" + BUCKET);
        Printed printed = Printed.on(deployed.out());
        assertThat(deployer.isHosted()).as("nothing of it runs here").isFalse();
        assertThat(printed.endpoint().getHost()).isEqualTo(vm().publicAddress().orElseThrow());

        assertThat(pasted(printed.curl())).contains("choices");
        HttpClient http = printed.pinned();
        assertThat(http.send(printed.chat("wrong", 3, false), BodyHandlers.discarding())
                        .statusCode())
                .isEqualTo(401);
        assertThat(run(deployer, "status chat").out())
                .as("from the machine, not as it was handed over; and what the driver of the replica says")
                .contains(printed.endpoint().toString())
                .containsPattern("spot +replica-1 .* GPU [0-9]+%, [0-9.]+ of [0-9.]+ GiB");
        assertThat(run(deployer, "cost chat --once").out())
                .as("as of now, not of when the machine got it; and no price of a GPU that nobody rents")
                .contains("runpod", "replica-1", "price: spot aws")
                .doesNotContain("as of", "price: on-demand");
        assertThat(json(deployer, "status chat").path("endpoint").asText())
                .isEqualTo(printed.endpoint().toString());
        JsonNode access = json(deployer, "status chat --access");
        assertThat(access.path("endpoint").asText())
                .as("though no process hosts it")
                .isEqualTo(printed.endpoint().toString());
        assertThat(access.path("api_key").asText()).isEqualTo(printed.key());
        assertThat(access.path("certificate").asText())
                .endsWith(printed.certificate().getFileName().toString());
        Commands.Running host = deployer.start(line("host --listen 127.0.0.1:0"));
        until(
                "it hosts",
                () -> Tuna.running(temporary.resolve("deployer"))
                        .map(plane -> {
                            plane.close();
                            return true;
                        })
                        .isPresent());
        host.handle().destroy();
        assertThat(host.end().err())
                .as("it has no part in that one")
                .contains("chat goes on on its router VM", "'tuna destroy chat' takes it down")
                .doesNotContain("without its endpoint");
        assertThat(replicas()).hasSize(1);
        String replica = replicas().get(0).id();
        List<String> lines =
                streamed(http, printed.chat(printed.key(), TOKENS, true), () -> aws.interrupt(replica, NOTICE));
        assertThat(lines).contains("data: [DONE]").noneMatch(line -> line.contains("\"error\""));
        until(
                "a replica takes the place of the one that was interrupted",
                () -> replicas().stream().anyMatch(instance -> !instance.id().equals(replica)));

        Commands anywhere = commands("anywhere", account());
        JsonNode status = json(anywhere, "status chat --router-vm chat");
        assertThat(status.path("phase").asText()).isEqualTo("ACTIVE");
        assertThat(status.path("endpoint").asText())
                .isEqualTo(printed.endpoint().toString());
        assertThat(status.at("/traffic/succeeded").asLong()).isEqualTo(2);
        assertThat(status.at("/traffic/failed").asLong()).isZero();
        assertThat(run(anywhere, "logs chat --router-vm chat").out()).isNotBlank();
        assertThat(run(anywhere, "cost chat --once --router-vm chat").out())
                .contains("replica-1", "runpod", "all-serverless");

        JsonNode destroyed = json(anywhere, "destroy chat --router-vm chat");
        assertThat(destroyed.at("/0/cost/lines").findValuesAsText("backend"))
                .as("the router's machine, too")
                .contains("chat", "replica-1", "replica-2", "runpod");
        assertThat(run(anywhere, "list").out()).isEqualTo("Nothing is deployed.\n");
        assertThatNothingIsLeft();
        run(deployer, "destroy chat");
        assertThat(run(deployer, "list").out()).as("heard of there, too").isEqualTo("Nothing is deployed.\n");
    }
}
