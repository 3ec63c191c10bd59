package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.BackendPhase;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmObservation;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.RouterVmSpec;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.aws.AwsFaults;
import dev.tuna.testkit.aws.InstanceView;
import dev.tuna.testkit.aws.Market;
import dev.tuna.testkit.aws.Pool;
import dev.tuna.testkit.contract.ContractContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines of routers as EC2 sees them: launched, found, removed, whatever goes wrong with that. Nothing runs on them. */
class RouterLaunchTest {

    private static final CapacityPool POOL = new CapacityPool("aws", "us-east-1", "us-east-1a", "g6.xlarge", Tier.SPOT);

    @TempDir
    private Path directory;

    private final Aws aws = Aws.start();
    private final ContractContext context = aws.context()
            .withSetting("router_instance_profile", "tuna-router")
            .withSetting("artifact_bucket", "artifacts");
    private SpotCloud cloud = new AwsProvider().open(context);
    private RouterJar jar = new RouterJar(URI.create("file:/"), "");

    @BeforeEach
    void makeJar() throws IOException {
        aws.cloud().bucket("artifacts");
        // Any byte, since it is no text.
        byte[] content = new byte[512];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) i;
        }
        jar = RouterJar.of(Files.write(directory.resolve("tuna.jar"), content));
    }

    @AfterEach
    void close() {
        cloud.close();
        aws.close();
    }

    private RouterCloud routers() {
        return cloud.routers().orElseThrow();
    }

    /** A process that knows nothing of what the one before did. */
    private RouterCloud restarted() {
        cloud.close();
        cloud = new AwsProvider().open(context);
        return routers();
    }

    private RouterVmSpec spec(Map<String, String> options) {
        return new RouterVmSpec("front", jar.uri(), jar.sha256(), 443, Duration.ofMinutes(15), options);
    }

    private RouterVmPlan plan() {
        return routers().plan(spec(Map.of()), "front-1");
    }

    private ResourceRef launch() {
        return routers().launch(plan());
    }

    private FoundRouterVm found(ResourceRef vm) {
        return new FoundRouterVm(vm, "front", context.ownerId());
    }

    private long calls(String action) {
        return aws.cloud().calls().stream()
                .filter(call -> call.endsWith(" " + action))
                .count();
    }

    private void awaitTerminated() {
        RouterRig.until(
                () -> {
                    aws.cloud().letTimePass();
                    return aws.cloud().instances().size();
                },
                left -> left == 0,
                () -> "");
    }

    // --- plans ---

    @Test
    void aPlanIsPureAndSaysWhatItCosts() {
        RouterVmPlan plan = plan();
        assertThat(aws.cloud().calls()).isEmpty();
        assertThat(plan).isEqualTo(plan());
        assertThat(plan.summary()).contains("t3.small", "us-east-1", "port 443");
        assertThat(plan.machine()).isEqualTo("t3.small");
        assertThat(plan.region()).isEqualTo("us-east-1");
        // 0.0208 for the machine, 20 GB of gp3 at 0.08 a month, 0.005 for the address.
        assertThat(plan.usdPerHour()).hasValueSatisfying(usd -> assertThat(usd).isEqualByComparingTo("0.02799"));
        assertThat(routers()
                        .plan(spec(Map.of("router_region", "eu-west-1")), "front-1")
                        .usdPerHour())
                .as("not guessed")
                .isEmpty();
    }

    @ParameterizedTest(name = "{0}={1}: {2}")
    @CsvSource(
            delimiter = '|',
            value = {
                "router_region|Virginia|router_region",
                "router_instance_type|small|router_instance_type",
                "router_disk_gb|4|8 to 16384",
                "router_ami|ubuntu|router_ami",
                "router_subnet|a|router_subnet",
                "router_instance_profile|a b|router_instance_profile",
                "router_instance_profile||router_instance_profile is missing",
                "artifact_bucket|My_Bucket|artifact_bucket",
                "artifact_bucket||artifact_bucket is missing",
                "router_client_cidr|everybody|router_client_cidr",
                "port|443|port 443 is that of the machine's agent",
                "router_colour|red|router_colour"
            })
    void optionsThatCannotBeHonouredAreNamed(String key, String value, String words) {
        RouterVmSpec spec = spec(Map.of(key, value == null ? "" : value));
        assertThatThrownBy(() -> routers().plan(spec, "front-1"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(words);
    }

    @Test
    void plansOfOthersAreRefused() {
        for (String body : List.of("", "{", "{}", "[]", "{\"requests\":{}}")) {
            var strange = new RouterVmPlan("front", "front-1", "", "", "", Optional.empty(), body);
            assertThatThrownBy(() -> routers().launch(strange))
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("plan again");
        }
    }

    // --- launching ---

    @Test
    void theMachineIsMadeAsItMustBe() {
        ResourceRef vm = launch();
        assertThat(vm.kind()).isEqualTo("router-vm");
        InstanceView machine = aws.cloud().instances().get(0);
        assertThat(machine.type()).isEqualTo("t3.small");
        assertThat(machine.market()).isEqualTo(Market.ON_DEMAND);
        assertThat(machine.publicAddress()).isPresent();
        assertThat(machine.tags())
                .containsEntry("tuna-owner", context.ownerId())
                .containsEntry("tuna-router-vm", "front")
                .doesNotContainKeys("tuna-deployment", "tuna-replica");
        JsonNode run = RouterPlan.read(plan().body()).step().request("RunInstances");
        assertThat(run.path("InstanceInitiatedShutdownBehavior").asText()).isEqualTo("terminate");
        assertThat(run.path("MetadataOptions").path("HttpTokens").asText()).isEqualTo("required");
        assertThat(run.path("MetadataOptions").path("HttpPutResponseHopLimit").asInt())
                .isEqualTo(1);
        assertThat(run.path("IamInstanceProfile").path("Name").asText()).isEqualTo("tuna-router");
        assertThat(run.path("BlockDeviceMappings")
                        .path(0)
                        .path("Ebs")
                        .path("Encrypted")
                        .asBoolean())
                .isTrue();
        assertThat(context.journal().intents())
                .extracting(
                        intent -> intent.deployment() + " " + intent.resource().kind())
                .containsExactly(
                        RouterCloud.journal("front") + " account",
                        RouterCloud.journal("front") + " s3-prefix",
                        RouterCloud.journal("front") + " security-group");
    }

    @Test
    void twoPortsAreOpenAndNothingElse() {
        ResourceRef vm =
                routers().launch(routers().plan(spec(Map.of("router_client_cidr", "198.51.100.0/24")), "front-1"));
        assertThat(vm.id()).startsWith("us-east-1/");
        assertThat(rules()).containsExactlyInAnyOrder("8443-8443 203.0.113.7/32", "443-443 198.51.100.0/24");
    }

    private List<String> rules() {
        try (var clients = new AwsClients(
                AwsSettings.of(context.settings()),
                () -> Credentials.of(AwsSettings.of(context.settings()), context.secrets(), context.clock()))) {
            return clients
                    .ec2("us-east-1")
                    .describeSecurityGroups(request -> request.filters(Networks.filter("tag-key", "tuna-router-vm")))
                    .securityGroups()
                    .stream()
                    .flatMap(group -> group.ipPermissions().stream())
                    .flatMap(permission -> permission.ipRanges().stream()
                            .map(range -> permission.fromPort() + "-" + permission.toPort() + " " + range.cidrIp()))
                    .toList();
        }
    }

    @Test
    void aMachineThatTheCredentialsOfAnotherAccountDoNotSeeIsNotGone() {
        ResourceRef vm = launch();
        String made = aws.cloud().accountId();
        try (Aws other = Aws.start(config -> config.accountId("999999999999"))) {
            ContractContext elsewhere = other.context();
            String journal = RouterCloud.journal("front");
            context.journal().open(journal).forEach(ref -> elsewhere.journal().intend(journal, ref, ""));
            try (SpotCloud wrong = new AwsProvider().open(elsewhere)) {
                RouterCloud asked = wrong.routers().orElseThrow();
                assertThatThrownBy(() -> asked.observe(vm, "front"))
                        .isInstanceOf(ConfigurationException.class)
                        .hasMessageContaining("'front' was made in AWS account " + made)
                        .hasMessageContaining("the credentials are of account 999999999999");
            }
        }
        assertThat(restarted().observe(vm, "front").phase()).isNotEqualTo(BackendPhase.GONE);
        routers().terminate(vm);
        awaitTerminated();
        routers().cleanUp(found(vm));
        assertThat(context.journal().open(RouterCloud.journal("front"))).isEmpty();
    }

    @Test
    void processorsGetTheImageOfTheirKind() {
        routers().launch(routers().plan(spec(Map.of("router_instance_type", "t4g.small")), "front-1"));
        assertThat(aws.cloud().instances())
                .singleElement()
                .extracting(InstanceView::type)
                .isEqualTo("t4g.small");
    }

    @Test
    void launchingTwiceIsOneMachineAndOneJar() {
        ResourceRef vm = launch();
        assertThat(launch()).isEqualTo(vm);
        restarted();
        assertThat(launch()).isEqualTo(vm);
        assertThat(aws.cloud().instances()).hasSize(1);
        assertThat(aws.cloud().groups()).hasSize(1);
        assertThat(aws.cloud().objects()).hasSize(1);
        assertThat(calls("s3:PutObject")).isEqualTo(1);
    }

    @Test
    void aMachineThatIsNotSeenYetIsNotMadeAgain() {
        aws.cloud().hideFresh(1000, Duration.ofHours(1));
        launch();
        restarted();
        TunaException refused = catchThrowableOfType(TunaException.class, this::launch);
        assertThat(aws.cloud().instances()).hasSize(1);
        if (refused instanceof ProviderException known) {
            assertThat(known.retryable()).isTrue(); // the URL of the jar was signed in another second
        }
    }

    @ParameterizedTest(name = "cut {1} at {0}")
    @CsvSource({
        "s3:PutObject,before", "s3:PutObject,after",
        "ec2:CreateSecurityGroup,before", "ec2:CreateSecurityGroup,after",
        "ec2:AuthorizeSecurityGroupIngress,before", "ec2:AuthorizeSecurityGroupIngress,after",
        "ec2:RunInstances,before", "ec2:RunInstances,after"
    })
    void aLaunchThatWasInterruptedIsFinishedByLaunchingAgain(String call, String when) {
        aws.cloud().inject(AwsFaults.cutting(call, when.equals("after")).times(4));
        var unused = catchThrowableOfType(TunaException.class, this::launch);
        aws.cloud().clearFaults();
        restarted();
        ResourceRef vm = launch();
        assertThat(aws.cloud().instances()).extracting(InstanceView::id).containsExactly(Names.id(vm));
        assertThat(aws.cloud().groups()).hasSize(1);
        routers().terminate(vm);
        awaitTerminated();
        routers().cleanUp(found(vm));
        assertThat(aws.cloud().things()).isEmpty();
        assertThat(context.journal().open(RouterCloud.journal("front"))).isEmpty();
    }

    @Test
    void aZoneThatIsDryIsFollowedByTheNext() {
        aws.cloud().stock(new Pool("us-east-1a", "t3.small", Market.ON_DEMAND), 0);
        launch();
        assertThat(aws.cloud().instances())
                .singleElement()
                .extracting(InstanceView::zone)
                .isEqualTo("us-east-1b");
    }

    @Test
    void whereNothingIsToBeHadNothingIsLaunched() {
        for (String zone : List.of("a", "b", "c", "d", "e", "f")) {
            aws.cloud().stock(new Pool("us-east-1" + zone, "t3.small", Market.ON_DEMAND), 0);
        }
        CapacityException refused = catchThrowableOfType(CapacityException.class, this::launch);
        assertThat(refused.code()).isEqualTo(ErrorCode.CAPACITY);
        assertThat(aws.cloud().instances()).isEmpty();
        aws.cloud().stock(new Pool("us-east-1c", "t3.small", Market.ON_DEMAND), 1);
        assertThat(launch().id()).startsWith("us-east-1/i-");
    }

    @ParameterizedTest
    @ValueSource(strings = {"iam:PassRole", "ec2:RunInstances", "s3:PutObject"})
    void whatIsNotAllowedIsNamed(String action) {
        aws.cloud().deny(action);
        TunaException refused = catchThrowableOfType(TunaException.class, this::launch);
        assertThat(refused.code()).isEqualTo(ErrorCode.CREDENTIALS);
        assertThat(refused).hasMessageContaining(action.equals("iam:PassRole") ? "ec2:RunInstances" : action);
    }

    @Test
    void aJarThatIsAnotherOneIsNotDelivered() throws IOException {
        RouterVmPlan plan = plan();
        Files.writeString(directory.resolve("tuna.jar"), "something else");
        assertThatThrownBy(() -> routers().launch(plan)).hasMessageContaining("has the checksum");
        Files.delete(directory.resolve("tuna.jar"));
        assertThatThrownBy(() -> routers().launch(plan)).hasMessageContaining("cannot be read");
        assertThat(aws.cloud().instances()).isEmpty();
    }

    @Test
    void aBucketThatIsNotThereIsNamed() {
        RouterVmPlan plan = routers().plan(spec(Map.of("artifact_bucket", "nobodys")), "front-1");
        assertThatThrownBy(() -> routers().launch(plan)).hasMessageContaining("bucket nobodys");
    }

    @Test
    void aJarWithAnUrlIsFetchedFromThere() throws IOException {
        var spec = new RouterVmSpec(
                "front",
                URI.create("https://repo.example.org/tuna.jar"),
                jar.sha256(),
                443,
                Duration.ofMinutes(15),
                Map.of("artifact_bucket", ""));
        RouterVmPlan plan = routers().plan(spec, "front-1");
        routers().launch(plan);
        assertThat(unpacked(aws.cloud().instances().get(0).userData()))
                .contains("jar_url='https://repo.example.org/tuna.jar'");
        assertThat(aws.cloud().objects()).isEmpty();
        assertThat(routers().deliver(plan, spec.jar(), spec.sha256())).isEqualTo(spec.jar());
        assertThatThrownBy(() -> routers().deliver(plan, jar.uri(), jar.sha256()))
                .hasMessageContaining("artifact_bucket")
                .hasMessageContaining("'front'");
    }

    @Test
    void theNextJarTakesTheWayOfTheFirstWhateverTheInstallationSaysMeanwhile() {
        aws.cloud().bucket("builds-of-mine");
        RouterVmPlan plan = routers()
                .plan(spec(Map.of("router_region", "us-west-2", "artifact_bucket", "builds-of-mine")), "front-1");
        assertThat(routers().deliver(plan, jar.uri(), jar.sha256()).toString())
                .contains("builds-of-mine")
                .contains("us-west-2");
    }

    private static String unpacked(String userData) throws IOException {
        try (var in =
                new GZIPInputStream(new ByteArrayInputStream(Base64.getDecoder().decode(userData)))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    // --- finding ---

    @Test
    void machinesAreFoundByWhoeverLooks() {
        ResourceRef vm = routers().launch(routers().plan(spec(Map.of("router_region", "us-west-2")), "front-1"));
        try (SpotCloud other = new AwsProvider().open(aws.context())) {
            assertThat(other.routers().orElseThrow().find())
                    .containsExactly(new FoundRouterVm(vm, "front", context.ownerId()));
        }
    }

    @Test
    void oneThatNobodyAccountsForIsShownAndEndedAsAnOrphan() {
        ResourceRef vm = launch();
        assertThat(cloud.find())
                .filteredOn(found -> found.resource().equals(vm))
                .singleElement()
                .extracting(FoundResource::deployment, FoundResource::ownerId)
                .containsExactly("router-vm/front", context.ownerId());
        assertThat(seen(vm).launchedAt()).isPresent();
        cloud.terminate(vm);
        awaitTerminated();
        assertThat(seen(vm).phase()).isEqualTo(BackendPhase.GONE);
    }

    private ReplicaObservation seen(ResourceRef vm) {
        return cloud.observe(List.of(vm)).getOrDefault(vm, ReplicaObservation.gone());
    }

    // --- ending ---

    @Test
    void whatBelongsToItGoesWhenItIsGone() {
        ResourceRef vm = launch();
        routers().deliver(routers().plan(spec(Map.of()), "front-1"), jar.uri(), jar.sha256());
        context.secrets().put(RouterCloud.environment("front"), Secret.of("{}"));
        routers().terminate(vm);
        awaitTerminated();
        RouterVmObservation gone = routers().observe(vm, "front");
        assertThat(gone.phase()).isEqualTo(BackendPhase.GONE);
        assertThat(gone.detail()).contains("it was terminated");
        assertThat(gone.endedAt()).isPresent();
        routers().cleanUp(found(vm));
        routers().cleanUp(found(vm));
        assertThat(aws.cloud().things()).isEmpty();
        assertThat(context.journal().open(RouterCloud.journal("front"))).isEmpty();
        assertThat(context.secrets().refs()).noneMatch(ref -> ref.name().contains("front"));
        assertThat(routers().find()).isEmpty();
    }

    @Test
    void whatWasMadeForAMachineThatWasRefusedGoesWithoutIt() {
        aws.cloud()
                .inject(AwsFaults.error(
                        "ec2:RunInstances", 400, "InvalidParameterValue", "Invalid IAM Instance Profile name"));
        assertThat(catchThrowableOfType(TunaException.class, this::launch)).isNotNull();
        assertThat(aws.cloud().groups()).hasSize(1);
        aws.cloud().clearFaults();

        routers().cleanUp(found(new ResourceRef("aws", "router-vm", "front-1")));

        assertThat(aws.cloud().things()).isEmpty();
        assertThat(context.journal().open(RouterCloud.journal("front"))).isEmpty();
    }

    @Test
    void whileAMachineOfItsNameLivesNothingIsTakenFromIt() {
        ResourceRef vm = launch();
        routers().cleanUp(found(vm));
        assertThat(aws.cloud().groups()).hasSize(1);
        assertThat(aws.cloud().objects()).hasSize(1);
        assertThat(aws.cloud().instances()).hasSize(1);
        assertThat(context.journal().open(RouterCloud.journal("front"))).hasSize(3);
    }

    @Test
    void deploymentsAndMachinesOfOneNameLeaveEachOtherAlone() {
        ResourceRef vm = launch();
        ResourceRef replica = cloud.launch(cloud.plan(Specs.of("front"), List.of(POOL), "front-r1"));
        cloud.terminate(replica);
        RouterRig.until(
                () -> {
                    aws.cloud().letTimePass();
                    return aws.cloud().instances().size();
                },
                left -> left == 1,
                () -> "");
        cloud.cleanUp("front");
        assertThat(aws.cloud().instances()).extracting(InstanceView::id).containsExactly(Names.id(vm));
        assertThat(aws.cloud().groups()).singleElement().asString().contains("router-vm:front");
        assertThat(aws.cloud().templates()).isEmpty();
        ResourceRef again = cloud.launch(cloud.plan(Specs.of("front"), List.of(POOL), "front-r2"));
        routers().terminate(vm);
        RouterRig.until(
                () -> {
                    aws.cloud().letTimePass();
                    return aws.cloud().instances().size();
                },
                left -> left == 1,
                () -> "");
        routers().cleanUp(found(vm));
        assertThat(aws.cloud().instances()).extracting(InstanceView::id).containsExactly(Names.id(again));
        assertThat(aws.cloud().groups()).hasSize(1);
        assertThat(aws.cloud().templates()).hasSize(1);
        assertThat(aws.cloud().objects()).isEmpty();
    }
}
