package dev.tuna.providers;

import static dev.tuna.testkit.crash.Patience.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.RouterPlacement;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.SpotState;
import dev.tuna.core.Tuna;
import dev.tuna.core.machine.RouterVmOptions;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.provider.runpod.RunPodProvider;
import dev.tuna.spot.aws.AwsProvider;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.InstanceState;
import dev.tuna.testkit.aws.InstanceView;
import dev.tuna.testkit.aws.SandboxInstances;
import dev.tuna.testkit.runpod.RunPodStandIn;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
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
 * A deployment that lives on when its host has gone, before the stand-ins of AWS and RunPod: the router's machine and the
 * replicas run what they would run there, each as processes of their own.
 */
class RouterVmPathIT {

    private static final String BUCKET = "artifacts";
    private static final int AGENT_PORT = 8443;
    private static final int TOKENS = 200;
    private static final String VM = "chat";

    /** As the tag of the router's machine has it. */
    private static final String ROUTER = "tuna-router-vm";

    @TempDir
    private Path temporary;

    private AwsStandIn aws;
    private RunPodStandIn runpod;
    private Path jar;
    private int port;

    @BeforeEach
    void start() throws IOException {
        assumeTrue(Vendor.canStart("aws"), "no machines here");
        aws = AwsStandIn.builder()
                .runner(new SandboxInstances(machines(), AGENT_PORT, "--standin-tokens-per-second", "40"))
                .start();
        aws.bucket(BUCKET);
        runpod = RunPodStandIn.builder().start();
        jar = classPathJar();
        port = freePort();
    }

    @AfterEach
    void close() {
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

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Leads to the class path of this process, but for providers that nobody has settings for: they would ask real vendors. */
    private Path classPathJar() throws IOException {
        Path made = temporary.resolve("tuna.jar");
        var manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes()
                .put(
                        Attributes.Name.CLASS_PATH,
                        Arrays.stream(System.getProperty("java.class.path").split(":"))
                                .filter(entry -> !entry.matches(".*tuna-provider-(baseten|cloudrun|modal).*"))
                                .map(Path::of)
                                .filter(Files::exists)
                                .map(entry -> entry.toAbsolutePath().toUri().toString())
                                .collect(Collectors.joining(" ")));
        new JarOutputStream(Files.newOutputStream(made), manifest).close();
        return made;
    }

    /** The keys of the providers are in its secret store, as an installation has them. */
    private Tuna host(String state) {
        Path directory = temporary.resolve(state);
        var secrets = new FileSecretStore(directory);
        secrets.put(new SecretRef("aws/credentials"), aws.credentials());
        secrets.put(new SecretRef("runpod/api-key"), runpod.key());
        secrets.put(new SecretRef("hf-token"), Secret.of("hf_of_the_hub"));
        Map<String, String> settings = new HashMap<>(aws.settings());
        settings.put("artifact_bucket", BUCKET);
        settings.put("router_instance_profile", "tuna-router");
        return Tuna.builder()
                .stateDirectory(directory)
                .listen("127.0.0.1", 0)
                .classLoader(ClassLoader.getPlatformClassLoader())
                .provider(new AwsProvider())
                .provider(new RunPodProvider())
                .providerSettings("aws", settings)
                .providerSettings("runpod", runpod.settings())
                .routerVms(RouterVmOptions.builder()
                        .jar(jar.toUri())
                        .port(port)
                        .environment("JAVA_OPTS", Secret.of("-Xmx256m -XX:TieredStopAtLevel=1"))
                        .build())
                .start();
    }

    private static DeployRequest request() {
        return Scenario.request("aws").toBuilder()
                .routerPlacement(RouterPlacement.SEPARATE_VM)
                .build();
    }

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

    /** Trusts what this one machine shows its clients, and nothing else. */
    private HttpClient pinned() throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (InputStream pem =
                Files.newInputStream(machines().resolve(vm().id()).resolve("var/lib/tuna/listener.pem"))) {
            trusted.setCertificateEntry(
                    "router", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return HttpClient.newBuilder().sslContext(context).build();
    }

    private static HttpRequest chat(URI endpoint, String key, int tokens, boolean stream) {
        return HttpRequest.newBuilder(URI.create(endpoint + "/chat/completions"))
                .timeout(Duration.ofSeconds(60))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + key)
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"model\":\"" + Scenario.MODEL + "\",\"ignore_eos\":true,\"max_tokens\":" + tokens
                                + ",\"stream\":" + stream
                                + ",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                .build();
    }

    private static int chat(HttpClient http, URI endpoint, String key) throws Exception {
        return http.send(chat(endpoint, key, 3, false), BodyHandlers.discarding())
                .statusCode();
    }

    /** Begins a stream, has something happen in the middle of it, and hears it out. */
    private static List<String> streamed(HttpClient http, URI endpoint, String key, Runnable meanwhile)
            throws Exception {
        HttpResponse<Stream<String>> answer = http.send(chat(endpoint, key, TOKENS, true), BodyHandlers.ofLines());
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

    /** What the machine of the router says, for whoever has to find out why it does not do what it should. */
    private String story() {
        try (Stream<Path> all = Files.list(machines())) {
            return all.map(root -> Stream.of("console", "var/lib/tuna/run.log", "var/lib/tuna/agent.log")
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
            return e.toString();
        }
    }

    private void assertThatNothingIsLeft() {
        assertThat(aws.things()).as("at AWS").isEmpty();
        assertThat(aws.fleets()).as("fleets").isEmpty();
        assertThat(runpod.endpoints()).as("at RunPod").isEmpty();
    }

    @Test
    @DisplayName(
            "F-16, O-08 to O-16, M-05: at AWS it outlives its host and a replica, is seen and ended from the next host,"
                    + " and nothing is left")
    void aDeploymentOutlivesItsHost() throws Exception {
        try {
            outlivesItsHost();
        } catch (Exception | AssertionError e) {
            System.out.println(story());
            throw e;
        }
    }

    private void outlivesItsHost() throws Exception {
        URI endpoint;
        String key;
        HttpClient http;
        try (Tuna host = host("host")) {
            Deployment deployed = host.deploy(request());
            key = deployed.apiKey().orElseThrow().reveal();
            deployed.ready().get(180, TimeUnit.SECONDS);
            endpoint = deployed.endpoint();
            assertThat(endpoint)
                    .isEqualTo(URI.create("https://" + vm().publicAddress().orElseThrow() + ":" + port + "/v1"));
            http = pinned();
            assertThat(chat(http, endpoint, key)).isEqualTo(200);
            assertThat(chat(http, endpoint, "wrong")).isEqualTo(401);
            until("spot serves", () -> deployed.status().spotState() == SpotState.READY);
        }
        assertThat(replicas()).hasSize(1);
        String replica = replicas().get(0).id();

        List<String> lines = streamed(http, endpoint, key, () -> aws.reclaim(replica));
        assertThat(lines).contains("data: [DONE]").noneMatch(line -> line.contains("\"error\""));
        until(
                "a replica takes the place of the one that was lost",
                () -> replicas().stream().anyMatch(instance -> !instance.id().equals(replica)));

        try (Tuna host = host("host")) {
            Deployment found = host.deployment("chat").orElseThrow();
            until(
                    "the next host sees what is there",
                    () -> found.status().traffic().requests() >= 2);
            assertThat(found.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
            assertThat(found.status().traffic().failed()).isZero();
            assertThat(found.apiKey().orElseThrow().reveal()).isEqualTo(key);
            assertThat(host.routerVms().status())
                    .singleElement()
                    .satisfies(vm -> assertThat(vm.deployments()).containsExactly("chat"));
            // Its rent is entered once a minute.
            until("the bill so far has the router's machine", () -> hasVm(found.cost()));
            host.destroy("chat").get(180, TimeUnit.SECONDS);
            assertThat(host.deployments()).isEmpty();
            assertThat(host.routerVms().status()).isEmpty();
            CostReport bill = host.cost("chat");
            assertThat(hasVm(bill)).as("the router's machine in %s", bill).isTrue();
            assertThat(bill.lines()).extracting(CostReport.Line::backend).contains("runpod", "replica-1", "replica-2");
            assertThat(bill.lines()).noneMatch(CostReport.Line::running);
            assertThat(host.status("chat").phase()).isEqualTo(DeploymentPhase.DESTROYED);
        }
        assertThatNothingIsLeft();
    }

    private static boolean hasVm(CostReport bill) {
        return bill.lines().stream()
                .anyMatch(line -> line.provider().equals("aws")
                        && line.backend().equals(VM)
                        && line.usd().isPresent());
    }
}
