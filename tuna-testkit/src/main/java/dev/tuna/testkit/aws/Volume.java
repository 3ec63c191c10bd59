package dev.tuna.testkit.aws;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A disk in the network. Confined to the account's lock. */
final class Volume {

    private final String id;
    private final String zone;
    private final String device;
    private final Form settings;
    private final int sizeGb;
    private final String snapshot;
    private final Instant made;
    private final boolean deletedOnTermination;
    private final Map<String, String> tags;
    private Optional<String> instance;

    Volume(
            String id,
            StandInInstance instance,
            String device,
            Form settings,
            int sizeGb,
            String snapshot,
            boolean deletedOnTermination,
            Map<String, String> tags) {
        this.id = id;
        this.zone = instance.zone().name();
        this.device = device;
        this.settings = settings;
        this.sizeGb = sizeGb;
        this.snapshot = snapshot;
        this.made = instance.launched();
        this.deletedOnTermination = deletedOnTermination;
        this.tags = new LinkedHashMap<>(tags);
        this.instance = Optional.of(instance.id());
    }

    String id() {
        return id;
    }

    String zone() {
        return zone;
    }

    String device() {
        return device;
    }

    /** The {@code Ebs} part of its block device mapping. */
    Form settings() {
        return settings;
    }

    int sizeGb() {
        return sizeGb;
    }

    String snapshot() {
        return snapshot;
    }

    Instant made() {
        return made;
    }

    boolean isDeletedOnTermination() {
        return deletedOnTermination;
    }

    Map<String, String> tags() {
        return tags;
    }

    Optional<String> instance() {
        return instance;
    }

    void detach() {
        instance = Optional.empty();
    }
}
