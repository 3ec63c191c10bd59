package dev.tuna.spot.aws.standin;

import static dev.tuna.spot.aws.standin.Clients.EAST;
import static dev.tuna.spot.aws.standin.Clients.filter;
import static dev.tuna.spot.aws.standin.Clients.refusal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.Market;
import dev.tuna.testkit.aws.Pool;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.AvailabilityZone;
import software.amazon.awssdk.services.ec2.model.GpuDeviceInfo;
import software.amazon.awssdk.services.ec2.model.InstanceType;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;
import software.amazon.awssdk.services.ec2.model.InstanceTypeOffering;
import software.amazon.awssdk.services.ec2.model.LocationType;
import software.amazon.awssdk.services.ec2.model.SpotPlacementScore;
import software.amazon.awssdk.services.ec2.model.SpotPrice;
import software.amazon.awssdk.services.pricing.PricingClient;
import software.amazon.awssdk.services.pricing.model.Filter;
import software.amazon.awssdk.services.pricing.model.FilterType;
import software.amazon.awssdk.services.servicequotas.ServiceQuotasClient;
import software.amazon.awssdk.services.ssm.SsmClient;

/** What there is to rent, where, for how much; images and quotas. */
class CatalogueTest {

    private final Clients clients = new Clients(AwsStandIn.builder().pageSize(7));

    @AfterEach
    void close() {
        clients.close();
    }

    @ParameterizedTest
    @CsvSource({
        "g4dn.xlarge, T4, 1, 16384, 4, 5, 3, 3",
        "g5.48xlarge, A10G, 8, 22888, 192, 5, 3, 3",
        "g6.xlarge, L4, 1, 22888, 4, 5, 3, 4",
        "g6e.xlarge, L40S, 1, 45776, 4, 4, 3, 4",
        "g7e.12xlarge, RTX PRO Server 6000, 2, 98304, 48, 2, 2, 4",
        "p4d.24xlarge, A100, 8, 40960, 96, 4, 3, 4",
        "p5.4xlarge, H100, 1, 81920, 16, 6, 3, 4",
        "p6-b300.48xlarge, B300, 8, 275040, 192, 1, 0, 1",
    })
    void typesAreThoseThatEc2HadInAugust2026(
            String name, String gpu, int count, int mib, int vcpus, int zones1, int zones2, int zones3) {
        InstanceTypeInfo type = clients.ec2
                .describeInstanceTypes(it -> it.instanceTypesWithStrings(name))
                .instanceTypes()
                .get(0);
        GpuDeviceInfo device = type.gpuInfo().gpus().get(0);
        assertThat(device.name()).isEqualTo(gpu);
        assertThat(device.manufacturer()).isEqualTo("NVIDIA");
        assertThat(device.count()).isEqualTo(count);
        assertThat(device.memoryInfo().sizeInMiB()).isEqualTo(mib);
        assertThat(type.vCpuInfo().defaultVCpus()).isEqualTo(vcpus);
        assertThat(List.of(zones(EAST, name), zones("us-east-2", name), zones("us-west-2", name)))
                .containsExactly(zones1, zones2, zones3);
    }

    private int zones(String region, String type) {
        try (Ec2Client ec2 = clients.ec2(region)) {
            return ec2.describeInstanceTypeOfferings(it ->
                            it.locationType(LocationType.AVAILABILITY_ZONE).filters(filter("instance-type", type)))
                    .instanceTypeOfferings()
                    .size();
        }
    }

    @Test
    void listsComeInPagesThatTogetherAreWhole() {
        List<String> types = clients.ec2.describeInstanceTypesPaginator(it -> {}).instanceTypes().stream()
                .map(InstanceTypeInfo::instanceTypeAsString)
                .toList();
        assertThat(types)
                .doesNotHaveDuplicates()
                .hasSizeGreaterThan(45)
                .contains("g5.xlarge", "m5.large", "g6f.xlarge", "g4ad.xlarge", "g5g.xlarge")
                .doesNotContain("p5e.48xlarge");
        assertThat(clients
                        .ec2
                        .describeInstanceTypeOfferingsPaginator(it -> it.locationType(LocationType.AVAILABILITY_ZONE))
                        .instanceTypeOfferings()
                        .stream()
                        .map(InstanceTypeOffering::instanceTypeAsString)
                        .distinct())
                .containsExactlyInAnyOrderElementsOf(types);
        assertThat(clients.aws.calls().stream().filter("us-east-1 ec2:DescribeInstanceTypes"::equals))
                .hasSizeGreaterThan(6);
        assertThat(refusal(() -> clients.ec2.describeInstanceTypes(it -> it.nextToken("nonsense"))))
                .isEqualTo("InvalidParameterValue 400");
        assertThat(refusal(() -> clients.ec2.describeInstanceTypes(it -> it.instanceTypesWithStrings("g9.huge"))))
                .isEqualTo("InvalidInstanceType 400");
    }

    @Test
    void zonesHaveIdsThatTheirNamesDoNotTell() {
        assertThat(clients.ec2.describeAvailabilityZones(it -> {}).availabilityZones())
                .extracting(AvailabilityZone::zoneName, AvailabilityZone::zoneId)
                .contains(tuple("us-east-1a", "use1-az6"), tuple("us-east-1b", "use1-az1"))
                .hasSize(6);
        assertThat(clients.ec2.describeRegions(it -> {}).regions()).hasSize(3);
        assertThat(clients.ec2
                        .describeVpcs(it -> it.filters(filter("is-default", "true")))
                        .vpcs())
                .singleElement()
                .satisfies(vpc -> assertThat(clients.ec2
                                .describeSubnets(it -> it.filters(filter("vpc-id", vpc.vpcId())))
                                .subnets())
                        .hasSize(6)
                        .allMatch(subnet -> subnet.mapPublicIpOnLaunch()));
    }

    @Test
    void pricesStartingNowAreThoseOfEveryZone() {
        clients.clock.pass(Duration.ofHours(1));
        clients.aws.spotPrice("us-east-1b", "g5.xlarge", new BigDecimal("0.5"));
        clients.clock.pass(Duration.ofHours(1));
        List<SpotPrice> now = prices(clients.clock.instant());
        assertThat(now)
                .extracting(SpotPrice::availabilityZone)
                .doesNotHaveDuplicates()
                .hasSize(5);
        assertThat(now)
                .filteredOn(price -> price.availabilityZone().equals("us-east-1b"))
                .singleElement()
                .satisfies(price -> {
                    assertThat(price.spotPrice()).isEqualTo("0.500000");
                    assertThat(price.timestamp())
                            .isEqualTo(clients.clock.instant().minus(Duration.ofHours(1)));
                });
        assertThat(prices(clients.clock.instant().minus(Duration.ofHours(2))))
                .as("with the one that was valid when the span began")
                .filteredOn(price -> price.availabilityZone().equals("us-east-1b"))
                .hasSize(2);
    }

    private List<SpotPrice> prices(Instant since) {
        return clients
                .ec2
                .describeSpotPriceHistoryPaginator(it -> it.startTime(since)
                        .instanceTypes(InstanceType.G5_XLARGE)
                        .productDescriptions("Linux/UNIX"))
                .spotPriceHistory()
                .stream()
                .toList();
    }

    @Test
    void scoresTellPoolsApartIfEnoughTypesAreGiven() {
        String[] three = {"g5.xlarge", "g6.xlarge", "g4dn.xlarge"};
        for (String type : three) {
            clients.aws.stock(new Pool("us-east-1a", type, Market.SPOT), 0);
        }
        clients.aws.placementScore("use1-az1", 10);
        assertThat(scores(three))
                .contains("use1-az6=1", "use1-az1=10", "use1-az2=9")
                .hasSize(6);
        assertThat(scores("g5.xlarge")).contains("use1-az6=1", "use1-az1=3", "use1-az2=3");
    }

    private List<String> scores(String... types) {
        return clients
                .ec2
                .getSpotPlacementScores(it -> it.instanceTypes(types)
                        .targetCapacity(1)
                        .singleAvailabilityZone(true)
                        .regionNames(EAST))
                .spotPlacementScores()
                .stream()
                .map((SpotPlacementScore score) -> score.availabilityZoneId() + "=" + score.score())
                .toList();
    }

    @Test
    void theListPriceIsFoundAmongLinesThatLookAlike() throws IOException {
        assertThat(listPrices("g5.xlarge", "Used", "OnDemand")).containsExactly("1.0060000000");
        assertThat(listPrices("p5.48xlarge", "Used", "")).containsExactlyInAnyOrder("55.0400000000", "0.0000000000");
        assertThat(listPrices("g5.xlarge", "AllocatedCapacityReservation", "")).containsExactly("0.0000000000");
    }

    private List<String> listPrices(String type, String status, String market) throws IOException {
        List<Filter> filters = new ArrayList<>(List.of(
                term("instanceType", type),
                term("regionCode", EAST),
                term("operatingSystem", "Linux"),
                term("tenancy", "Shared"),
                term("preInstalledSw", "NA"),
                term("capacitystatus", status)));
        if (!market.isEmpty()) {
            filters.add(term("marketoption", market));
        }
        List<String> prices = new ArrayList<>();
        try (PricingClient pricing = clients.client(PricingClient.builder(), EAST)) {
            for (String product : pricing.getProductsPaginator(
                            it -> it.serviceCode("AmazonEC2").filters(filters))
                    .priceList()) {
                JsonNode terms =
                        new JsonMapper().readTree(product).path("terms").path("OnDemand");
                terms.forEach(term -> term.path("priceDimensions")
                        .forEach(price -> prices.add(
                                price.path("pricePerUnit").path("USD").asText())));
            }
        }
        return prices;
    }

    private static Filter term(String field, String value) {
        return Filter.builder()
                .type(FilterType.TERM_MATCH)
                .field(field)
                .value(value)
                .build();
    }

    @Test
    void pricingIsNotEverywhere() {
        try (PricingClient pricing = clients.client(PricingClient.builder(), "us-west-2")) {
            assertThat(refusal(() -> pricing.getProducts(it -> it.serviceCode("AmazonEC2"))))
                    .endsWith(" 404");
        }
    }

    @Test
    void imagesAreNamedByParametersThatMayBeMissing() {
        String image = clients.image();
        assertThat(clients.ec2.describeImages(it -> it.imageIds(image)).images())
                .singleElement()
                .satisfies(it -> {
                    assertThat(it.rootDeviceName()).isEqualTo("/dev/sda1");
                    assertThat(it.blockDeviceMappings().get(0).ebs().volumeSize())
                            .isEqualTo(75);
                });
        clients.aws.removeParameter(EAST, Clients.IMAGE_PARAMETER);
        assertThat(refusal(clients::image)).isEqualTo("ParameterNotFound 400");
        try (SsmClient ssm = clients.client(SsmClient.builder(), EAST)) {
            var found = ssm.getParameters(it -> it.names(
                    Clients.IMAGE_PARAMETER,
                    "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"));
            assertThat(found.parameters()).hasSize(1);
            assertThat(found.invalidParameters()).containsExactly(Clients.IMAGE_PARAMETER);
        }
    }

    @Test
    void quotasAreTold() {
        clients.aws.quota(EAST, "L-3819A6DF", 0);
        try (ServiceQuotasClient quotas = clients.client(ServiceQuotasClient.builder(), EAST)) {
            assertThat(quotas.getServiceQuota(it -> it.serviceCode("ec2").quotaCode("L-3819A6DF"))
                            .quota()
                            .value())
                    .isZero();
            assertThat(quotas.getServiceQuota(it -> it.serviceCode("ec2").quotaCode("L-417A185B"))
                            .quota()
                            .quotaName())
                    .isEqualTo("Running On-Demand P instances");
            assertThat(refusal(() ->
                            quotas.getServiceQuota(it -> it.serviceCode("ec2").quotaCode("L-00000000"))))
                    .isEqualTo("NoSuchResourceException 400");
            assertThat(quotas.listServiceQuotasPaginator(it -> it.serviceCode("ec2")).quotas().stream())
                    .hasSize(6);
            clients.aws.deny("servicequotas:GetServiceQuota");
            assertThat(refusal(() ->
                            quotas.getServiceQuota(it -> it.serviceCode("ec2").quotaCode("L-3819A6DF"))))
                    .isEqualTo("AccessDeniedException 400");
        }
    }
}
