package dev.tuna.testkit.aws;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads tag specifications. */
final class SpecTags {

    private static final int MOST = 50;
    private static final int LONGEST_KEY = 128;
    private static final int LONGEST_VALUE = 256;

    private SpecTags() {}

    /**
     * The tags for one kind of resource.
     *
     * @param form what has the specifications
     * @param type for instance {@code instance}
     * @param allowed kinds that may be tagged
     */
    static Map<String, String> of(Form form, String type, Collection<String> allowed) {
        Map<String, String> tags = new LinkedHashMap<>();
        for (Form specification : form.parts("TagSpecification")) {
            String kind = specification.require("ResourceType");
            if (!allowed.contains(kind)) {
                throw AwsError.invalid("'" + kind + "' is not a valid taggable resource type for this operation.");
            }
            Map<String, String> these = read(specification);
            if (kind.equals(type)) {
                tags.putAll(these);
            }
        }
        return tags;
    }

    static Map<String, String> read(Form form) {
        Map<String, String> tags = new LinkedHashMap<>();
        for (Form tag : form.parts("Tag")) {
            String key = tag.require("Key");
            String value = tag.text("Value").orElse("");
            if (key.startsWith("aws:")) {
                throw AwsError.invalid("Tag keys starting with 'aws:' are reserved for internal use");
            }
            if (key.length() > LONGEST_KEY || value.length() > LONGEST_VALUE) {
                throw AwsError.invalid(
                        "Tag key exceeds " + LONGEST_KEY + " or tag value " + LONGEST_VALUE + " characters: " + key);
            }
            if (tags.put(key, value) != null) {
                throw AwsError.invalid("Duplicate tag key '" + key + "' specified.");
            }
        }
        if (tags.size() > MOST) {
            throw AwsError.bad("TagLimitExceeded", "The maximum number of tags is " + MOST);
        }
        return tags;
    }
}
