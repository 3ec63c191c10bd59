package dev.tuna.spot.aws;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import dev.tuna.spi.Journal;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.CreateLaunchTemplateRequest;
import software.amazon.awssdk.services.ec2.model.CreateSecurityGroupRequest;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;

/**
 * Makes what a deployment needs in a region beside its machines, once: a security group and a launch template. Each is declared
 * before it is made; one that is there already is used. Keeps nothing; thread-safe, but two should not make the same at once.
 *
 * @param clients the SDK's
 * @param journal where helpers are declared
 * @param host tells the address that this host is seen from
 * @param region where
 * @param deployment the deployment's name
 */
record Helpers(AwsClients clients, Journal journal, Supplier<String> host, String region, String deployment) {

    private static final Logger LOG = LoggerFactory.getLogger(Helpers.class);

    private AwsCalls calls() {
        return new AwsCalls(region);
    }

    /**
     * What a launch needs to know of them.
     *
     * @param network where machines may be
     * @param group id of the security group
     * @param image the image that the deployment's machines boot
     */
    record Ready(Network network, String group, Images.Found image) {

        /** What the blanks of the later requests stand for. */
        Map<String, String> values() {
            return Map.of(
                    Blanks.IMAGE, image.id(),
                    Blanks.ROOT_DEVICE, image.rootDevice(),
                    Blanks.GROUP, group);
        }
    }

    Ready prepare(FleetPlan.Step step) {
        Network network = network(step);
        String group = group(step, network);
        return new Ready(network, group, template(step));
    }

    /** Where machines may be. */
    Network network(FleetPlan.Step step) {
        return new Networks(clients, region)
                .find(Optional.of(step.vpc()).filter(vpc -> !vpc.isEmpty()), step.subnets())
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "provider aws: there is no network in " + region + "; run " + Networks.CREATE_DEFAULT + region
                                + ", or set the option vpc or subnets"));
    }

    /** Makes the security group, if it is not there, and opens it. */
    String group(FleetPlan.Step step, Network network) {
        Map<String, String> values = new HashMap<>(Map.of(Blanks.VPC, network.vpc(), Blanks.VPC_CIDR, network.cidr()));
        JsonNode create = Blanks.fill(step.request(FleetPlanner.CREATE_GROUP), values);
        String name = create.path("GroupName").asText();
        IngressRules rules = new IngressRules(clients, region);
        Optional<SecurityGroup> there = find(name, network.vpc());
        String id = there.map(SecurityGroup::groupId).orElseGet(() -> {
            journal.intend(deployment, Names.ref(Names.GROUP, region, name), create.toString());
            return create(create)
                    .or(() -> find(name, network.vpc()).map(SecurityGroup::groupId))
                    .orElseThrow(() -> Helpers.unseen(name));
        });
        values.put(Blanks.GROUP, id);
        JsonNode open = step.request(FleetPlanner.OPEN_GROUP);
        boolean toHost = open.toString().contains(Blanks.HOST_CIDR);
        if (toHost) {
            values.put(Blanks.HOST_CIDR, host.get());
        }
        rules.open(Blanks.fill(open, values));
        if (toHost) {
            there.ifPresent(group -> closeOthers(rules, group, values.getOrDefault(Blanks.HOST_CIDR, "")));
        }
        return id;
    }

    /** No launch fails since an old address is still let in; the next one closes it. */
    private void closeOthers(IngressRules rules, SecurityGroup group, String cidr) {
        try {
            rules.closeOthers(group, cidr);
        } catch (TunaException e) {
            LOG.warn(
                    "{}: machines in {} stay open to the address that this host was seen from before: {}",
                    deployment,
                    region,
                    e.getMessage());
        }
    }

    private static TunaException unseen(String name) {
        return ProviderException.of(AwsOptions.PROVIDER, "create security group")
                .retryable(true)
                .message(name + " was made a moment ago and is not seen yet")
                .build();
    }

    private Optional<SecurityGroup> find(String name, String vpc) {
        return new IngressRules(clients, region)
                .find(Networks.filter("group-name", name), Networks.filter("vpc-id", vpc)).stream()
                        .findFirst();
    }

    private Optional<String> create(JsonNode body) {
        return calls().unless(
                        AwsFault.EXISTS,
                        "create security group",
                        "ec2:CreateSecurityGroup",
                        () -> clients.ec2(region)
                                .createSecurityGroup(SdkJson.fill(CreateSecurityGroupRequest.builder(), body)
                                        .build())
                                .groupId());
    }

    /** The image is settled once for each deployment: what is called the latest one moves on, its machines stay alike. */
    private Images.Found template(FleetPlan.Step step) {
        Images images = new Images(clients, region);
        String name = step.request(FleetPlanner.CREATE_TEMPLATE)
                .path("LaunchTemplateName")
                .asText();
        Optional<Images.Found> settled = settledImage(name).flatMap(images::image);
        boolean asked = !step.image().get(0).startsWith("/");
        if (settled.isPresent()
                && (!asked || step.image().contains(settled.get().id()))) {
            return settled.get();
        }
        Images.Found image = images.find(step.image());
        JsonNode create = Blanks.fill(step.request(FleetPlanner.CREATE_TEMPLATE), Map.of(Blanks.IMAGE, image.id()));
        journal.intend(deployment, Names.ref(Names.TEMPLATE, region, name), create.toString());
        calls().unless(
                        AwsFault.EXISTS,
                        "create launch template",
                        "ec2:CreateLaunchTemplate",
                        () -> clients.ec2(region)
                                .createLaunchTemplate(SdkJson.fill(CreateLaunchTemplateRequest.builder(), create)
                                        .build()));
        return image;
    }

    private Optional<String> settledImage(String template) {
        return calls().unless(
                        AwsFault.NOT_FOUND,
                        "look for launch template",
                        "ec2:DescribeLaunchTemplateVersions",
                        () -> clients.ec2(region)
                                .describeLaunchTemplateVersions(request ->
                                        request.launchTemplateName(template).versions("1"))
                                .launchTemplateVersions())
                .flatMap(versions -> versions.stream().findFirst())
                .flatMap(version -> Optional.ofNullable(version.launchTemplateData()))
                .flatMap(data -> Optional.ofNullable(data.imageId()));
    }
}
