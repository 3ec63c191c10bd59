package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.LaunchPlan;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.CreateFleetRequest;

/** Exactly what would be sent. */
class FleetPlannerTest {

    private static final CapacityPool A = pool("us-east-1a", "g6.xlarge", Tier.SPOT);
    private static final CapacityPool B = pool("us-east-1b", "g6.2xlarge", Tier.SPOT);
    private static final CapacityPool WEST = pool("us-west-2a", "g6.xlarge", Tier.SPOT);
    private static final CapacityPool LIST_B = pool("us-east-1b", "g6.xlarge", Tier.ON_DEMAND);
    private static final CapacityPool LIST_A = pool("us-east-1a", "g6.xlarge", Tier.ON_DEMAND);

    private static CapacityPool pool(String zone, String type, Tier tier) {
        return new CapacityPool("aws", zone.substring(0, zone.length() - 1), zone, type, tier);
    }

    private static LaunchPlan plan(Map<String, String> options, CapacityPool... pools) {
        return FleetPlanner.plan(
                "own1",
                Specs.of("chat", "L4", 1, options),
                AwsOptions.of(Map.of(), options),
                List.of(pools),
                "chat-r1",
                "boot");
    }

    private static List<FleetPlan.Step> steps(LaunchPlan plan) {
        return FleetPlan.read(plan.body()).steps();
    }

    private static JsonNode data(Map<String, String> options) {
        return steps(plan(options, A))
                .get(0)
                .request("CreateLaunchTemplateVersion")
                .path("LaunchTemplateData");
    }

    @Test
    void oneFleetForEachMarketOfEachRegionInTheOrderOfTheirBestPools() {
        assertThat(steps(plan(Map.of(), A, WEST, LIST_B, B)))
                .extracting(step -> step.region() + " " + step.tier())
                .containsExactly("us-east-1 SPOT", "us-west-2 SPOT", "us-east-1 ON_DEMAND");
    }

    @Test
    void spareCapacityIsAskedForOverAllPoolsAtOnce() {
        JsonNode fleet = steps(plan(Map.of(), A, B)).get(0).request("CreateFleet");
        assertThat(fleet.path("Type").asText()).isEqualTo("instant");
        assertThat(fleet.path("SpotOptions").path("AllocationStrategy").asText())
                .isEqualTo("price-capacity-optimized");
        assertThat(fleet.path("TargetCapacitySpecification").toString())
                .isEqualTo("{\"TotalTargetCapacity\":1,\"DefaultTargetCapacityType\":\"spot\"}");
        assertThat(FleetPlanner.overrides(fleet).toString())
                .isEqualTo("[{\"InstanceType\":\"g6.xlarge\",\"SubnetId\":\"${subnet-in:us-east-1a}\"},"
                        + "{\"InstanceType\":\"g6.2xlarge\",\"SubnetId\":\"${subnet-in:us-east-1b}\"}]");
        assertThat(fleet.toString()).as("EC2 advises against a limit").doesNotContain("MaxPrice");
    }

    @Test
    void listPriceFollowsTheOrderOfThePools() {
        JsonNode fleet = steps(plan(Map.of(), LIST_B, LIST_A)).get(0).request("CreateFleet");
        assertThat(fleet.path("OnDemandOptions").path("AllocationStrategy").asText())
                .isEqualTo("prioritized");
        assertThat(FleetPlanner.overrides(fleet).findValuesAsText("Priority")).containsExactly("0.0", "1.0");
    }

    @Test
    void machinesAreLockedDownAndEndWithEverythingTheyHave() {
        JsonNode data = data(Map.of());
        assertThat(data.path("InstanceInitiatedShutdownBehavior").asText()).isEqualTo("terminate");
        assertThat(data.path("MetadataOptions").toString())
                .isEqualTo("{\"HttpEndpoint\":\"enabled\",\"HttpTokens\":\"required\",\"HttpPutResponseHopLimit\":1}");
        JsonNode disk = data.path("BlockDeviceMappings").path(0).path("Ebs");
        assertThat(disk.path("Encrypted").asBoolean()).isTrue();
        assertThat(disk.path("DeleteOnTermination").asBoolean()).isTrue();
        assertThat(data.path("NetworkInterfaces")
                        .path(0)
                        .path("DeleteOnTermination")
                        .asBoolean())
                .isTrue();
        assertThat(data.has("KeyName")).isFalse();
        assertThat(data.has("IamInstanceProfile")).isFalse();
    }

    @Test
    void onePortIsOpenToOneSourceAndSshOnlyWhenAskedFor() {
        JsonNode open = steps(plan(Map.of(), A)).get(0).request("AuthorizeSecurityGroupIngress");
        assertThat(open.path("IpPermissions").toString())
                .isEqualTo("[{\"IpProtocol\":\"tcp\",\"FromPort\":8443,\"ToPort\":8443,"
                        + "\"IpRanges\":[{\"CidrIp\":\"${host-cidr}\",\"Description\":\"the host of Tuna\"}]}]");
        Map<String, String> ssh = Map.of("key_name", "ann", "ingress", "203.0.113.0/24", "port", "9443");
        assertThat(steps(plan(ssh, A))
                        .get(0)
                        .request("AuthorizeSecurityGroupIngress")
                        .findValuesAsText("FromPort"))
                .containsExactly("9443", "22");
        assertThat(data(ssh).path("KeyName").asText()).isEqualTo("ann");
        assertThat(steps(plan(Map.of("ingress", "sg-1"), A))
                        .get(0)
                        .request("AuthorizeSecurityGroupIngress")
                        .toString())
                .contains("\"UserIdGroupPairs\":[{\"GroupId\":\"sg-1\"}]");
    }

    @Test
    void machinesOfAPrivateNetworkHaveNoPublicAddress() {
        Map<String, String> inside = Map.of("ingress", "vpc");
        assertThat(data(inside)
                        .path("NetworkInterfaces")
                        .path(0)
                        .path("AssociatePublicIpAddress")
                        .asBoolean())
                .isFalse();
        assertThat(steps(plan(inside, A))
                        .get(0)
                        .request("AuthorizeSecurityGroupIngress")
                        .toString())
                .contains("${vpc-cidr}");
    }

    @Test
    void sizesProfilesAndImagesAreThoseAskedForT02() {
        JsonNode data = data(Map.of(
                "volume_gb", "500", "volume_iops", "9000", "volume_throughput", "800", "instance_profile", "weights"));
        JsonNode disk = data.path("BlockDeviceMappings").path(0).path("Ebs");
        assertThat(disk.path("VolumeSize").asInt()).isEqualTo(500);
        assertThat(disk.path("Iops").asInt()).isEqualTo(9000);
        assertThat(disk.path("Throughput").asInt()).isEqualTo(800);
        assertThat(data.path("IamInstanceProfile").path("Name").asText()).isEqualTo("weights");
        assertThat(steps(plan(Map.of("ami", "us-east-1=ami-1"), A)).get(0).image())
                .containsExactly("ami-1");
    }

    @Test
    void everythingThatIsMadeCarriesOwnerAndDeployment() {
        String body = plan(Map.of(), A).body();
        for (String type :
                List.of("instance", "volume", "network-interface", "launch-template", "security-group", "fleet")) {
            assertThat(body).contains("\"ResourceType\" : \"" + type + "\"");
        }
        JsonNode step = FleetPlan.read(body).steps().get(0).request("CreateFleet");
        assertThat(step.path("TagSpecifications").toString())
                .contains("tuna-owner", "own1", "tuna-deployment", "tuna-replica");
    }

    @Test
    void aPlanIsTheRequestAsTheSdkHasIt() {
        FleetPlan.Step step = steps(plan(Map.of(), LIST_A, LIST_B)).get(0);
        CreateFleetRequest request = SdkJson.fill(CreateFleetRequest.builder(), step.request("CreateFleet"))
                .build();
        assertThat(request.clientToken()).hasSizeBetween(32, 64);
        assertThat(request.launchTemplateConfigs().get(0).overrides()).hasSize(2);
        assertThat(request.launchTemplateConfigs().get(0).overrides().get(1).priority())
                .isEqualTo(1.0);
        assertThat(request.tagSpecifications()).hasSize(1);
        assertThatThrownBy(() -> SdkJson.fill(
                        CreateFleetRequest.builder(),
                        SdkJson.JSON.createObjectNode().put("Typ", "instant")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Typ");
    }

    @Test
    void tokensDifferByReplicaMarketRegionAndOwner() {
        List<String> tokens = steps(plan(Map.of(), A, WEST, LIST_A)).stream()
                .map(step -> step.request("CreateFleet").path("ClientToken").asText())
                .toList();
        assertThat(tokens).doesNotHaveDuplicates();
        assertThat(Names.token("a", "b")).isNotEqualTo(Names.token("b", "a")).hasSizeLessThanOrEqualTo(64);
    }

    @Test
    void secretsStandInAPlanByNameOnly() {
        assertThat(plan(Map.of(), A).body())
                .contains("contract/engine-key", "contract/model-token", "tuna-secret-HF_TOKEN")
                .contains("${user-data}");
    }

    @Test
    void whatDoesNotFitTogetherIsRefused() {
        assertThatThrownBy(() -> plan(Map.of("ami", "ami-1"), A, WEST))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("us-east-1=ami-1");
        assertThatThrownBy(() -> plan(Map.of())).isInstanceOf(ConfigurationException.class);
        CapacityPool other = new CapacityPool("gcp", "us-east1", "us-east1-b", "g2", Tier.SPOT);
        assertThatThrownBy(() -> plan(Map.of(), other)).isInstanceOf(ConfigurationException.class);
    }

    @Test
    void noMoreOverridesThanAFleetTakes() {
        CapacityPool[] many = new CapacityPool[400];
        for (int each = 0; each < many.length; each++) {
            many[each] = pool("us-east-1a", "g6." + each + "xlarge", Tier.SPOT);
        }
        assertThat(FleetPlanner.overrides(steps(plan(Map.of(), many)).get(0).request("CreateFleet")))
                .hasSize(FleetPlanner.MAX_OVERRIDES);
    }
}
