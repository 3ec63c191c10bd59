package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Secret;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmObservation;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.RouterVmSpec;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.SandboxInstances;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.machine.MachineSandbox;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import software.amazon.awssdk.core.sync.RequestBody;

/** An installation, and a stand-in of AWS on whose machines routers run for real. */
final class RouterRig implements AutoCloseable {

    static final String BUCKET = "artifacts";
    static final String NAME = "front";
    static final Secret CONTROL = Secret.of("control-token-0123456789");
    static final Secret KEY = Secret.of("provider key with blanks, 'quotes' and $dollars");
    static final Duration ORPHAN = Duration.ofMinutes(15);

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final Path directory;
    private final Map<String, MachineSandbox> sandboxes = new ConcurrentHashMap<>();
    private final Aws aws;
    private final ContractContext context;
    private final SpotCloud cloud;

    RouterRig(Path directory) {
        this(directory, config -> config);
    }

    RouterRig(Path directory, UnaryOperator<AwsStandIn.Builder> config) {
        this.directory = directory;
        SandboxInstances instances = new SandboxInstances(directory.resolve("machines"), 8443);
        aws = Aws.start(builder -> config.apply(builder).runner(machine -> {
            MachineSandbox sandbox = instances.boot(machine);
            sandboxes.put(machine.view().id(), sandbox);
            return sandbox;
        }));
        aws.cloud().bucket(BUCKET);
        context = prepared(aws.context());
        cloud = new AwsProvider().open(context);
    }

    private static ContractContext prepared(ContractContext context) {
        return context.withSetting("router_instance_profile", "tuna-router").withSetting("artifact_bucket", BUCKET);
    }

    /** Another installation with the same account and nothing kept. */
    ContractContext elsewhere() {
        return prepared(aws.context()).withSetting("ingress_url", aws.cloud().uri() + "/");
    }

    /** Puts something into the bucket behind the installation's back. */
    void putObject(String key, String content) {
        AwsSettings settings = AwsSettings.of(context.settings());
        try (var clients =
                new AwsClients(settings, () -> Credentials.of(settings, context.secrets(), context.clock()))) {
            clients.s3("us-east-1")
                    .putObject(request -> request.bucket(BUCKET).key(key), RequestBody.fromString(content));
        }
    }

    /** Those of a machine whose command line has a word. */
    List<ProcessHandle> processes(ResourceRef vm, String word) {
        return sandbox(vm).processes().stream()
                .filter(process -> process.info()
                        .commandLine()
                        .filter(line -> line.contains(word))
                        .isPresent())
                .toList();
    }

    Aws aws() {
        return aws;
    }

    ContractContext context() {
        return context;
    }

    SpotCloud cloud() {
        return cloud;
    }

    RouterCloud routers() {
        return cloud.routers().orElseThrow();
    }

    RouterJar jar(String version) {
        return RouterJar.make(directory, version);
    }

    RouterVmSpec spec(RouterJar jar) {
        return spec(jar, Map.of());
    }

    RouterVmSpec spec(RouterJar jar, Map<String, String> options) {
        return new RouterVmSpec(NAME, jar.uri(), jar.sha256(), 18443, ORPHAN, options);
    }

    void bringEnvironment() {
        bringEnvironment(Map.of());
    }

    void bringEnvironment(Map<String, String> more) {
        var environment = SdkJson.JSON
                .createObjectNode()
                .put("TUNA_CONTROL_TOKEN", CONTROL.reveal())
                .put("PROVIDER_KEY", KEY.reveal())
                .put("JAVA_OPTS", "-Xmx64m -XX:TieredStopAtLevel=1");
        more.forEach(environment::put);
        context.secrets().put(RouterCloud.environment(NAME), Secret.of(environment.toString()));
    }

    /** Launches a machine that has all it needs. */
    ResourceRef launched(String version) {
        bringEnvironment();
        RouterVmPlan plan = routers().plan(spec(jar(version)), "front-1");
        return routers().launch(plan);
    }

    /** From where a machine fetches what it is to run next. */
    URI delivered(RouterJar jar) {
        return routers().deliver(routers().plan(spec(jar), "front-1"), jar.uri(), jar.sha256());
    }

    BackendAddress ready(ResourceRef vm) {
        return await(routers(), vm, seen -> seen.phase() == BackendPhase.READY)
                .control()
                .orElseThrow();
    }

    RouterVmObservation await(RouterCloud routers, ResourceRef vm, Predicate<RouterVmObservation> fits) {
        return until(
                () -> routers.observe(vm, NAME),
                fits,
                () -> sandboxes.values().stream()
                        .map(box ->
                                box.console() + box.text("var/lib/tuna/run.log") + box.text("var/lib/tuna/agent.log"))
                        .toList()
                        .toString());
    }

    static <T> T until(Supplier<T> look, Predicate<T> fits, Supplier<String> story) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            T now = look.get();
            if (fits.test(now)) {
                return now;
            }
            assertThat(System.nanoTime()).as("still %s; %s", now, story.get()).isLessThan(end);
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
    }

    MachineSandbox sandbox(ResourceRef vm) {
        return Optional.ofNullable(sandboxes.get(Names.id(vm))).orElseThrow();
    }

    // --- what the router is asked ---

    static HttpResponse<String> ask(BackendAddress control, String path, String body) {
        return send(control, path, body, HttpResponse.BodyHandlers.ofString());
    }

    static HttpResponse<InputStream> stream(BackendAddress control) {
        return send(control, "/stream", "", HttpResponse.BodyHandlers.ofInputStream());
    }

    private static <T> HttpResponse<T> send(
            BackendAddress control, String path, String body, HttpResponse.BodyHandler<T> handler) {
        HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(control.tls().orElseThrow().sslContext())
                .build();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(control.url() + path))
                .POST(HttpRequest.BodyPublishers.ofString(body));
        control.credential()
                .ifPresent(key -> request.header(key.header(), key.value().reveal()));
        try {
            return client.send(request.build(), handler);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** The version that answers, and its process; asked again where one is just being replaced. */
    static String version(BackendAddress control) {
        return until(() -> ask(control, "/version", ""), answer -> answer.statusCode() == 200, () -> "")
                .body();
    }

    boolean isNeeded(ResourceRef vm) {
        return Files.exists(sandbox(vm).root().resolve("var/lib/tuna/needed"));
    }

    @Override
    public void close() {
        cloud.close();
        aws.close();
    }
}
