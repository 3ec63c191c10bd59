package dev.tuna.testkit.aws;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The parameters of a request in the query protocol, or a part of them: structures are written with dots, members of lists
 * with numbers from 1. Immutable.
 */
final class Form {

    private final Map<String, String> all;
    private final String prefix;

    private Form(Map<String, String> all, String prefix) {
        this.all = all;
        this.prefix = prefix;
    }

    static Form parse(String body) {
        Map<String, String> all = new LinkedHashMap<>();
        for (String pair : body.split("&")) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                all.put(decode(pair.substring(0, equals)), decode(pair.substring(equals + 1)));
            }
        }
        return new Form(all, "");
    }

    static Form of(Map<String, String> all) {
        return new Form(new LinkedHashMap<>(all), "");
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    /** Everything in this part, in the order sent, named as if it were the whole. */
    Map<String, String> flat() {
        Map<String, String> flat = new LinkedHashMap<>();
        all.forEach((name, value) -> {
            if (name.startsWith(prefix)) {
                flat.put(name.substring(prefix.length()), value);
            }
        });
        return flat;
    }

    boolean isEmpty() {
        return all.keySet().stream().noneMatch(name -> name.startsWith(prefix));
    }

    Optional<String> text(String name) {
        return Optional.ofNullable(all.get(prefix + name)).filter(value -> !value.isEmpty());
    }

    String require(String name) {
        return text(name).orElseThrow(() -> AwsError.missing(prefix + name));
    }

    boolean flag(String name) {
        return text(name).map(Boolean::parseBoolean).orElse(false);
    }

    int number(String name, int otherwise) {
        return text(name).map(value -> parse(name, value)).orElse(otherwise);
    }

    private int parse(String name, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw AwsError.invalid("Invalid value '" + value + "' for " + prefix + name + ". Must be an integer.");
        }
    }

    /** A structure; empty if it was not sent. */
    Form part(String name) {
        return new Form(all, prefix + name + ".");
    }

    /** A list of structures. */
    List<Form> parts(String name) {
        List<Form> parts = new ArrayList<>();
        for (Form part = part(name + ".1"); !part.isEmpty(); part = part(name + "." + (parts.size() + 1))) {
            parts.add(part);
        }
        return parts;
    }

    /** A list of values. */
    List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        for (Optional<String> text = text(name + ".1");
                text.isPresent();
                text = text(name + "." + (texts.size() + 1))) {
            texts.add(text.get());
        }
        return texts;
    }

    /** The same with what another form says instead; a list or structure that the other has is replaced whole. */
    Form overlaid(Form other) {
        Map<String, String> mine = flat();
        Map<String, String> theirs = other.flat();
        mine.keySet()
                .removeIf(name ->
                        theirs.keySet().stream().anyMatch(their -> top(their).equals(top(name))));
        mine.putAll(theirs);
        return of(mine);
    }

    private static String top(String name) {
        int dot = name.indexOf('.');
        return dot < 0 ? name : name.substring(0, dot);
    }
}
