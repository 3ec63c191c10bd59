package dev.tuna.testkit.aws;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

/** The filters of a request: all must match, each by one of its values, in which {@code *} and {@code ?} are wild. Immutable. */
final class Filters {

    private static final String TAG = "tag:";

    private final List<Form> filters;

    private Filters(List<Form> filters) {
        this.filters = filters;
    }

    static Filters of(Form form) {
        return new Filters(form.parts("Filter"));
    }

    /**
     * Whether something passes.
     *
     * @param tags its tags
     * @param values what it has under a filter's name; for an unknown name it throws {@link #unknown}
     */
    boolean match(Map<String, String> tags, Function<String, List<String>> values) {
        return filters.stream().allMatch(filter -> {
            List<String> has = values(filter.require("Name"), tags, values);
            return filter.texts("Value").stream()
                    .map(Filters::pattern)
                    .anyMatch(pattern -> has.stream()
                            .anyMatch(value -> pattern.matcher(value).matches()));
        });
    }

    private static List<String> values(String name, Map<String, String> tags, Function<String, List<String>> values) {
        if (name.equals("tag-key")) {
            return List.copyOf(tags.keySet());
        }
        if (name.startsWith(TAG)) {
            String key = name.substring(TAG.length());
            return tags.containsKey(key) ? List.of(tags.getOrDefault(key, "")) : List.of();
        }
        return values.apply(name);
    }

    static AwsError unknown(String name) {
        return AwsError.invalid("The filter '" + name + "' is invalid");
    }

    private static Pattern pattern(String value) {
        StringBuilder regex = new StringBuilder();
        for (int at = 0; at < value.length(); at++) {
            char c = value.charAt(at);
            regex.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(String.valueOf(c)));
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }
}
