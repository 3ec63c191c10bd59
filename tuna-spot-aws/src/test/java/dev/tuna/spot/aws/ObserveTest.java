package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.aws.AwsFaults;
import dev.tuna.testkit.aws.InstanceView;
import dev.tuna.testkit.aws.Market;
import dev.tuna.testkit.aws.Pool;
import dev.tuna.testkit.contract.ContractContext;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Looking at replicas, finding and removing what was made. */
class ObserveTest {

    private static final CapacityPool SPOT = new CapacityPool("aws", "us-east-1", "us-east-1a", "g6.xlarge", Tier.SPOT);
    private static final CapacityPool LIST =
            new CapacityPool("aws", "us-east-1", "us-east-1b", "g6.xlarge", Tier.ON_DEMAND);
    private static final CapacityPool WEST = new CapacityPool("aws", "us-west-2", "us-west-2a", "g6.xlarge", Tier.SPOT);

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-01T00:00:00.250Z"));
    private final InstantSource clock = now::get;
    private final Aws aws = Aws.start(config -> config.clock(clock));
    private final ContractContext context = aws.known(ContractContext.create().withClock(clock));
    private final SpotCloud cloud = aws.provider().open(context);

    @AfterEach
    void close() {
        cloud.close();
        aws.close();
    }

    private ResourceRef launch(String token, CapacityPool pool) {
        return cloud.launch(cloud.plan(Specs.of("chat"), List.of(pool), token));
    }

    private ReplicaObservation look(SpotCloud at, ResourceRef replica) {
        return Optional.ofNullable(at.observe(List.of(replica)).get(replica)).orElseThrow();
    }

    private ReplicaObservation look(ResourceRef replica) {
        return look(cloud, replica);
    }

    private void pass(Duration time) {
        now.updateAndGet(before -> before.plus(time));
        aws.cloud().letTimePass();
    }

    /** What the stand-in does in other threads follows within moments. */
    private static void eventually(BooleanSupplier condition) {
        Instant limit = Instant.now().plusSeconds(30);
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).isBefore(limit);
            Thread.onSpinWait();
        }
    }

    private long calls(String action) {
        return aws.cloud().calls().stream()
                .filter(call -> call.endsWith(" " + action))
                .count();
    }

    @Test
    void whatIsFreshIsAskedForThoughEc2DoesNotShowItYetT11() {
        aws.cloud().hideFresh(0, Duration.ofMinutes(1));
        ResourceRef replica = launch("chat-r1", SPOT);
        assertThat(look(replica).phase()).isEqualTo(BackendPhase.REQUESTED);
        try (SpotCloud restarted = aws.provider().open(context)) {
            assertThat(look(restarted, replica).phase()).isEqualTo(BackendPhase.REQUESTED);
        }
        pass(Duration.ofMinutes(3));
        assertThat(look(replica).phase()).isEqualTo(BackendPhase.BOOTING);
    }

    @Test
    void whatEc2DoesNotShowForLongIsGone() {
        ResourceRef never = Names.ref(Names.INSTANCE, "us-east-1", "i-0123456789abcdef0");
        assertThat(look(never).phase()).isEqualTo(BackendPhase.REQUESTED);
        pass(Inventory.SETTLING);
        assertThat(look(never)).isEqualTo(ReplicaObservation.gone());
    }

    @Test
    void manyReplicasOfARegionAreOneCallT09() {
        List<ResourceRef> replicas = new ArrayList<>();
        for (int each = 0; each < 5; each++) {
            replicas.add(launch("chat-r" + each, SPOT));
        }
        replicas.add(launch("chat-west", WEST));
        long before = calls("ec2:DescribeInstances");
        assertThat(cloud.observe(replicas)).hasSize(6);
        assertThat(calls("ec2:DescribeInstances") - before).isEqualTo(2);
    }

    private static void refuse(Aws aws, String region) {
        aws.cloud()
                .inject(AwsFaults.error(
                                region + " ec2:DescribeInstances",
                                400,
                                "ExpiredToken",
                                "The security token included in the request is expired")
                        .times(1000));
    }

    @Test
    void machinesOfARegionThatCannotBeAskedAreKnownByWhatTheySay() {
        try (Aws serving = Aws.serving();
                SpotCloud other = serving.provider().open(serving.context())) {
            ResourceRef east = other.launch(other.plan(Specs.of("chat"), List.of(SPOT), "chat-r1"));
            ResourceRef west = other.launch(other.plan(Specs.of("chat"), List.of(WEST), "chat-r2"));
            List<ResourceRef> both = List.of(east, west);
            eventually(
                    () -> other.observe(both).values().stream().allMatch(seen -> seen.phase() == BackendPhase.READY));
            refuse(serving, "us-east-1");
            serving.cloud().interrupt(Names.id(east));
            assertThat(other.observe(both).values())
                    .extracting(ReplicaObservation::phase)
                    .containsOnly(BackendPhase.READY);
            assertThat(look(other, east).phase()).isEqualTo(BackendPhase.READY);
            assertThat(look(other, east).interruptionAt()).isPresent();
            assertThat(look(other, east).pool()).contains(SPOT);
        }
    }

    @Test
    void aRegionThatCannotBeAskedKeepsNobodyFromSpeakingToMachines() {
        List<ResourceRef> both = List.of(launch("chat-r1", SPOT), launch("chat-r2", WEST));
        pass(Duration.ofSeconds(30));
        eventually(() -> cloud.observe(both).values().stream().allMatch(seen -> seen.phase() == BackendPhase.BOOTING));
        refuse(aws, "us-east-1");
        aws.spokenTo().clear();
        assertThatThrownBy(() -> cloud.observe(both))
                .isInstanceOf(TunaException.class)
                .hasMessageContaining("ExpiredToken");
        assertThat(aws.spokenTo()).containsExactlyInAnyOrder(Names.id(both.get(0)), Names.id(both.get(1)));
        aws.cloud().clearFaults();
        assertThat(cloud.observe(both)).hasSize(2);
    }

    @Test
    void theBillBeginsAndEndsWhenEc2SaysSoAndTheReasonIsToldT07() {
        ResourceRef replica = launch("chat-r1", SPOT);
        Instant launched = clock.instant();
        pass(Duration.ofMinutes(10));
        assertThat(look(replica).launchedAt())
                .hasValueSatisfying(
                        at -> assertThat(Duration.between(at, launched).abs()).isLessThan(Duration.ofSeconds(1)));
        aws.cloud().reclaim(Names.id(replica));
        pass(Duration.ofSeconds(30));
        eventually(() -> look(replica).phase() == BackendPhase.GONE);
        ReplicaObservation gone = look(replica);
        assertThat(gone.detail()).contains("Server.SpotInstanceTermination").contains("took the spot instance back");
        assertThat(gone.endedAt())
                .hasValueSatisfying(end -> assertThat(end)
                        .isAfter(launched.plus(Duration.ofMinutes(9)))
                        .isBeforeOrEqualTo(clock.instant()));
        assertThat(gone.address()).isEmpty();
        assertThat(TestLink.FORGOTTEN).contains("chat-r1");
    }

    @Test
    void whatIsGoneIsNotKeptInMind() {
        LaunchPlan plan = cloud.plan(Specs.of("chat"), List.of(SPOT), "chat-r1");
        ResourceRef replica = cloud.launch(plan);
        long asked = calls("ec2:DescribeInstances");
        assertThat(cloud.launch(plan)).isEqualTo(replica);
        assertThat(calls("ec2:DescribeInstances")).isEqualTo(asked);
        cloud.terminate(replica);
        pass(Duration.ofMinutes(3));
        eventually(() -> look(replica).phase() == BackendPhase.GONE);
        asked = calls("ec2:DescribeInstances");
        assertThat(cloud.launch(plan)).isEqualTo(replica);
        assertThat(calls("ec2:DescribeInstances")).isGreaterThan(asked);
    }

    private List<String> open() {
        return aws.cloud().ingress().stream()
                .map(rule -> rule.replaceFirst(" .*", "").replaceFirst("/.*", "") + rule.replaceFirst("\\S+", ""))
                .toList();
    }

    @Test
    void machinesThatDoNotAnswerAreOpenedToTheHostsNewAddressAndClosedToItsOldOne() {
        ReplicaSpec withKey = Specs.of("chat", "L4", 1, Map.of("key_name", "ann"));
        ResourceRef replica = cloud.launch(cloud.plan(withKey, List.of(SPOT), "chat-r1"));
        assertThat(open()).containsExactly("us-east-1 8443 203.0.113.7/32", "us-east-1 22 203.0.113.7/32");
        aws.seeFrom("198.51.100.9");
        pass(Duration.ofSeconds(30));
        eventually(() -> {
            look(replica);
            return open().equals(List.of("us-east-1 8443 198.51.100.9/32", "us-east-1 22 198.51.100.9/32"));
        });
    }

    @Test
    void whatIsOpenToARangeOrToOthersStaysAsItIs() {
        ReplicaSpec range = Specs.of("chat", "L4", 1, Map.of("ingress", "198.51.100.0/24"));
        ResourceRef replica = cloud.launch(cloud.plan(range, List.of(SPOT), "chat-r1"));
        pass(Duration.ofSeconds(30));
        eventually(() -> {
            look(replica);
            return calls("ec2:DescribeSecurityGroups") == 2;
        });
        assertThat(open()).containsExactly("us-east-1 8443 198.51.100.0/24");
        assertThat(calls("ec2:AuthorizeSecurityGroupIngress")).isEqualTo(1);
        pass(HostIngress.PAUSE);
        eventually(() -> {
            look(replica);
            return calls("ec2:DescribeSecurityGroups") == 3;
        });
        assertThat(open()).containsExactly("us-east-1 8443 198.51.100.0/24");
    }

    @Test
    void aLaunchClosesTheGroupToTheAddressThatTheHostHadBefore() {
        launch("chat-r1", SPOT);
        aws.seeFrom("198.51.100.9");
        launch("chat-r2", SPOT);
        assertThat(open()).containsExactly("us-east-1 8443 198.51.100.9/32");
    }

    @Test
    void whoMayNotCloseTheGroupLaunchesAllTheSame() {
        launch("chat-r1", SPOT);
        aws.seeFrom("198.51.100.9");
        aws.cloud().deny("ec2:RevokeSecurityGroupIngress");
        launch("chat-r2", SPOT);
        assertThat(open()).containsExactly("us-east-1 8443 203.0.113.7/32", "us-east-1 8443 198.51.100.9/32");
    }

    @Test
    void versionsOfTheTemplateThatNoLaunchNeedsAnyMoreGo() {
        for (int each = 2; each <= OldVersions.ROUND; each++) {
            launch("chat-old" + each, SPOT);
        }
        assertThat(aws.cloud().templateVersions()).isEqualTo(OldVersions.ROUND);
        pass(OldVersions.NEEDED.plusSeconds(1));
        for (int each = 1; each < OldVersions.ROUND; each++) {
            launch("chat-new" + each, SPOT);
        }
        assertThat(calls("ec2:DeleteLaunchTemplateVersions")).isZero();
        launch("chat-last", SPOT);
        // The first, which says which image is booted, and those that are kept.
        assertThat(aws.cloud().templateVersions()).isEqualTo(1 + OldVersions.KEPT);
        assertThat(calls("ec2:DeleteLaunchTemplateVersions")).isEqualTo(1);
        launch("chat-after", SPOT);
        assertThat(aws.cloud().instances()).extracting(InstanceView::image).containsOnly(image());
    }

    private String image() {
        return aws.cloud().instances().get(0).image();
    }

    @Test
    void versionsThatALaunchMayStillNeedStay() {
        for (int each = 2; each <= 2 * OldVersions.ROUND; each++) {
            launch("chat-r" + each, SPOT);
        }
        assertThat(aws.cloud().templateVersions()).isEqualTo(2 * OldVersions.ROUND);
    }

    @Test
    void aMachineOnItsWayOutServesNothing() {
        try (Aws slow = Aws.start(config -> config.shutdownTime(Duration.ofHours(1)))) {
            ContractContext here = slow.context();
            try (SpotCloud other = slow.provider().open(here)) {
                ResourceRef replica = other.launch(other.plan(Specs.of("chat"), List.of(SPOT), "chat-r1"));
                other.terminate(replica);
                eventually(() -> look(other, replica).phase() == BackendPhase.FAILED);
                assertThat(look(other, replica).endedAt()).isEmpty();
            }
        }
    }

    @Test
    void thePriceIsThatOfThePoolNowWithDiskAndAddress() {
        ResourceRef spot = launch("chat-r1", SPOT);
        ResourceRef list = launch("chat-r2", LIST);
        BigDecimal extra = Surcharge.usdPerHour(AwsOptions.of(Map.of(), Map.of()));
        BigDecimal price = aws.cloud().price(new Pool("us-east-1a", "g6.xlarge", Market.SPOT));
        assertThat(look(spot).usdPerHour())
                .hasValueSatisfying(usd -> assertThat(usd).isEqualByComparingTo(price.add(extra)));
        assertThat(look(list).usdPerHour())
                .hasValueSatisfying(usd -> assertThat(usd).isEqualByComparingTo(new BigDecimal("0.8048").add(extra)));
        assertThat(look(list).pool()).contains(LIST);
        aws.cloud().spotPrice("us-east-1a", "g6.xlarge", new BigDecimal("0.7"));
        pass(Duration.ofMinutes(6));
        // The price is read again in the background, so that nobody waits for it.
        eventually(() -> look(spot)
                .usdPerHour()
                .filter(usd -> usd.compareTo(new BigDecimal("0.7")) > 0)
                .isPresent());
    }

    @Test
    void everythingInEveryRegionIsFoundWhoseverItIs() {
        ResourceRef west =
                launch("chat-r1", new CapacityPool("aws", "us-east-2", "us-east-2a", "g6.xlarge", Tier.SPOT));
        ContractContext other =
                aws.known(ContractContext.create().withClock(clock).withSetting("regions", "us-west-2"));
        try (SpotCloud stranger = aws.provider().open(other)) {
            List<FoundResource> found = stranger.find();
            assertThat(found)
                    .allMatch(each -> each.ownerId().equals(context.ownerId())
                            && each.deployment().equals("chat"));
            assertThat(found)
                    .extracting(each -> each.resource().kind())
                    .containsExactlyInAnyOrder("instance", "fleet", "launch-template", "security-group");
            assertThat(found).extracting(FoundResource::resource).contains(west);
        }
    }

    @Test
    void nothingIsReportedWhereARegionCannotBeAsked() {
        launch("chat-r1", SPOT);
        aws.cloud().inject(AwsFaults.internal("us-west-2 ec2:Describe\\w+").times(100));
        assertThatThrownBy(cloud::find).isInstanceOf(TunaException.class);
    }

    @Test
    void cleaningUpRemovesFleetsInPortionsT08() {
        List<ResourceRef> replicas = new ArrayList<>();
        for (int each = 0; each < 30; each++) {
            replicas.add(launch("chat-r" + each, SPOT));
        }
        replicas.forEach(cloud::terminate);
        pass(Duration.ofMinutes(1));
        eventually(() -> cloud.observe(replicas).values().stream().allMatch(seen -> seen.phase() == BackendPhase.GONE));
        try (SpotCloud restarted = aws.provider().open(context)) {
            restarted.cleanUp("chat");
            assertThat(aws.cloud().things()).isEmpty();
            assertThat(restarted.find()).isEmpty();
        }
        assertThat(calls("ec2:DeleteFleets")).isEqualTo(2);
        assertThat(context.journal().open("chat")).isEmpty();
    }

    @Test
    void cleaningUpEndsMachinesThatNobodyKnewOfAndLeavesThoseOfOthers() {
        launch("chat-r1", SPOT);
        cloud.launch(cloud.plan(Specs.of("other"), List.of(SPOT), "other-r1"));
        ContractContext stranger = aws.known(ContractContext.create().withClock(clock));
        try (SpotCloud theirs = aws.provider().open(stranger)) {
            theirs.launch(theirs.plan(Specs.of("chat"), List.of(SPOT), "chat-r1"));
        }
        eventually(() -> {
            cloud.cleanUp("chat");
            pass(Duration.ofSeconds(10));
            return context.journal().open("chat").isEmpty();
        });
        assertThat(aws.cloud().instances())
                .extracting(machine ->
                        machine.tags().get("tuna-owner") + " " + machine.tags().get("tuna-deployment"))
                .containsExactlyInAnyOrder(context.ownerId() + " other", stranger.ownerId() + " chat");
    }

    @Test
    void aGroupThatIsStillUsedIsLeftForTheNextTimeT08() {
        launch("chat-r1", SPOT);
        aws.cloud()
                .inject(AwsFaults.error(
                        "ec2:DeleteSecurityGroup", 400, "DependencyViolation", "has a dependent object"));
        cloud.cleanUp("chat");
        assertThat(context.journal().open("chat")).extracting(ResourceRef::kind).containsExactly("security-group");
        pass(Duration.ofMinutes(1));
        eventually(() -> {
            cloud.cleanUp("chat");
            return context.journal().open("chat").isEmpty();
        });
        assertThat(aws.cloud().things()).isEmpty();
    }
}
