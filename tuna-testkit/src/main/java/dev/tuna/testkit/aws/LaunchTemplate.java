package dev.tuna.testkit.aws;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** A launch template with its versions. Confined to the account's lock. */
final class LaunchTemplate {

    private final String id;
    private final String name;
    private final Instant made;
    private final Map<String, String> tags;
    private final NavigableMap<Integer, Version> versions = new TreeMap<>();
    private int given;
    private int defaultVersion = 1;

    /**
     * A version.
     *
     * @param number from 1, never given twice
     * @param description may be empty
     * @param made when
     * @param data what is launched
     */
    record Version(int number, String description, Instant made, Form data) {}

    LaunchTemplate(String id, String name, Instant made, Map<String, String> tags) {
        this.id = id;
        this.name = name;
        this.made = made;
        this.tags = new LinkedHashMap<>(tags);
    }

    Version add(String description, Instant now, Form data) {
        Version version = new Version(++given, description, now, data);
        versions.put(version.number(), version);
        return version;
    }

    /** A number, {@code $Latest} or {@code $Default}. */
    Optional<Version> version(String which) {
        return switch (which) {
            case "$Latest" -> Optional.of(versions.lastEntry().getValue());
            case "$Default" -> Optional.ofNullable(versions.get(defaultVersion));
            default ->
                which.matches("\\d{1,9}")
                        ? Optional.ofNullable(versions.get(Integer.parseInt(which)))
                        : Optional.empty();
        };
    }

    NavigableMap<Integer, Version> versions() {
        return versions;
    }

    void makeDefault(int number) {
        defaultVersion = number;
    }

    int defaultVersion() {
        return defaultVersion;
    }

    String id() {
        return id;
    }

    String name() {
        return name;
    }

    Instant made() {
        return made;
    }

    Map<String, String> tags() {
        return tags;
    }
}
