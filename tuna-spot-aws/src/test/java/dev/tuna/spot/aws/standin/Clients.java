package dev.tuna.spot.aws.standin;

import dev.tuna.testkit.aws.AwsStandIn;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Consumer;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.CreateFleetRequest;
import software.amazon.awssdk.services.ec2.model.DefaultTargetCapacityType;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.FleetLaunchTemplateConfigRequest;
import software.amazon.awssdk.services.ec2.model.FleetLaunchTemplateOverridesRequest;
import software.amazon.awssdk.services.ec2.model.FleetType;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.LaunchTemplate;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateBlockDeviceMappingRequest;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateEbsBlockDeviceRequest;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.SpotAllocationStrategy;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;
import software.amazon.awssdk.services.ssm.SsmClient;

/** A stand-in, AWS's clients before it, and what tests ask over and over. */
final class Clients implements AutoCloseable {

    static final String EAST = "us-east-1";
    static final String IMAGE_PARAMETER =
            "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id";

    final Ticking clock;
    final AwsStandIn aws;
    final Ec2Client ec2;

    Clients() {
        this(AwsStandIn.builder());
    }

    Clients(AwsStandIn.Builder builder) {
        this(builder, new Ticking());
    }

    /** Times are long, so that nothing happens unless a test lets time pass. */
    private Clients(AwsStandIn.Builder builder, Ticking clock) {
        this(
                builder.clock(clock)
                        .pendingTime(Duration.ofSeconds(10))
                        .bootTime(Duration.ofSeconds(30))
                        .shutdownTime(Duration.ofSeconds(20))
                        .start(),
                clock);
    }

    private Clients(AwsStandIn aws, Ticking clock) {
        this.aws = aws;
        this.clock = clock;
        ec2 = ec2(EAST);
    }

    /** Where time passes by itself. */
    static Clients before(AwsStandIn aws) {
        return new Clients(aws, new Ticking());
    }

    /** Time that passes when told. */
    static final class Ticking implements InstantSource {
        private Instant now = Instant.parse("2026-08-02T10:00:00Z"); // guarded by this

        @Override
        public synchronized Instant instant() {
            return now;
        }

        synchronized void pass(Duration time) {
            now = now.plus(time);
        }
    }

    Ec2Client ec2(String region) {
        return client(Ec2Client.builder(), region);
    }

    <B extends AwsSyncClientBuilder<B, C> & AwsClientBuilder<B, C>, C> C client(B builder, String region) {
        return client(builder, region, aws.accessKey().reveal());
    }

    <B extends AwsSyncClientBuilder<B, C> & AwsClientBuilder<B, C>, C> C client(B builder, String region, String key) {
        return builder.endpointOverride(aws.uri())
                .region(Region.of(region))
                .httpClientBuilder(UrlConnectionHttpClient.builder())
                .credentialsProvider(StaticCredentialsProvider.create(
                        AwsBasicCredentials.create(key, aws.secretKey().reveal())))
                .overrideConfiguration(all -> all.retryStrategy(DefaultRetryStrategy.doNotRetry()))
                .build();
    }

    String image() {
        try (SsmClient ssm = client(SsmClient.builder(), EAST)) {
            return ssm.getParameter(it -> it.name(IMAGE_PARAMETER)).parameter().value();
        }
    }

    String subnet(String zone) {
        return ec2.describeSubnets(it -> it.filters(filter("availability-zone", zone))).subnets().stream()
                .map(Subnet::subnetId)
                .findFirst()
                .orElseThrow();
    }

    LaunchTemplate template(String name) {
        String image = image();
        return ec2.createLaunchTemplate(
                        it -> it.launchTemplateName(name).launchTemplateData(data -> data.imageId(image)))
                .launchTemplate();
    }

    static FleetLaunchTemplateOverridesRequest override(String type, String subnet) {
        return FleetLaunchTemplateOverridesRequest.builder()
                .instanceType(type)
                .subnetId(subnet)
                .build();
    }

    CreateFleetRequest.Builder fleet(LaunchTemplate template, FleetLaunchTemplateOverridesRequest... overrides) {
        return CreateFleetRequest.builder()
                .type(FleetType.INSTANT)
                .targetCapacitySpecification(capacity ->
                        capacity.totalTargetCapacity(1).defaultTargetCapacityType(DefaultTargetCapacityType.SPOT))
                .spotOptions(spot -> spot.allocationStrategy(SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED))
                .launchTemplateConfigs(config(template.launchTemplateId(), "1", overrides));
    }

    static FleetLaunchTemplateConfigRequest config(
            String template, String version, FleetLaunchTemplateOverridesRequest... overrides) {
        return FleetLaunchTemplateConfigRequest.builder()
                .launchTemplateSpecification(it -> it.launchTemplateId(template).version(version))
                .overrides(overrides)
                .build();
    }

    static LaunchTemplateBlockDeviceMappingRequest disk(
            String device, Consumer<LaunchTemplateEbsBlockDeviceRequest.Builder> settings) {
        return LaunchTemplateBlockDeviceMappingRequest.builder()
                .deviceName(device)
                .ebs(settings)
                .build();
    }

    /** Launches one and returns its id. */
    String launch(LaunchTemplate template, String type, String zone) {
        return ec2.createFleet(fleet(template, override(type, subnet(zone))).build())
                .instances()
                .get(0)
                .instanceIds()
                .get(0);
    }

    List<Instance> instances(Filter... filters) {
        return ec2.describeInstances(it -> it.filters(filters)).reservations().stream()
                .flatMap(reservation -> reservation.instances().stream())
                .toList();
    }

    Instance instance(String id) {
        return ec2.describeInstances(it -> it.instanceIds(id))
                .reservations()
                .get(0)
                .instances()
                .get(0);
    }

    static Filter filter(String name, String... values) {
        return Filter.builder().name(name).values(values).build();
    }

    static Tag tag(String key, String value) {
        return Tag.builder().key(key).value(value).build();
    }

    static TagSpecification tags(ResourceType type, Tag... tags) {
        return TagSpecification.builder().resourceType(type).tags(tags).build();
    }

    /** How a refusal is told: its code and HTTP status. */
    static String refusal(Runnable call) {
        try {
            call.run();
            return "none";
        } catch (AwsServiceException e) {
            return e.awsErrorDetails().errorCode() + " " + e.statusCode();
        }
    }

    @Override
    public void close() {
        ec2.close();
        aws.close();
    }
}
