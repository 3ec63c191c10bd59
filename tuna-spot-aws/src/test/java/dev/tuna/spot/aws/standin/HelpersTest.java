package dev.tuna.spot.aws.standin;

import static dev.tuna.spot.aws.standin.Clients.filter;
import static dev.tuna.spot.aws.standin.Clients.refusal;
import static dev.tuna.spot.aws.standin.Clients.tag;
import static dev.tuna.spot.aws.standin.Clients.tags;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.LaunchTemplate;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateTagSpecificationRequest;
import software.amazon.awssdk.services.ec2.model.RequestLaunchTemplateData;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.ResponseLaunchTemplateData;
import software.amazon.awssdk.services.ec2.model.ShutdownBehavior;
import software.amazon.awssdk.services.ec2.model.Volume;
import software.amazon.awssdk.services.ec2.model.VolumeType;

/** Launch templates, security groups, volumes and tags. */
class HelpersTest {

    private final Clients clients = new Clients();

    @AfterEach
    void close() {
        clients.close();
    }

    private RequestLaunchTemplateData data(String group) {
        return RequestLaunchTemplateData.builder()
                .imageId(clients.image())
                .userData(base64("#!/bin/sh\necho hello\n"))
                .instanceInitiatedShutdownBehavior("terminate")
                .metadataOptions(metadata -> metadata.httpTokens("required")
                        .httpPutResponseHopLimit(2)
                        .instanceMetadataTags("enabled"))
                .networkInterfaces(LaunchTemplateInstanceNetworkInterfaceSpecificationRequest.builder()
                        .deviceIndex(0)
                        .groups(group)
                        .associatePublicIpAddress(true)
                        .build())
                .blockDeviceMappings(Clients.disk(
                        "/dev/sda1",
                        ebs -> ebs.volumeSize(200)
                                .volumeType(VolumeType.GP3)
                                .encrypted(true)
                                .iops(6000)
                                .deleteOnTermination(true)))
                .tagSpecifications(LaunchTemplateTagSpecificationRequest.builder()
                        .resourceType(ResourceType.VOLUME)
                        .tags(tag("tuna-owner", "me"))
                        .build())
                .build();
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private String group(String name) {
        return clients.ec2
                .createSecurityGroup(it -> it.groupName(name)
                        .description("for tests")
                        .tagSpecifications(tags(ResourceType.SECURITY_GROUP, tag("tuna-owner", "me"))))
                .groupId();
    }

    @Test
    void aTemplateIsShownAsItWasMade() {
        String group = group("g");
        LaunchTemplate made = clients.ec2
                .createLaunchTemplate(it -> it.launchTemplateName("tuna-chat")
                        .clientToken("t1")
                        .tagSpecifications(tags(ResourceType.LAUNCH_TEMPLATE, tag("tuna-owner", "me")))
                        .launchTemplateData(data(group)))
                .launchTemplate();
        assertThat(clients.ec2
                        .describeLaunchTemplates(it -> it.filters(filter("tag:tuna-owner", "me")))
                        .launchTemplates())
                .containsExactly(made);
        ResponseLaunchTemplateData shown = clients.ec2
                .describeLaunchTemplateVersions(
                        it -> it.launchTemplateId(made.launchTemplateId()).versions("$Latest"))
                .launchTemplateVersions()
                .get(0)
                .launchTemplateData();
        assertThat(shown.imageId()).isEqualTo(clients.image());
        assertThat(new String(Base64.getDecoder().decode(shown.userData()), StandardCharsets.UTF_8))
                .contains("echo hello");
        assertThat(shown.instanceInitiatedShutdownBehavior()).isEqualTo(ShutdownBehavior.TERMINATE);
        assertThat(shown.metadataOptions().httpTokensAsString()).isEqualTo("required");
        assertThat(shown.networkInterfaces().get(0).groups()).containsExactly(group);
        assertThat(shown.networkInterfaces().get(0).associatePublicIpAddress()).isTrue();
        assertThat(shown.blockDeviceMappings().get(0).ebs().volumeSize()).isEqualTo(200);
        assertThat(shown.tagSpecifications().get(0).tags()).containsExactly(tag("tuna-owner", "me"));
    }

    @Test
    void aTemplatesNameIsTakenOnceAndItsTokenRemembered() {
        LaunchTemplate made = template("a", "token-1");
        assertThat(template("a", "token-1")).isEqualTo(made);
        assertThat(refusal(() -> template("a", "token-2")))
                .isEqualTo("InvalidLaunchTemplateName.AlreadyExistsException 400");
        assertThat(refusal(() -> template("b", "token-1"))).isEqualTo("IdempotentParameterMismatch 400");
        assertThat(refusal(() -> template("no spaces", "token-3")))
                .isEqualTo("InvalidLaunchTemplateName.MalformedException 400");
    }

    private LaunchTemplate template(String name, String token) {
        String image = clients.image();
        return clients.ec2
                .createLaunchTemplate(it -> it.launchTemplateName(name.length() < 3 ? "tuna-" + name : name)
                        .clientToken(token)
                        .launchTemplateData(data -> data.imageId(image)))
                .launchTemplate();
    }

    @Test
    void versionsAreCountedAndTheDefaultOneStays() {
        LaunchTemplate made = template("a", "token-1");
        String id = made.launchTemplateId();
        for (int size : List.of(100, 120)) {
            clients.ec2.createLaunchTemplateVersion(it -> it.launchTemplateId(id)
                    .sourceVersion("1")
                    .launchTemplateData(data -> data.instanceType("g5.xlarge")
                            .blockDeviceMappings(Clients.disk("/dev/sda1", ebs -> ebs.volumeSize(size)))));
        }
        assertThat(clients.ec2
                        .describeLaunchTemplateVersions(it -> it.launchTemplateId(id))
                        .launchTemplateVersions())
                .extracting(version -> version.versionNumber() + " "
                        + version.launchTemplateData().instanceTypeAsString() + " "
                        + (version.launchTemplateData().imageId() != null))
                .containsExactly("3 g5.xlarge true", "2 g5.xlarge true", "1 null true");
        assertThat(refusal(() -> clients.ec2.deleteLaunchTemplateVersions(
                        it -> it.launchTemplateId(id).versions("1"))))
                .isEqualTo("OperationNotPermitted 400");
        clients.ec2.modifyLaunchTemplate(it -> it.launchTemplateId(id).defaultVersion("3"));
        clients.ec2.deleteLaunchTemplateVersions(it -> it.launchTemplateId(id).versions("1"));
        LaunchTemplate now = clients.ec2
                .describeLaunchTemplates(it -> it.launchTemplateIds(id))
                .launchTemplates()
                .get(0);
        assertThat(now.defaultVersionNumber()).isEqualTo(3);
        assertThat(now.latestVersionNumber()).isEqualTo(3);
        clients.ec2.deleteLaunchTemplate(it -> it.launchTemplateId(id));
        assertThat(refusal(() -> clients.ec2.deleteLaunchTemplate(it -> it.launchTemplateId(id))))
                .isEqualTo("InvalidLaunchTemplateId.NotFound 400");
    }

    @Test
    void userDataIsBase64AndNoMoreThan16Kilobytes() {
        assertThat(refusal(() -> userData(base64("x".repeat(16 * 1024))))).isEqualTo("none");
        assertThat(refusal(() -> userData(base64("x".repeat(16 * 1024 + 1))))).isEqualTo("InvalidParameterValue 400");
        assertThat(refusal(() -> userData("#!/bin/sh"))).isEqualTo("InvalidUserData.Malformed 400");
    }

    private void userData(String data) {
        clients.ec2.createLaunchTemplate(
                it -> it.launchTemplateName("tuna-data").launchTemplateData(template -> template.userData(data)));
    }

    @Test
    void groupsAndRulesAreMadeOnce() {
        String group = group("tuna-chat");
        assertThat(refusal(() -> group("tuna-chat"))).isEqualTo("InvalidGroup.Duplicate 400");
        IpPermission rule = IpPermission.builder()
                .ipProtocol("tcp")
                .fromPort(8443)
                .toPort(8443)
                .ipRanges(IpRange.builder()
                        .cidrIp("203.0.113.7/32")
                        .description("the host")
                        .build())
                .build();
        clients.ec2.authorizeSecurityGroupIngress(it -> it.groupId(group).ipPermissions(rule));
        assertThat(refusal(() -> clients.ec2.authorizeSecurityGroupIngress(
                        it -> it.groupId(group).ipPermissions(rule))))
                .isEqualTo("InvalidPermission.Duplicate 400");
        assertThat(clients.ec2
                        .describeSecurityGroups(it -> it.filters(filter("group-name", "tuna-*")))
                        .securityGroups())
                .singleElement()
                .satisfies(shown -> {
                    assertThat(shown.ipPermissions()).hasSize(1);
                    assertThat(shown.ipPermissions().get(0).ipRanges().get(0).cidrIp())
                            .isEqualTo("203.0.113.7/32");
                    assertThat(shown.ipPermissions().get(0).fromPort()).isEqualTo(8443);
                    assertThat(shown.tags()).containsExactly(tag("tuna-owner", "me"));
                });
        clients.ec2.revokeSecurityGroupIngress(it -> it.groupId(group).ipPermissions(rule));
        assertThat(refusal(() -> clients.ec2.revokeSecurityGroupIngress(
                        it -> it.groupId(group).ipPermissions(rule))))
                .isEqualTo("InvalidPermission.NotFound 400");
        assertThat(refusal(() -> clients.ec2.authorizeSecurityGroupIngress(it -> it.groupId(group)
                        .ipProtocol("tcp")
                        .fromPort(1)
                        .toPort(2)
                        .cidrIp("1.2.3.400/32"))))
                .isEqualTo("InvalidParameterValue 400");
    }

    @Test
    void aGroupStaysUntilItsInstancesAreGone() {
        String group = group("tuna-chat");
        LaunchTemplate template = clients.ec2
                .createLaunchTemplate(it -> it.launchTemplateName("tuna-chat").launchTemplateData(data(group)))
                .launchTemplate();
        String id = clients.launch(template, "g5.xlarge", "us-east-1a");
        Runnable delete = () -> clients.ec2.deleteSecurityGroup(it -> it.groupId(group));
        assertThat(refusal(delete)).isEqualTo("DependencyViolation 400");
        clients.ec2.terminateInstances(it -> it.instanceIds(id));
        assertThat(refusal(delete)).isEqualTo("DependencyViolation 400");
        clients.clock.pass(Duration.ofSeconds(20));
        assertThat(refusal(delete)).isEqualTo("none");
        assertThat(refusal(delete)).isEqualTo("InvalidGroup.NotFound 400");
    }

    @Test
    void theRootVolumeIsAsTheTemplateSaysAndGoesWithTheInstance() {
        LaunchTemplate template = clients.ec2
                .createLaunchTemplate(it -> it.launchTemplateName("tuna-chat").launchTemplateData(data(group("g"))))
                .launchTemplate();
        String id = clients.launch(template, "g5.xlarge", "us-east-1a");
        assertThat(volumes(id)).singleElement().satisfies(root -> {
            assertThat(root.size()).isEqualTo(200);
            assertThat(root.encrypted()).isTrue();
            assertThat(root.iops()).isEqualTo(6000);
            assertThat(root.attachments().get(0).deleteOnTermination()).isTrue();
        });
        assertThat(refusal(() -> clients.ec2.deleteVolume(
                        it -> it.volumeId(volumes(id).get(0).volumeId()))))
                .isEqualTo("VolumeInUse 400");
        clients.ec2.terminateInstances(it -> it.instanceIds(id));
        clients.clock.pass(Duration.ofSeconds(20));
        assertThat(clients.ec2.describeVolumes(it -> {}).volumes()).isEmpty();
    }

    private List<Volume> volumes(String instance) {
        return clients.ec2
                .describeVolumes(
                        it -> it.filters(filter("attachment.instance-id", instance), filter("tag:tuna-owner", "me")))
                .volumes();
    }

    @Test
    void aVolumeThatIsToStayStays() {
        String image = clients.image();
        LaunchTemplate template = clients.ec2
                .createLaunchTemplate(it -> it.launchTemplateName("tuna-stays")
                        .launchTemplateData(data -> data.imageId(image)
                                .blockDeviceMappings(
                                        Clients.disk("/dev/sda1", ebs -> ebs.deleteOnTermination(false)),
                                        Clients.disk("/dev/xvda", ebs -> ebs.volumeSize(20)))))
                .launchTemplate();
        String id = clients.launch(template, "g5.xlarge", "us-east-1a");
        assertThat(clients.ec2.describeVolumes(it -> {}).volumes())
                .as("a mapping that is not called as the image's root is one more volume")
                .hasSize(2);
        clients.ec2.terminateInstances(it -> it.instanceIds(id));
        clients.clock.pass(Duration.ofSeconds(20));
        assertThat(clients.ec2.describeVolumes(it -> {}).volumes())
                .singleElement()
                .satisfies(left -> {
                    assertThat(left.stateAsString()).isEqualTo("available");
                    clients.ec2.deleteVolume(it -> it.volumeId(left.volumeId()));
                });
        assertThat(clients.aws.things()).containsExactly("us-east-1/" + template.launchTemplateId());
    }

    @Test
    void tagsCanBeAddedAndTaken() {
        String group = group("tuna-chat");
        clients.ec2.createTags(it -> it.resources(group).tags(tag("k", "v")));
        assertThat(clients.ec2
                        .describeTags(it -> it.filters(filter("resource-id", group)))
                        .tags())
                .extracting(each -> each.key() + "=" + each.value())
                .containsExactly("k=v", "tuna-owner=me");
        clients.ec2.deleteTags(it -> it.resources(group).tags(tag("k", "v")));
        assertThat(clients.ec2
                        .describeSecurityGroups(it -> it.filters(filter("tag-key", "k")))
                        .securityGroups())
                .isEmpty();
        assertThat(refusal(() ->
                        clients.ec2.createTags(it -> it.resources("sg-none").tags(tag("k", "v")))))
                .isEqualTo("InvalidID 400");
        assertThat(refusal(
                        () -> clients.ec2.createTags(it -> it.resources(group).tags(tag("aws:k", "v")))))
                .isEqualTo("InvalidParameterValue 400");
    }
}
