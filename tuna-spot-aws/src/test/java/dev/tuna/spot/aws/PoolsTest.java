package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Tier;
import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.aws.AwsFaults;
import dev.tuna.testkit.contract.ContractContext;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which machines fit, and what they cost. */
class PoolsTest {

    @SuppressWarnings("NullAway.Init") // set before the first test
    private static Aws aws;

    @BeforeAll
    static void start() {
        aws = Aws.start();
    }

    @AfterAll
    static void stop() {
        aws.close();
    }

    private static List<PoolOffer> pools(ReplicaSpec spec) {
        try (SpotCloud cloud = aws.provider().open(aws.context())) {
            return cloud.pools(spec);
        }
    }

    private static List<PoolOffer> pools(String gpu, int count, Map<String, String> options) {
        return pools(Specs.of("chat", gpu, count, options));
    }

    private static Set<String> types(List<PoolOffer> offers) {
        return offers.stream().map(offer -> offer.pool().machineType()).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Parity T-12: names of GPUs as everywhere, whatever EC2 calls them. */
    @ParameterizedTest(name = "{1} x {0}")
    @CsvSource({
        "T4, 1, 1, g4dn.xlarge",
        "A10G, 1, 1, g5.xlarge",
        "L4, 1, 1, g6.xlarge",
        "L4, 2, 4, g6.12xlarge",
        "L4, 8, 8, g6.48xlarge",
        "L40S, 1, 1, g6e.xlarge",
        "RTX_PRO_6000, 2, 2, g7e.12xlarge",
        "A100_40GB, 1, 8, p4d.24xlarge",
        "A100_80GB, 1, 8, p4de.24xlarge",
        "H100, 1, 1, p5.4xlarge",
        "H100, 2, 8, p5.48xlarge",
        "H200, 1, 8, p5en.48xlarge",
        "B200, 8, 8, p6-b200.48xlarge"
    })
    void theSmallestMachineWithEnoughGpusIsOffered(String gpu, int wanted, int count, String type) {
        List<PoolOffer> offers = pools(gpu, wanted, Map.of());
        assertThat(types(offers)).contains(type);
        assertThat(offers).allSatisfy(offer -> {
            assertThat(offer.gpu()).isEqualTo(gpu);
            assertThat(offer.gpuCount()).isEqualTo(count);
            assertThat(offer.usdPerHour())
                    .hasValueSatisfying(usd -> assertThat(usd).isGreaterThan(new BigDecimal("0.1")));
        });
        assertThat(offers).extracting(offer -> offer.pool().tier()).contains(Tier.SPOT, Tier.ON_DEMAND);
    }

    @Test
    void aGpuThatIsSoldByEightsOnlyCostsAsMuchAsEight() {
        assertThat(pools("A100_80GB", 1, Map.of()).stream()
                        .filter(offer -> offer.pool().tier() == Tier.ON_DEMAND))
                .isNotEmpty()
                .allSatisfy(offer -> assertThat(offer.usdPerHour())
                        .hasValueSatisfying(usd -> assertThat(usd).isGreaterThan(new BigDecimal("27"))));
    }

    @Test
    void partsOfAGpuAndOtherMakersAndProcessorsAreNotOffered() {
        try (SpotCloud cloud = aws.provider().open(aws.context())) {
            assertThat(cloud.pools())
                    .extracting(offer -> offer.pool().machineType())
                    .contains("g6.xlarge")
                    .doesNotContain("g6f.xlarge", "g4ad.xlarge", "g5g.xlarge", "m5.large");
        }
    }

    @Test
    void machinesThatCostManyTimesTheCheapestAreLeftOut() {
        assertThat(types(pools("L4", 1, Map.of())))
                .contains("g6.xlarge", "g6.2xlarge")
                .doesNotContain("g6.16xlarge");
        assertThat(types(pools("L4", 1, Map.of("price_spread", "10")))).contains("g6.16xlarge");
    }

    @Test
    void regionsZonesAndTypesAreThoseAllowedT06() {
        ReplicaSpec spec =
                Specs.of("chat", "L4", 1, Map.of("instance_types", "g6.2*", "zones", "us-west-2b,us-west-2c"));
        ReplicaSpec west =
                new ReplicaSpec("chat", spec.engine(), List.of("us-west-2"), Duration.ofMinutes(15), spec.options());
        assertThat(pools(west))
                .hasSize(4)
                .allMatch(offer -> offer.pool().machineType().equals("g6.2xlarge")
                        && offer.pool().zone().matches("us-west-2[bc]"));
    }

    @Test
    void onlyZonesWithASubnetThatIsAllowedAreOffered() {
        try (SpotCloud cloud = aws.provider().open(aws.context())) {
            String subnet = subnet("us-east-2", "us-east-2b");
            assertThat(cloud.pools(Specs.of("chat", "L4", 1, Map.of("subnets", subnet))))
                    .isNotEmpty()
                    .allMatch(offer -> offer.pool().zone().equals("us-east-2b"));
        }
    }

    private static String subnet(String region, String zone) {
        ContractContext context = aws.context();
        AwsSettings settings = AwsSettings.of(context.settings());
        try (AwsClients clients =
                new AwsClients(settings, () -> Credentials.of(settings, context.secrets(), context.clock()))) {
            return new Networks(clients, region)
                    .find(Optional.empty(), List.of())
                    .orElseThrow()
                    .subnets()
                    .getOrDefault(zone, List.of())
                    .get(0);
        }
    }

    @Test
    void aCloudThatCannotBeReachedIsKnownFromTheBuiltInTableAndSpotPricesAreNotGuessed() {
        ContractContext offline = aws.context().withSetting("endpoint", "http://127.0.0.1:1");
        try (SpotCloud cloud = aws.provider().open(offline)) {
            List<PoolOffer> offers = cloud.pools(Specs.of("chat"));
            assertThat(offers)
                    .isNotEmpty()
                    .allMatch(offer -> offer.source().equals(BuiltIn.SOURCE)
                            && offer.asOf().equals(BuiltIn.AS_OF));
            assertThat(offers)
                    .allMatch(offer ->
                            offer.usdPerHour().isPresent() == (offer.pool().tier() == Tier.ON_DEMAND));
        }
    }

    @Test
    void listPricesThatMayNotBeReadAreThoseBuiltInAndSaySo() {
        try (Aws other = Aws.start()) {
            other.cloud()
                    .inject(AwsFaults.error("pricing:GetProducts", 400, "AccessDeniedException", "no")
                            .times(50));
            try (SpotCloud cloud = other.provider().open(other.context())) {
                List<PoolOffer> offers = cloud.pools(Specs.of("chat"));
                assertThat(offers)
                        .isNotEmpty()
                        .allSatisfy(offer -> assertThat(offer.source())
                                .isEqualTo(offer.pool().tier() == Tier.SPOT ? Prices.LIVE : BuiltIn.SOURCE));
                assertThat(offers).allMatch(offer -> offer.usdPerHour().isPresent());
            }
        }
    }

    @Test
    void whoComesLaterDoesNotWaitAndNothingIsReadTwice() {
        try (Aws other = Aws.start();
                SpotCloud cloud = other.provider().open(other.context())) {
            cloud.pools(Specs.of("chat"));
            int before = other.cloud().calls().size();
            cloud.pools(Specs.of("chat"));
            cloud.pools();
            assertThat(other.cloud().calls()).hasSize(before);
        }
    }
}
