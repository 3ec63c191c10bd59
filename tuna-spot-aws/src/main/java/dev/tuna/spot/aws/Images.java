package dev.tuna.spot.aws;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.Image;

/**
 * Finds the image to boot. Keeps nothing; thread-safe.
 *
 * @param clients the SDK's
 * @param region where
 */
record Images(AwsClients clients, String region) {

    private AwsCalls calls() {
        return new AwsCalls(region);
    }

    /**
     * What is needed of an image.
     *
     * @param id {@code ami-...}
     * @param name what its maker calls it
     * @param rootDevice what its root volume must be called to be that
     * @param rootGb how large that is at least
     */
    record Found(String id, String name, String rootDevice, int rootGb) {}

    /**
     * The first that exists.
     *
     * @param wanted ids, or names of parameters that hold one
     * @throws ConfigurationException if none does
     */
    Found find(List<String> wanted) {
        return wanted.stream()
                .flatMap(name -> (name.startsWith("/") ? parameter(name) : Optional.of(name)).stream())
                .findFirst()
                .flatMap(this::image)
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "provider aws: none of the images " + String.join(", ", wanted) + " exists in " + region
                                + "; set the option ami, or ami_parameters"));
    }

    /** The id that a public parameter holds. */
    Optional<String> parameter(String name) {
        return calls().unless(
                        AwsFault.NOT_FOUND,
                        "read image parameter",
                        "ssm:GetParameter",
                        () -> clients.ssm(region)
                                .getParameter(request -> request.name(name))
                                .parameter()
                                .value());
    }

    /** An image by its id. */
    Optional<Found> image(String id) {
        return calls().unless(
                        AwsFault.NOT_FOUND,
                        "describe image",
                        "ec2:DescribeImages",
                        () -> clients.ec2(region)
                                .describeImages(request -> request.imageIds(id))
                                .images())
                .flatMap(images -> images.stream().findFirst())
                .map(Images::found);
    }

    private static Found found(Image image) {
        int gb = image.blockDeviceMappings().stream()
                .filter(device -> image.rootDeviceName().equals(device.deviceName()))
                .filter(device -> device.ebs() != null && device.ebs().volumeSize() != null)
                .mapToInt(device -> device.ebs().volumeSize())
                .findFirst()
                .orElse(0);
        return new Found(image.imageId(), image.name() == null ? "" : image.name(), image.rootDeviceName(), gb);
    }
}
