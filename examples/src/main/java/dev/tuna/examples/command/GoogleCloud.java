package dev.tuna.examples.command;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Where on Google Cloud, for provider cloudrun. */
final class GoogleCloud {

    static final String PROVIDER = "cloudrun";

    @Option(
            names = "--gcp-project",
            paramLabel = "PROJECT",
            description = "Project for provider cloudrun (default: GOOGLE_CLOUD_PROJECT, else the credential's own).")
    private Optional<String> project = Optional.empty();

    @Option(
            names = "--gcp-region",
            paramLabel = "REGION",
            description = "Region for provider cloudrun (default: GOOGLE_CLOUD_REGION, else by GPU).")
    private Optional<String> region = Optional.empty();

    Map<String, String> options() {
        var options = new LinkedHashMap<String, String>();
        project.ifPresent(value -> options.put("project", value));
        region.ifPresent(value -> options.put("region", value));
        return options;
    }
}
