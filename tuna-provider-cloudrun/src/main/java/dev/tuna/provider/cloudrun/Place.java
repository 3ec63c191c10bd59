package dev.tuna.provider.cloudrun;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.spi.ResourceRef;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a service is. Its text is Cloud Run's own name for it and the id of its resource, so that a service is found where it
 * was made, whatever the settings say by then. Immutable.
 *
 * @param project the project's id
 * @param region the region
 * @param service the service's name
 */
record Place(String project, String region, String service) {

    static final String KIND = "service";

    /** Cloud Run takes fewer than 50 characters. */
    private static final int LONGEST_NAME = 49;

    private static final int OWNER_PART = 8;
    private static final int HASH_PART = 8;
    private static final Pattern NAME = Pattern.compile("projects/([^/]+)/locations/([^/]+)/services/([^/]+)");

    Place {
        Objects.requireNonNull(project, "project");
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(service, "service");
    }

    static Place of(ResourceRef resource) {
        return of(resource.id());
    }

    static Place of(String name) {
        Matcher parts = NAME.matcher(name);
        if (!parts.matches()) {
            throw ProviderException.of(CloudRunProvider.NAME, "read resource")
                    .code(ErrorCode.INVALID_REQUEST)
                    .message("'" + name + "' is not of the form projects/P/locations/R/services/S")
                    .build();
        }
        return new Place(parts.group(1), parts.group(2), parts.group(3));
    }

    /** Two installations may use one project, and one deployment name. */
    static String serviceName(String deployment, String owner) {
        String suffix = "-" + owner.substring(0, Math.min(OWNER_PART, owner.length()));
        int room = LONGEST_NAME - suffix.length();
        if (deployment.length() <= room) {
            return deployment + suffix;
        }
        String hash = digest(deployment).substring(0, HASH_PART);
        return deployment.substring(0, room - HASH_PART - 1) + "-" + hash + suffix;
    }

    /** SHA-256 in hexadecimal digits. */
    static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    ResourceRef resource() {
        return new ResourceRef(CloudRunProvider.NAME, KIND, toString());
    }

    /** {@code projects/P/locations/R/services/S}. */
    @Override
    public String toString() {
        return "projects/" + project + "/locations/" + region + "/services/" + service;
    }
}
