package dev.tuna.spot.aws.standin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.api.Secret;
import dev.tuna.spot.aws.channel.ChannelTimes;
import dev.tuna.spot.aws.channel.DeploymentTrust;
import dev.tuna.spot.aws.channel.ReplicaBoot;
import dev.tuna.spot.aws.channel.ReplicaChannel;
import dev.tuna.spot.aws.channel.ReplicaReport;
import dev.tuna.spot.aws.channel.UserData;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.InstanceState;
import dev.tuna.testkit.aws.SandboxInstances;
import dev.tuna.testkit.contract.InMemorySecretStore;
import dev.tuna.testkit.crash.Patience;
import dev.tuna.testkit.machine.MachineSandbox;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.LaunchTemplate;

/** Instances of the stand-in that run the real user data and agent, each at an address of its own. */
class MachinesTest {

    private static final String MODEL = "stand-in/tiny";
    private static final int PORT = 8443;
    private static final Duration ORPHAN = Duration.ofMinutes(15);
    private static final ChannelTimes TIMES =
            new ChannelTimes(Duration.ofSeconds(10), Duration.ofSeconds(30), System::nanoTime);

    @TempDir
    private Path directory;

    private final BlockingQueue<MachineSandbox> booted = new LinkedBlockingQueue<>();
    private final DeploymentTrust trust =
            new DeploymentTrust(new InMemorySecretStore(), "tuna-1a2b3c4d", InstantSource.system());
    private final Clients clients = Clients.before(AwsStandIn.builder()
            .runner(machine -> {
                MachineSandbox sandbox = new SandboxInstances(directory, PORT).boot(machine);
                booted.add(sandbox);
                return sandbox;
            })
            .start());

    @BeforeEach
    void onlyWhereMachinesCanBeRun() {
        MachineSandbox.missing().ifPresent(missing -> System.err.println("skipped: " + missing));
        assumeTrue(
                MachineSandbox.missing().isEmpty(),
                () -> MachineSandbox.missing().orElse(""));
    }

    @AfterEach
    void close() {
        clients.close();
    }

    private String launch(String replica) {
        String userData = Base64.getEncoder()
                .encodeToString(UserData.of(new ReplicaBoot(
                                replica,
                                PORT,
                                ORPHAN,
                                "vllm/vllm-openai:v0.31.0",
                                List.of(MODEL, "--host", "0.0.0.0", "--port", "8000"),
                                Optional.empty(),
                                trust.certificate(),
                                trust.token(replica)))
                        .bytes());
        String image = clients.image();
        LaunchTemplate template = clients.ec2
                .createLaunchTemplate(it -> it.launchTemplateName("tuna-" + replica)
                        .launchTemplateData(data ->
                                data.imageId(image).userData(userData).instanceInitiatedShutdownBehavior("terminate")))
                .launchTemplate();
        return clients.launch(template, "g6.xlarge", "us-east-1a");
    }

    private ReplicaChannel channel(String replica, String instance) {
        String address = clients.aws.instance(instance).orElseThrow().privateAddress();
        return new ReplicaChannel(
                trust,
                replica,
                new InetSocketAddress(address, PORT),
                () -> Map.of("VLLM_API_KEY", Secret.of("engine-key-0123456789abcdef")),
                TIMES);
    }

    private static void until(ReplicaChannel channel, String what, Predicate<ReplicaReport> fits) {
        Patience.until(what, () -> {
            try {
                return fits.test(channel.look());
            } catch (IOException e) {
                return false;
            }
        });
    }

    private void untilTerminated(String instance) {
        Patience.until(
                "terminated", () -> clients.aws.instance(instance).orElseThrow().state() == InstanceState.TERMINATED);
    }

    @Test
    void twoServeAtAddressesOfTheirOwnUntilOneIsTaken() {
        String first = launch("r-1");
        String second = launch("r-2");
        try (ReplicaChannel one = channel("r-1", first);
                ReplicaChannel two = channel("r-2", second)) {
            until(one, "the first is ready", report -> report.phase() == ReplicaReport.Phase.READY);
            until(two, "the second is ready", report -> report.phase() == ReplicaReport.Phase.READY);
            clients.aws.interrupt(first, Duration.ofSeconds(10));
            until(one, "the notice is told", report -> report.interruption().isPresent());
            untilTerminated(first);
            assertThat(clients.instance(first).stateReason().code()).isEqualTo("Server.SpotInstanceTermination");
            until(
                    two,
                    "the second serves still",
                    report -> report.interruption().isEmpty());
            String console =
                    clients.ec2.getConsoleOutput(it -> it.instanceId(second)).output();
            assertThat(console).as("its user data prints nothing").isNull();
        }
    }

    @Test
    void oneThatNoControllerSpeaksToTerminatesItself() throws InterruptedException {
        String id = launch("r-1");
        MachineSandbox machine = booted.poll(60, TimeUnit.SECONDS);
        assertThat(machine).isNotNull();
        Patience.until(
                "the agent runs", () -> machine.text("var/lib/tuna/agent.log").contains("not enrolled"));
        machine.pass(ORPHAN.plusSeconds(1));
        untilTerminated(id);
        assertThat(clients.instance(id).stateReason().code()).isEqualTo("Client.InstanceInitiatedShutdown");
        assertThat(clients.ec2.describeVolumes(it -> {}).volumes()).isEmpty();
    }

    @Test
    void oneWhoseUserDataFailsSaysSoOnItsConsole() {
        String image = clients.image();
        String userData = Base64.getEncoder()
                .encodeToString("#!/bin/sh\necho no such luck\nexit 1\n".getBytes(StandardCharsets.UTF_8));
        LaunchTemplate template = clients.ec2
                .createLaunchTemplate(it -> it.launchTemplateName("tuna-fails")
                        .launchTemplateData(data -> data.imageId(image).userData(userData)))
                .launchTemplate();
        String id = clients.launch(template, "g6.xlarge", "us-east-1a");
        Patience.until("the console tells", () -> {
            String output =
                    clients.ec2.getConsoleOutput(it -> it.instanceId(id)).output();
            return output != null
                    && new String(Base64.getDecoder().decode(output), StandardCharsets.UTF_8).contains("no such luck");
        });
        assertThat(clients.aws.instance(id).orElseThrow().state()).isEqualTo(InstanceState.RUNNING);
    }
}
