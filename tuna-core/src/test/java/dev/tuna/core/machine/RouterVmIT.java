package dev.tuna.core.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.Budget;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.RouterPlacement;
import dev.tuna.api.SpotState;
import dev.tuna.core.Tuna;
import dev.tuna.core.TunaBuilder;
import dev.tuna.core.catalog.Price;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.machine.ClassPathJar;
import dev.tuna.testkit.machine.LiveFiles;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Deployments that live on in a real process of their own, on the local cloud, when their host has gone. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "the local cloud's router VMs need Linux")
class RouterVmIT {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final String OTHER_MODEL = "Qwen/Qwen3-1.7B";

    @TempDir
    private Path directory;

    private final HttpClient http = HttpClient.newHttpClient();
    private LocalCloud cloud;
    private int port;
    private Path jar;

    @BeforeEach
    void cloud() throws IOException {
        cloud = LocalCloud.builder()
                .bootDelay(Duration.ofMillis(300))
                .coldStart(Duration.ofMillis(200))
                .startInProcess();
        port = freePort();
        jar = ClassPathJar.make(directory.resolve("tuna.jar"));
    }

    @AfterEach
    void nothingIsLeft() {
        cloud.close();
        machines().forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private Tuna host() {
        return host("host");
    }

    private Tuna host(String state) {
        return builder(state).start();
    }

    private TunaBuilder builder(String state) {
        return Tuna.builder()
                .stateDirectory(directory.resolve(state))
                .listen("127.0.0.1", 0)
                .providerSettings("local", cloud.settings())
                .providerSettings("local-spot", spotSettings())
                .routerVms(RouterVmOptions.builder().jar(jar.toUri()).port(port).build());
    }

    private Map<String, String> spotSettings() {
        var settings = new HashMap<>(cloud.settings());
        settings.put("router_dir", directory.resolve("machines").toString());
        return settings;
    }

    private static DeployRequest request() {
        return request("chat", MODEL);
    }

    private static DeployRequest request(String name, String model) {
        return DeployRequest.builder(model, "L4")
                .serviceName(name)
                .spotCloud("local-spot")
                .routerPlacement(RouterPlacement.SEPARATE_VM)
                .build();
    }

    private List<Long> machines() {
        return LiveFiles.under(directory.resolve("machines")).stream()
                .filter(file -> file.toString().endsWith(".pid"))
                .map(RouterVmIT::number)
                .filter(pid ->
                        ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent())
                .toList();
    }

    private static long number(Path file) {
        try {
            return Long.parseLong(Files.readString(file).trim());
        } catch (IOException | NumberFormatException e) {
            return -1;
        }
    }

    private HttpRequest chat(URI endpoint, String key, int tokens, boolean stream) {
        return chat(MODEL, endpoint, key, tokens, stream);
    }

    private HttpRequest chat(String model, URI endpoint, String key, int tokens, boolean stream) {
        return HttpRequest.newBuilder(URI.create(endpoint + "/chat/completions"))
                .timeout(Duration.ofSeconds(60))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + key)
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"model\":\"" + model + "\",\"ignore_eos\":true,\"max_tokens\":"
                                + tokens + ",\"stream\":" + stream
                                + ",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                .build();
    }

    private int chat(URI endpoint, String key) throws Exception {
        return http.send(chat(endpoint, key, 3, false), BodyHandlers.discarding())
                .statusCode();
    }

    private int chat(Deployment deployment) throws Exception {
        return chat(deployment.request().model(), deployment);
    }

    private int chat(String model, Deployment deployment) throws Exception {
        String key = deployment.apiKey().orElseThrow().reveal();
        return http.send(chat(model, deployment.endpoint(), key, 3, false), BodyHandlers.discarding())
                .statusCode();
    }

    private static void until(BooleanSupplier condition, String what) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
        var pause = new CountDownLatch(1);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(end);
            pause.await(50, TimeUnit.MILLISECONDS);
        }
    }

    @Test
    @DisplayName(
            "F-16, O-08 to O-16, M-05: it outlives its host, is seen and ended from the next one, and nothing is left")
    void aDeploymentOutlivesItsHost() throws Exception {
        URI endpoint;
        String key;
        try (Tuna host = host()) {
            Deployment deployed = host.deploy(request());
            key = deployed.apiKey().orElseThrow().reveal();
            deployed.ready().get(90, TimeUnit.SECONDS);
            endpoint = deployed.endpoint();
            assertThat(endpoint).isEqualTo(URI.create("http://127.0.0.1:" + port + "/v1"));
            assertThat(chat(endpoint, key)).isEqualTo(200);
            assertThat(chat(endpoint, "wrong")).isEqualTo(401);
            until(() -> deployed.status().spotState() == SpotState.READY, "spot serves");
        }
        assertThat(chat(endpoint, key)).isEqualTo(200);

        HttpResponse<Stream<String>> streamed = http.send(chat(endpoint, key, 400, true), BodyHandlers.ofLines());
        assertThat(streamed.statusCode()).isEqualTo(200);
        var lines = new ArrayList<String>();
        Iterator<String> coming = streamed.body().iterator();
        for (int i = 0; i < 20; i++) {
            lines.add(coming.next());
        }
        cloud.snapshot().replicas().stream().map(ReplicaView::id).forEach(cloud::lose);
        coming.forEachRemaining(lines::add);
        assertThat(lines).contains("data: [DONE]").noneMatch(line -> line.contains("\"error\""));

        try (Tuna host = host()) {
            Deployment found = host.deployment("chat").orElseThrow();
            until(() -> found.status().traffic().requests() >= 3, "the next host sees what is there");
            DeploymentStatus status = found.status();
            assertThat(status.phase()).isEqualTo(DeploymentPhase.ACTIVE);
            assertThat(status.traffic().failed()).isZero();
            assertThat(found.apiKey().orElseThrow().reveal()).isEqualTo(key);
            assertThat(host.orphans().found()).isEmpty();
            assertThat(host.routerVms().status())
                    .singleElement()
                    .satisfies(vm -> assertThat(vm.deployments()).containsExactly("chat"));
            assertThat(host.destroy("chat").get(120, TimeUnit.SECONDS).deployment())
                    .isEqualTo("chat");
            assertThat(host.deployments()).isEmpty();
            assertThat(host.routerVms().status()).isEmpty();
            CostReport bill = host.cost("chat");
            assertThat(bill.lines()).anySatisfy(line -> {
                assertThat(line.backend()).isEqualTo("chat");
                assertThat(line.provider()).isEqualTo("local-spot");
                assertThat(line.estimated()).isTrue();
            });
            assertThat(bill.lines()).extracting(CostReport.Line::provider).contains("local");
            assertThat(host.status("chat").phase()).isEqualTo(DeploymentPhase.DESTROYED);
        }
        assertThat(cloud.snapshot().empty()).isTrue();
        assertThat(machines()).isEmpty();
        assertThat(directory.resolve("machines")).isEmptyDirectory();
    }

    @Test
    void aDeploymentThatServesGoesThereAndComesBack() throws Exception {
        try (Tuna host = host()) {
            Deployment here = host.deploy(request().toBuilder()
                    .routerPlacement(RouterPlacement.EMBEDDED)
                    .build());
            here.ready().get(60, TimeUnit.SECONDS);
            until(() -> here.status().spotState() == SpotState.READY, "spot serves");
            List<String> replicas =
                    cloud.snapshot().replicas().stream().map(ReplicaView::id).toList();
            String key = here.apiKey().orElseThrow().reveal();

            Deployment there = host.routerVms().give("chat").get(90, TimeUnit.SECONDS);
            assertThat(chat(there.endpoint(), key)).isEqualTo(200);
            until(() -> there.status().spotState() == SpotState.READY, "spot serves there");
            assertThatThrownBy(() -> host.deploy(request()))
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.NAME_TAKEN));

            Deployment back = host.routerVms().takeBack("chat").get(90, TimeUnit.SECONDS);
            assertThat(back.endpoint()).isEqualTo(here.endpoint());
            assertThat(chat(back.endpoint(), key)).isEqualTo(200);
            assertThat(cloud.snapshot().replicas().stream().map(ReplicaView::id))
                    .containsExactlyElementsOf(replicas);
            until(() -> host.routerVms().status().isEmpty(), "a machine with nothing on it goes");
            back.destroy().get(60, TimeUnit.SECONDS);
        }
        assertThat(cloud.snapshot().empty()).isTrue();
    }

    @Test
    void theBudgetOfAllAndThePricesOfTheUserHoldThereToo() throws Exception {
        Budget enough = Budget.builder()
                .usdPerMonth(new BigDecimal("1000"))
                .action(Budget.Action.REFUSE)
                .build();
        Budget spent = Budget.builder()
                .usdPerMonth(new BigDecimal("0.000001"))
                .action(Budget.Action.REFUSE)
                .build();
        BigDecimal dear = new BigDecimal("360");
        try (Tuna host = builder("host")
                .budget(enough)
                .prices(List.of(Price.ofContainer("local", "L4", 1, dear)))
                .start()) {
            Deployment chat = host.deploy(DeployRequest.builder(MODEL, "L4")
                    .serviceName("chat")
                    .serverlessOnly(true)
                    .routerPlacement(RouterPlacement.SEPARATE_VM)
                    .build());
            chat.ready().get(90, TimeUnit.SECONDS);
            String key = chat.apiKey().orElseThrow().reveal();
            assertThat(chat(chat.endpoint(), key)).isEqualTo(200);
            until(() -> chat.cost().total().compareTo(new BigDecimal("0.01")) > 0, "billed at the user's price");
            assertThat(chat.cost().budgets()).singleElement().satisfies(use -> {
                assertThat(use.overall()).isTrue();
                assertThat(use.limitUsd()).isEqualByComparingTo("1000");
            });

            host.setOverallBudget(spent);
            until(() -> status(chat.endpoint(), key) == 429, "the machine is told of the change");
            until(
                    () -> host.overallBudget().uses().get(0).hitUntil().isPresent(),
                    "the host knows what was spent there");
            host.setOverallBudget(enough);
            until(() -> status(chat.endpoint(), key) == 200, "and of the next one");

            BigDecimal before = chat.cost().total();
            chat.destroy().get(120, TimeUnit.SECONDS);
            assertThat(host.overallBudget().uses().get(0).usedUsd())
                    .as("what is over there has its part here")
                    .isGreaterThanOrEqualTo(before);
        }
    }

    private int status(URI endpoint, String key) {
        try {
            return chat(endpoint, key);
        } catch (Exception e) {
            return -1;
        }
    }

    @Test
    void fromAnywhereItIsFoundByItsNameAndEnded() throws Exception {
        try (Tuna host = host()) {
            host.deploy(request()).ready().get(90, TimeUnit.SECONDS);
        }
        try (Tuna elsewhere = host("elsewhere")) {
            assertThat(elsewhere.deployments()).isEmpty();
            assertThatThrownBy(() -> elsewhere.routerVms().attach("other"))
                    .hasMessageContaining("'other'")
                    .hasMessageContaining("found were chat");
            try (AttachedVm vm = elsewhere.routerVms().attach("chat")) {
                assertThat(vm.plane().status("chat").phase()).isEqualTo(DeploymentPhase.ACTIVE);
                assertThat(vm.plane().cost("chat").lines()).isNotEmpty();
                assertThatThrownBy(vm::remove).isInstanceOf(IllegalStateException.class);
                vm.plane().destroy("chat").get(60, TimeUnit.SECONDS);
                assertThat(vm.isLeft()).isTrue();
                vm.remove();
            }
        }
        assertThat(cloud.snapshot().empty()).isTrue();
        assertThat(machines()).isEmpty();
        assertThat(directory.resolve("machines")).isEmptyDirectory();
        try (Tuna host = host()) {
            until(() -> host.deployments().isEmpty(), "what was destroyed elsewhere does not come back");
            assertThat(host.status("chat").phase()).isEqualTo(DeploymentPhase.DESTROYED);
            until(() -> host.routerVms().status().isEmpty(), "nor does its machine");
        }
        assertThat(cloud.snapshot().empty()).isTrue();
    }

    @Test
    void whenTheMachineIsGoneTheHostLooksAfterWhatWasThere() throws Exception {
        try (Tuna host = host()) {
            Deployment deployed = host.deploy(request());
            deployed.ready().get(90, TimeUnit.SECONDS);
            until(() -> deployed.status().spotState() == SpotState.READY, "spot serves");
            machines().forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
            until(() -> host.routerVms().status().isEmpty(), "the loss is noticed");
            Deployment rescued = host.deployment("chat").orElseThrow();
            String key = rescued.apiKey().orElseThrow().reveal();
            assertThat(chat(rescued.endpoint(), key)).isEqualTo(200);
            assertThat(host.orphans().found()).isEmpty();
            assertThat(cloud.snapshot().replicas().stream()
                            .filter(replica -> replica.endedAt().isEmpty()))
                    .hasSize(1);
            rescued.destroy().get(60, TimeUnit.SECONDS);
        }
        assertThat(cloud.snapshot().empty()).isTrue();
        assertThat(directory.resolve("machines")).isEmptyDirectory();
    }

    @Test
    void neitherAnotherDeploymentNorAnotherVersionDisturbsAStreamAndTheMachineGoesWithTheLastOne() throws Exception {
        Map<String, String> shared = spotSettings();
        shared.put("router_vm", "shared");
        try (Tuna host = builder("host").providerSettings("local-spot", shared).start()) {
            Deployment deployed = host.deploy(request());
            String key = deployed.apiKey().orElseThrow().reveal();
            deployed.ready().get(90, TimeUnit.SECONDS);
            until(() -> deployed.status().spotState() == SpotState.READY, "spot serves");
            HttpResponse<Stream<String>> streamed =
                    http.send(chat(deployed.endpoint(), key, 1000, true), BodyHandlers.ofLines());
            Iterator<String> coming = streamed.body().iterator();
            var lines = new ArrayList<String>();
            lines.add(coming.next());

            Deployment second = host.deploy(request("second", OTHER_MODEL));
            second.ready().get(90, TimeUnit.SECONDS);
            assertThat(second.endpoint()).isEqualTo(deployed.endpoint());
            assertThat(chat(second)).isEqualTo(200);
            assertThat(chat(MODEL, second))
                    .as("with the key of another deployment")
                    .isEqualTo(404);

            long before = program();
            host.routerVms().upgrade("shared");
            until(() -> program() != before, "the next version is started");
            for (int i = 0; i < 40; i++) {
                assertThat(chat(deployed.endpoint(), key)).isEqualTo(200);
            }
            coming.forEachRemaining(lines::add);
            assertThat(lines).contains("data: [DONE]").noneMatch(line -> line.contains("\"error\""));
            until(() -> ProcessHandle.of(before).filter(ProcessHandle::isAlive).isEmpty(), "the former one ends");
            assertThat(chat(second)).isEqualTo(200);
            until(() -> deployed.status().problems().isEmpty(), "the next version answers");

            DestroyReport first = host.destroy("chat").get(120, TimeUnit.SECONDS);
            assertThat(first.removed()).noneMatch(resource -> resource.contains("router-vm"));
            assertThat(chat(second)).isEqualTo(200);
            assertThat(host.routerVms().status())
                    .singleElement()
                    .satisfies(vm -> assertThat(vm.deployments()).containsExactly("second"));
            DestroyReport last = host.destroy("second").get(120, TimeUnit.SECONDS);
            assertThat(last.removed()).anyMatch(resource -> resource.contains("router-vm"));
            assertThat(rented(first)).isGreaterThan(rented(last)).isPositive();
            assertThat(rented(last)).isPositive();
        }
        assertThat(cloud.snapshot().empty()).isTrue();
        assertThat(machines()).isEmpty();
    }

    /** The part of the machine that a deployment pays. */
    private static Duration rented(DestroyReport report) {
        return report.cost().lines().stream()
                .filter(line -> line.backend().equals("shared"))
                .map(CostReport.Line::billed)
                .reduce(Duration.ZERO, Duration::plus);
    }

    private long program() {
        return LiveFiles.under(directory.resolve("machines")).stream()
                .filter(file -> file.endsWith("program.pid"))
                .map(RouterVmIT::number)
                .findFirst()
                .orElse(-1L);
    }
}
