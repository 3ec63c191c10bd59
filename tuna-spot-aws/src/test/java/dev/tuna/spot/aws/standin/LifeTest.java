package dev.tuna.spot.aws.standin;

import static dev.tuna.spot.aws.standin.Clients.EAST;
import static dev.tuna.spot.aws.standin.Clients.filter;
import static dev.tuna.spot.aws.standin.Clients.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.testkit.aws.AwsFaults;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.InstanceState;
import dev.tuna.testkit.aws.Machine;
import dev.tuna.testkit.aws.Meter;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceType;
import software.amazon.awssdk.services.ec2.model.LaunchTemplate;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.SpotInstanceRequest;

/** What becomes of instances. */
class LifeTest {

    private final BlockingQueue<Machine> booted = new ArrayBlockingQueue<>(10);
    private final BlockingQueue<String> off = new ArrayBlockingQueue<>(10);
    private final Clients clients = new Clients(AwsStandIn.builder().runner(machine -> {
        booted.add(machine);
        machine.print("hello from " + machine.view().id());
        return () -> off.add(machine.view().id());
    }));
    private final LaunchTemplate template = clients.template("tuna-chat");

    @AfterEach
    void close() {
        clients.close();
    }

    private String launch() {
        return clients.launch(template, "g5.xlarge", "us-east-1a");
    }

    private String state(String id) {
        return clients.instance(id).state().nameAsString();
    }

    private Machine nextBooted() throws InterruptedException {
        Machine machine = booted.poll(30, TimeUnit.SECONDS);
        assertThat(machine).as("what boots").isNotNull();
        return Objects.requireNonNull(machine);
    }

    @Test
    void isPendingThenRunningWithAnAddressThenShutsDownAndIsShownForAnHour() {
        String id = launch();
        assertThat(state(id)).isEqualTo("pending");
        assertThat(clients.instance(id).publicIpAddress()).isNull();
        assertThat(clients.instance(id).privateIpAddress()).startsWith("127.");
        clients.clock.pass(Duration.ofSeconds(10));
        assertThat(state(id)).isEqualTo("running");
        assertThat(clients.instance(id).publicIpAddress()).startsWith("127.");
        assertThat(clients.ec2.describeInstanceStatus(it -> it.instanceIds(id)).instanceStatuses())
                .singleElement()
                .satisfies(status ->
                        assertThat(status.instanceStatus().statusAsString()).isEqualTo("initializing"));
        var ended = clients.ec2.terminateInstances(it -> it.instanceIds(id)).terminatingInstances();
        assertThat(ended.get(0).previousState().nameAsString()).isEqualTo("running");
        assertThat(ended.get(0).currentState().nameAsString()).isEqualTo("shutting-down");
        clients.clock.pass(Duration.ofSeconds(20));
        assertThat(clients.instance(id)).satisfies(gone -> {
            assertThat(gone.state().nameAsString()).isEqualTo("terminated");
            assertThat(gone.stateReason().code()).isEqualTo("Client.UserInitiatedShutdown");
            assertThat(gone.publicIpAddress()).isNull();
            assertThat(gone.vpcId()).isNull();
            assertThat(gone.tags()).isNotEmpty();
        });
        clients.ec2.terminateInstances(it -> it.instanceIds(id));
        clients.clock.pass(Duration.ofHours(1));
        assertThat(refusal(() -> state(id))).isEqualTo("InvalidInstanceID.NotFound 400");
        assertThat(clients.instances()).isEmpty();
    }

    @Test
    void runsWhatItIsGivenFromBootToEnd() throws InterruptedException {
        String id = launch();
        clients.clock.pass(Duration.ofSeconds(39));
        clients.aws.letTimePass();
        assertThat(booted).isEmpty();
        clients.clock.pass(Duration.ofSeconds(1));
        clients.aws.letTimePass();
        assertThat(nextBooted().view().id()).isEqualTo(id);
        String console = clients.ec2.getConsoleOutput(it -> it.instanceId(id)).output();
        assertThat(new String(Base64.getDecoder().decode(console), StandardCharsets.UTF_8))
                .contains("hello from " + id);
        clients.ec2.terminateInstances(it -> it.instanceIds(id));
        assertThat(off.poll(30, TimeUnit.SECONDS)).isEqualTo(id);
    }

    @Test
    void aNoticeIsToldInsideAndByTheRequestAndThenItIsTaken() {
        String id = launch();
        clients.clock.pass(Duration.ofMinutes(1));
        clients.aws.rebalance(id);
        clients.aws.interrupt(id);
        assertThat(state(id)).isEqualTo("running");
        assertThat(request(id).status().code()).isEqualTo("marked-for-termination");
        clients.clock.pass(Duration.ofSeconds(119));
        assertThat(state(id)).isEqualTo("running");
        clients.clock.pass(Duration.ofSeconds(1));
        assertThat(state(id)).isEqualTo("shutting-down");
        clients.clock.pass(Duration.ofMinutes(1));
        assertThat(clients.instance(id).stateReason().code()).isEqualTo("Server.SpotInstanceTermination");
        assertThat(request(id).status().code()).isEqualTo("instance-terminated-no-capacity");
        assertThat(request(id).stateAsString()).isEqualTo("closed");
    }

    private SpotInstanceRequest request(String instance) {
        return clients.ec2
                .describeSpotInstanceRequests(it -> it.filters(filter("instance-id", instance)))
                .spotInstanceRequests()
                .get(0);
    }

    @Test
    void whatIsTakenWithoutNoticeAndWhatBreaksSayWhy() {
        String taken = launch();
        String broken = launch();
        clients.aws.reclaim(taken);
        clients.aws.breakDown(broken);
        assertThat(clients.instance(taken).stateReason().code()).isEqualTo("Server.SpotInstanceTermination");
        assertThat(clients.instance(broken).stateReason().code()).isEqualTo("Server.InternalError");
    }

    @Test
    void shuttingDownFromInsideTerminatesIfTheTemplateSaysSo() throws InterruptedException {
        Instance stops = run(it -> it);
        Instance ends = run(it -> it.instanceInitiatedShutdownBehavior("terminate"));
        clients.clock.pass(Duration.ofMinutes(1));
        clients.aws.letTimePass();
        nextBooted().shutDown();
        nextBooted().shutDown();
        clients.clock.pass(Duration.ofMinutes(1));
        assertThat(state(stops.instanceId())).isEqualTo("stopped");
        assertThat(state(ends.instanceId())).isEqualTo("terminated");
        assertThat(clients.instance(ends.instanceId()).stateReason().code())
                .isEqualTo("Client.InstanceInitiatedShutdown");
        assertThat(clients.aws.instances())
                .singleElement()
                .satisfies(left -> assertThat(left.state()).isEqualTo(InstanceState.STOPPED));
        clients.ec2.terminateInstances(it -> it.instanceIds(stops.instanceId()));
        clients.clock.pass(Duration.ofMinutes(1));
        assertThat(clients.aws.instances()).isEmpty();
    }

    private Instance run(UnaryOperator<RunInstancesRequest.Builder> with) {
        return clients.ec2
                .runInstances(with.apply(RunInstancesRequest.builder()
                                .imageId(clients.image())
                                .instanceType(InstanceType.G5_XLARGE)
                                .minCount(1)
                                .maxCount(1))
                        .build())
                .instances()
                .get(0);
    }

    @Test
    void aSingleLaunchRemembersItsTokenUntilItsInstanceIsGone() {
        Instance first = run(it -> it.clientToken("one"));
        assertThat(run(it -> it.clientToken("one")).instanceId()).isEqualTo(first.instanceId());
        assertThat(refusal(() -> run(it -> it.clientToken("one").ebsOptimized(true))))
                .isEqualTo("IdempotentParameterMismatch 400");
        clients.ec2.terminateInstances(it -> it.instanceIds(first.instanceId()));
        clients.clock.pass(Duration.ofMinutes(1));
        assertThat(refusal(() -> run(it -> it.clientToken("one")))).isEqualTo("IdempotentInstanceTerminated 400");
    }

    @Test
    void aFreshOneMayBeUnknown() {
        clients.aws.hideFresh(2, Duration.ZERO);
        String counted = launch();
        assertThat(refusal(() -> state(counted))).isEqualTo("InvalidInstanceID.NotFound 400");
        assertThat(refusal(() -> clients.ec2.terminateInstances(it -> it.instanceIds(counted))))
                .isEqualTo("InvalidInstanceID.NotFound 400");
        assertThat(state(counted)).isEqualTo("pending");
        clients.aws.hideFresh(0, Duration.ofSeconds(5));
        String timed = launch();
        assertThat(clients.instances()).extracting(Instance::instanceId).doesNotContain(timed);
        clients.clock.pass(Duration.ofSeconds(5));
        assertThat(clients.instances()).extracting(Instance::instanceId).contains(timed);
    }

    @Test
    void namesThatAreNoneAreToldFromUnknownOnes() {
        assertThat(refusal(() -> state("i-xyz"))).isEqualTo("InvalidInstanceID.Malformed 400");
        assertThat(refusal(() -> state("i-00000000000000000"))).isEqualTo("InvalidInstanceID.NotFound 400");
        launch();
        assertThat(refusal(() -> clients.instances(filter("marmalade", "x")))).isEqualTo("InvalidParameterValue 400");
    }

    @Test
    void theMeterRunsFromRunningToTheBeginningOfTheEndAtThePriceOfEachHour() {
        clients.aws.spotPrice("us-east-1a", "g5.xlarge", new BigDecimal("0.4"));
        String id = launch();
        clients.clock.pass(Duration.ofSeconds(10).plus(Duration.ofMinutes(30)));
        clients.aws.spotPrice("us-east-1a", "g5.xlarge", new BigDecimal("0.6"));
        clients.clock.pass(Duration.ofHours(1));
        clients.ec2.terminateInstances(it -> it.instanceIds(id));
        clients.clock.pass(Duration.ofHours(5));
        Meter meter = clients.aws.meters().get(0);
        assertThat(meter.usd(clients.clock.instant())).isEqualByComparingTo("0.7");
        assertThat(meter.reason()).isEqualTo("Client.UserInitiatedShutdown");
        assertThat(Duration.between(meter.running(), meter.ended().orElseThrow()))
                .isEqualTo(Duration.ofMinutes(90));
    }

    @Test
    void throttlingAndFailuresComeWhenTold() {
        clients.aws.inject(AwsFaults.throttling("ec2:Describe.*").times(2));
        clients.aws.inject(AwsFaults.internal("us-west-2 ec2:DescribeInstances"));
        assertThat(refusal(clients::instances)).isEqualTo("RequestLimitExceeded 503");
        assertThat(refusal(clients::instances)).isEqualTo("RequestLimitExceeded 503");
        assertThat(refusal(clients::instances)).isEqualTo("none");
        try (var west = clients.ec2("us-west-2")) {
            assertThat(refusal(() -> west.describeInstances(it -> {}))).isEqualTo("InternalError 500");
        }
        assertThat(clients.aws.calls()).contains(EAST + " ec2:DescribeInstances", "us-west-2 ec2:DescribeInstances");
    }
}
