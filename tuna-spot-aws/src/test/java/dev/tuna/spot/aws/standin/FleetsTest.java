package dev.tuna.spot.aws.standin;

import static dev.tuna.spot.aws.standin.Clients.filter;
import static dev.tuna.spot.aws.standin.Clients.override;
import static dev.tuna.spot.aws.standin.Clients.refusal;
import static dev.tuna.spot.aws.standin.Clients.tag;
import static dev.tuna.spot.aws.standin.Clients.tags;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.testkit.aws.AwsFaults;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.InstanceView;
import dev.tuna.testkit.aws.Market;
import dev.tuna.testkit.aws.Pool;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.ec2.model.CreateFleetError;
import software.amazon.awssdk.services.ec2.model.CreateFleetRequest;
import software.amazon.awssdk.services.ec2.model.CreateFleetResponse;
import software.amazon.awssdk.services.ec2.model.DefaultTargetCapacityType;
import software.amazon.awssdk.services.ec2.model.FleetType;
import software.amazon.awssdk.services.ec2.model.InstanceLifecycle;
import software.amazon.awssdk.services.ec2.model.LaunchTemplate;
import software.amazon.awssdk.services.ec2.model.ResourceType;

/** Fleets of type instant. */
class FleetsTest {

    private final Clients clients = new Clients(AwsStandIn.builder());
    private final LaunchTemplate template = clients.template("tuna-chat");

    @AfterEach
    void close() {
        clients.close();
    }

    private CreateFleetResponse create(CreateFleetRequest.Builder request) {
        return clients.ec2.createFleet(request.build());
    }

    private static String onlyInstance(CreateFleetResponse response) {
        assertThat(response.instances()).hasSize(1);
        assertThat(response.instances().get(0).instanceIds()).hasSize(1);
        return response.instances().get(0).instanceIds().get(0);
    }

    private InstanceView launched(CreateFleetResponse response) {
        return clients.aws.instance(onlyInstance(response)).orElseThrow();
    }

    private static List<String> codes(CreateFleetResponse response) {
        return response.errors().stream().map(CreateFleetError::errorCode).toList();
    }

    private CreateFleetRequest.Builder twoZones() {
        return clients.fleet(
                template,
                override("g5.xlarge", clients.subnet("us-east-1a")),
                override("g5.xlarge", clients.subnet("us-east-1b")));
    }

    private static Pool pool(String zone) {
        return new Pool(zone, "g5.xlarge", Market.SPOT);
    }

    @Test
    void launchesOneWithItsTagsAndSaysWhichOverrideItIs() {
        CreateFleetResponse response = create(twoZones()
                .tagSpecifications(
                        tags(ResourceType.INSTANCE, tag("tuna-owner", "me"), tag("tuna-deployment", "chat")),
                        tags(ResourceType.FLEET, tag("tuna-owner", "me"))));
        String id = onlyInstance(response);
        assertThat(response.fleetId()).startsWith("fleet-");
        assertThat(response.errors()).isEmpty();
        assertThat(response.instances().get(0).lifecycle()).isEqualTo(InstanceLifecycle.SPOT);
        assertThat(response.instances()
                        .get(0)
                        .launchTemplateAndOverrides()
                        .overrides()
                        .subnetId())
                .isEqualTo(clients.subnet("us-east-1a"));
        assertThat(clients.instances(filter("tag:tuna-owner", "me"), filter("instance-state-name", "pending")))
                .singleElement()
                .satisfies(instance -> {
                    assertThat(instance.instanceId()).isEqualTo(id);
                    assertThat(instance.instanceLifecycleAsString()).isEqualTo("spot");
                    assertThat(instance.spotInstanceRequestId()).startsWith("sir-");
                    assertThat(instance.tags()).contains(tag("aws:ec2:fleet-id", response.fleetId()));
                });
    }

    @Test
    void takesTheCheapestOfTheDeepestPools() {
        clients.aws.spotPrice("us-east-1b", "g5.xlarge", new BigDecimal("0.2"));
        assertThat(launched(create(twoZones())).zone()).isEqualTo("us-east-1b");
        clients.aws.stock(pool("us-east-1b"), 3);
        assertThat(launched(create(twoZones())).zone()).isEqualTo("us-east-1a");
        clients.aws.stock(pool("us-east-1a"), 2);
        assertThat(launched(create(twoZones())).zone()).isEqualTo("us-east-1b");
    }

    @Test
    void hasOneErrorForEachOverrideWhenThereIsNothing() {
        clients.aws.stock(pool("us-east-1a"), 0);
        clients.aws.stock(pool("us-east-1b"), 0);
        CreateFleetResponse response = create(twoZones());
        assertThat(response.instances()).isEmpty();
        assertThat(codes(response)).containsExactly("InsufficientInstanceCapacity", "InsufficientInstanceCapacity");
        assertThat(response.errors())
                .extracting(
                        error -> error.launchTemplateAndOverrides().overrides().subnetId())
                .containsExactlyInAnyOrder(clients.subnet("us-east-1a"), clients.subnet("us-east-1b"));
        assertThat(clients.aws.instances()).isEmpty();
    }

    @Test
    void launchesAPartAndSaysWhyNotTheRest() {
        clients.aws.stock(pool("us-east-1a"), 1);
        clients.aws.stock(pool("us-east-1b"), 1);
        CreateFleetResponse response = create(twoZones()
                .targetCapacitySpecification(capacity ->
                        capacity.totalTargetCapacity(3).defaultTargetCapacityType(DefaultTargetCapacityType.SPOT)));
        assertThat(response.instances()).hasSize(2);
        assertThat(codes(response)).containsExactly("InsufficientInstanceCapacity", "InsufficientInstanceCapacity");
        assertThat(clients.aws.instances()).hasSize(2);
    }

    @Test
    void launchesNothingBelowTheLeastThatIsWanted() {
        clients.aws.stock(pool("us-east-1a"), 1);
        clients.aws.stock(pool("us-east-1b"), 0);
        CreateFleetResponse response = create(twoZones()
                .targetCapacitySpecification(capacity ->
                        capacity.totalTargetCapacity(2).defaultTargetCapacityType(DefaultTargetCapacityType.SPOT))
                .spotOptions(spot -> spot.minTargetCapacity(2)));
        assertThat(response.instances()).isEmpty();
        assertThat(clients.aws.instances()).isEmpty();
    }

    @Test
    void saysWhatStandsInTheWayOfEachOverride() {
        clients.aws.quota("us-east-1", "L-3819A6DF", 4);
        clients.aws.addresses("us-east-1b", 0);
        clients.aws.spotPrice("us-east-1c", "g5.xlarge", BigDecimal.TEN);
        CreateFleetResponse response = create(clients.fleet(
                template,
                override("g5.xlarge", clients.subnet("us-east-1f")),
                override("g5.2xlarge", clients.subnet("us-east-1a")),
                override("g5.xlarge", clients.subnet("us-east-1b")),
                override("g5.xlarge", clients.subnet("us-east-1c")),
                override("g5.xlarge", "subnet-00000000000000000")));
        assertThat(response.instances()).isEmpty();
        assertThat(codes(response))
                .containsExactlyInAnyOrder(
                        "Unsupported",
                        "MaxSpotInstanceCountExceeded",
                        "InsufficientFreeAddressesInSubnet",
                        "SpotMaxPriceTooLow",
                        "InvalidSubnetID.NotFound");
    }

    @Test
    void saysThatRightsAreMissingInsideAnAnswerThatIsFine() {
        clients.aws.deny("ec2:RunInstances");
        assertThat(codes(create(twoZones()))).containsOnly("UnauthorizedOperation");
        clients.aws.allow("ec2:RunInstances");
        clients.aws.spotRole(false);
        assertThat(codes(create(twoZones()))).containsOnly("AuthFailure.ServiceLinkedRoleCreationNotPermitted");
    }

    @Test
    void quotasAreFreeAMinuteAfterTheEnd() {
        clients.aws.quota("us-east-1", "L-3819A6DF", 4);
        String first = onlyInstance(create(twoZones()));
        assertThat(codes(create(twoZones()))).containsOnly("MaxSpotInstanceCountExceeded");
        clients.ec2.terminateInstances(it -> it.instanceIds(first));
        clients.clock.pass(Duration.ofSeconds(59));
        assertThat(codes(create(twoZones()))).containsOnly("MaxSpotInstanceCountExceeded");
        clients.clock.pass(Duration.ofSeconds(2));
        assertThat(onlyInstance(create(twoZones()))).isNotEqualTo(first);
    }

    @Test
    void onDemandHasStockAndQuotaOfItsOwn() {
        clients.aws.stock(pool("us-east-1a"), 0);
        CreateFleetRequest.Builder onDemand = twoZones()
                .targetCapacitySpecification(capacity ->
                        capacity.totalTargetCapacity(1).defaultTargetCapacityType(DefaultTargetCapacityType.ON_DEMAND));
        InstanceView launched = launched(create(onDemand));
        assertThat(launched.market()).isEqualTo(Market.ON_DEMAND);
        assertThat(clients.instance(launched.id()).instanceLifecycle()).isNull();
        clients.aws.quota("us-east-1", "L-DB2E81BA", 4);
        assertThat(codes(create(onDemand))).containsOnly("VcpuLimitExceeded");
    }

    @Test
    void aTokenGivesTheSameFleetAgainAndOtherParametersAreRefused() {
        CreateFleetResponse first = create(twoZones().clientToken("replica-1"));
        clients.aws.stock(pool("us-east-1a"), 0);
        assertThat(create(twoZones().clientToken("replica-1")).instances()).isEqualTo(first.instances());
        assertThat(refusal(() -> create(twoZones()
                        .clientToken("replica-1")
                        .tagSpecifications(tags(ResourceType.INSTANCE, tag("other", "yes"))))))
                .isEqualTo("IdempotentParameterMismatch 400");
        assertThat(clients.aws.instances()).hasSize(1);
    }

    @Test
    void anAnswerThatIsLostIsGivenAgain() {
        clients.aws.inject(AwsFaults.cutting("ec2:CreateFleet", true));
        CreateFleetRequest.Builder request = twoZones().clientToken("replica-2");
        assertThat(failed(() -> create(request))).isTrue();
        assertThat(clients.aws.instances()).hasSize(1);
        assertThat(onlyInstance(create(request)))
                .isEqualTo(clients.aws.instances().get(0).id());
        assertThat(clients.aws.instances()).hasSize(1);
    }

    private static boolean failed(Runnable call) {
        try {
            call.run();
            return false;
        } catch (SdkClientException e) {
            return true;
        }
    }

    @Test
    void refusesWhatInstantFleetsCannot() {
        assertThat(refusal(() -> create(twoZones().type((FleetType) null)))).isEqualTo("InvalidParameterValue 400");
        assertThat(refusal(() -> create(twoZones().tagSpecifications(tags(ResourceType.VOLUME, tag("a", "b"))))))
                .isEqualTo("InvalidParameterValue 400");
        assertThat(refusal(() -> create(twoZones().launchTemplateConfigs(Clients.config("lt-00000000000000000", "1")))))
                .isEqualTo("InvalidLaunchTemplateId.NotFound 400");
        assertThat(refusal(() ->
                        create(twoZones().launchTemplateConfigs(Clients.config(template.launchTemplateId(), "7")))))
                .isEqualTo("InvalidLaunchTemplateId.VersionNotFound 400");
    }

    @Test
    void aRehearsalChangesNothing() {
        assertThat(refusal(() -> create(twoZones().dryRun(true)))).isEqualTo("DryRunOperation 412");
        clients.aws.deny("ec2:CreateFleet");
        assertThat(refusal(() -> create(twoZones().dryRun(true)))).isEqualTo("UnauthorizedOperation 403");
        assertThat(clients.aws.instances()).isEmpty();
    }

    @Test
    void remainsUntilItIsDeletedWithItsInstances() {
        CreateFleetResponse made = create(twoZones());
        assertThat(clients.ec2.describeFleets(it -> {}).fleets()).isEmpty();
        assertThat(clients.ec2.describeFleets(it -> it.fleetIds(made.fleetId())).fleets())
                .singleElement()
                .satisfies(fleet -> {
                    assertThat(fleet.type()).isEqualTo(FleetType.INSTANT);
                    assertThat(fleet.instances().get(0).instanceIds()).containsExactly(onlyInstance(made));
                });
        assertThat(refusal(() -> clients.ec2.describeFleetInstances(it -> it.fleetId(made.fleetId()))))
                .isEqualTo("Unsupported 400");
        String[] many = new String[26];
        Arrays.fill(many, made.fleetId());
        assertThat(refusal(() -> clients.ec2.deleteFleets(
                        it -> it.terminateInstances(true).fleetIds(many))))
                .isEqualTo("InvalidParameterValue 400");
        var deleted =
                clients.ec2.deleteFleets(it -> it.terminateInstances(true).fleetIds(made.fleetId(), "fleet-none"));
        assertThat(deleted.successfulFleetDeletions()).hasSize(1);
        assertThat(deleted.unsuccessfulFleetDeletions())
                .singleElement()
                .satisfies(not -> assertThat(not.error().codeAsString()).isEqualTo("fleetIdDoesNotExist"));
        clients.clock.pass(Duration.ofSeconds(20));
        assertThat(clients.aws.instances()).isEmpty();
    }
}
