package dev.tuna.testkit.aws;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The images of one region and the public parameters that name them. Confined to the account's lock. */
final class Images {

    private static final String DEEP_LEARNING = "/aws/service/deeplearning/ami/";
    private static final String UBUNTU = "/dev/sda1";
    private static final String AMAZON = "/dev/xvda";

    private final Map<String, String> parameters = new LinkedHashMap<>();
    private final Map<String, Image> images = new LinkedHashMap<>();

    /**
     * An image.
     *
     * @param id {@code ami-...}
     * @param name what it is
     * @param architecture {@code x86_64} or {@code arm64}
     * @param rootDevice what its root volume must be called to be that
     * @param sizeGb how large the root volume is at least
     */
    record Image(String id, String name, String architecture, String rootDevice, int sizeGb) {
        String snapshot() {
            return Ids.fixed("snap", id);
        }
    }

    Images(String region) {
        deepLearning(region, "x86_64", "base-oss-nvidia-driver-gpu-ubuntu-22.04", UBUNTU);
        deepLearning(region, "x86_64", "base-oss-nvidia-driver-gpu-ubuntu-24.04", UBUNTU);
        deepLearning(region, "x86_64", "base-oss-nvidia-driver-gpu-amazon-linux-2023", AMAZON);
        deepLearning(region, "x86_64", "base-with-single-cuda-ubuntu-22.04", UBUNTU);
        deepLearning(region, "arm64", "base-oss-nvidia-driver-gpu-ubuntu-22.04", UBUNTU);
        add(
                region,
                "/aws/service/ecs/optimized-ami/amazon-linux-2023/gpu/recommended/image_id",
                "al2023-ami-ecs-gpu-hvm-x86_64",
                "x86_64",
                AMAZON,
                30);
        add(
                region,
                "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
                "al2023-ami-x86_64",
                "x86_64",
                AMAZON,
                8);
        add(
                region,
                "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
                "al2023-ami-arm64",
                "arm64",
                AMAZON,
                8);
    }

    private void deepLearning(String region, String architecture, String kind, String rootDevice) {
        add(
                region,
                DEEP_LEARNING + architecture + "/" + kind + "/latest/ami-id",
                "Deep Learning " + kind + " 20260801",
                architecture,
                rootDevice,
                75);
    }

    private void add(String region, String parameter, String name, String architecture, String rootDevice, int sizeGb) {
        Image image = new Image(Ids.fixed("ami", region + parameter), name, architecture, rootDevice, sizeGb);
        images.put(image.id(), image);
        parameters.put(parameter, image.id());
    }

    List<Image> all() {
        return List.copyOf(images.values());
    }

    Optional<Image> image(String id) {
        return Optional.ofNullable(images.get(id));
    }

    Optional<String> parameter(String name) {
        return Optional.ofNullable(parameters.get(name));
    }

    void removeParameter(String name) {
        parameters.remove(name);
    }
}
