package dev.tuna.spot.aws;

import dev.tuna.api.TunaException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateVersion;

/**
 * Keeps a launch template from filling up: each launch makes a version, of which EC2 keeps 10,000. Those of launches that may
 * still be under way stay, and so does the first, which says which image the deployment boots. Keeps nothing; thread-safe.
 *
 * @param clients the SDK's
 * @param clock tells how old a version is
 * @param region where
 */
record OldVersions(AwsClients clients, InstantSource clock, String region) {

    /** So many launches make one look worth it. */
    static final int ROUND = 20;

    /** So many stay, however old they are. */
    static final int KEPT = 20;

    /** A launch is over by then: EC2 forgets its tokens too. */
    static final Duration NEEDED = Duration.ofDays(1);

    private static final Logger LOG = LoggerFactory.getLogger(OldVersions.class);

    /** As many as EC2 deletes with one call. */
    private static final int AT_ONCE = 200;

    /** To be called with each version that was made. What cannot be deleted now is deleted with a later round. */
    void remove(String template, long made) {
        if (made % ROUND == 0) {
            try {
                delete(template, old(template, made));
            } catch (TunaException e) {
                LOG.debug("old versions of {} in {} stay for now: {}", template, region, e.getMessage());
            }
        }
    }

    private List<String> old(String template, long made) {
        Instant limit = clock.instant().minus(NEEDED);
        return new AwsCalls(region)
                .call(
                        "list launch template versions",
                        "ec2:DescribeLaunchTemplateVersions",
                        () -> clients
                                .ec2(region)
                                .describeLaunchTemplateVersionsPaginator(
                                        request -> request.launchTemplateName(template))
                                .launchTemplateVersions()
                                .stream()
                                .filter(version -> version.versionNumber() > 1
                                        && version.versionNumber() <= made - KEPT
                                        && version.createTime().isBefore(limit))
                                .sorted(Comparator.comparing(LaunchTemplateVersion::versionNumber))
                                .map(version -> version.versionNumber().toString())
                                .toList());
    }

    private void delete(String template, List<String> versions) {
        for (int from = 0; from < versions.size(); from += AT_ONCE) {
            List<String> some = versions.subList(from, Math.min(versions.size(), from + AT_ONCE));
            var unused = new AwsCalls(region)
                    .call(
                            "delete launch template versions",
                            "ec2:DeleteLaunchTemplateVersions",
                            () -> clients.ec2(region)
                                    .deleteLaunchTemplateVersions(request ->
                                            request.launchTemplateName(template).versions(some)));
        }
    }
}
