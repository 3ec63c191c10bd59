package dev.tuna.core.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/** Reads the fields of a JSON object strictly, and knows which were never read. Confined to one thread. */
final class JsonFields {

    private final String path;
    private final JsonNode object;
    private final Set<String> read = new HashSet<>();

    private JsonFields(String path, JsonNode object) {
        this.path = path;
        this.object = object;
    }

    static JsonFields of(JsonNode root) {
        if (!root.isObject()) {
            throw new Mismatch("the document is not an object");
        }
        return new JsonFields("", root);
    }

    List<String> names() {
        var names = new ArrayList<String>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    String text(String name) {
        return text(name, require(name));
    }

    Optional<String> textIfAny(String name) {
        return ifAny(name).map(value -> text(name, value));
    }

    List<String> texts(String name) {
        JsonNode array = require(name);
        check(array.isArray(), name, "an array of texts");
        var texts = new ArrayList<String>();
        array.forEach(element -> texts.add(text(name, element)));
        return texts;
    }

    int integer(String name) {
        return integer(name, require(name));
    }

    OptionalInt integerIfAny(String name) {
        return ifAny(name).map(value -> OptionalInt.of(integer(name, value))).orElse(OptionalInt.empty());
    }

    double number(String name) {
        return number(name, require(name));
    }

    OptionalDouble numberIfAny(String name) {
        return ifAny(name).map(value -> OptionalDouble.of(number(name, value))).orElse(OptionalDouble.empty());
    }

    boolean bool(String name) {
        JsonNode value = require(name);
        check(value.isBoolean(), name, "true or false");
        return value.asBoolean();
    }

    Duration duration(String name) {
        try {
            return Duration.parse(text(name));
        } catch (DateTimeParseException e) {
            throw mismatch(name, "an ISO 8601 duration");
        }
    }

    Optional<Duration> durationIfAny(String name) {
        return ifAny(name).isPresent() ? Optional.of(duration(name)) : Optional.empty();
    }

    <E extends Enum<E>> Optional<E> constantIfAny(String name, Class<E> type) {
        return ifAny(name).isPresent() ? Optional.of(constant(name, type)) : Optional.empty();
    }

    <E extends Enum<E>> E constant(String name, Class<E> type) {
        String text = text(name);
        return Arrays.stream(type.getEnumConstants())
                .filter(constant -> constant.name().equals(text))
                .findFirst()
                .orElseThrow(() -> mismatch(name, "one of " + Arrays.toString(type.getEnumConstants())));
    }

    /** An amount of money, written as a text so that no digit is lost. */
    Optional<BigDecimal> amountIfAny(String name) {
        return ifAny(name).map(value -> {
            try {
                return new BigDecimal(text(name, value));
            } catch (NumberFormatException e) {
                throw mismatch(name, "an amount such as \"1.50\"");
            }
        });
    }

    Optional<JsonFields> objectIfAny(String name) {
        return ifAny(name).isPresent() ? Optional.of(object(name)) : Optional.empty();
    }

    JsonFields object(String name) {
        JsonNode value = require(name);
        check(value.isObject(), name, "an object");
        return new JsonFields(path + name + ".", value);
    }

    /** A field that nobody asked for was written by somebody who meant something by it. */
    void rejectOthers() {
        var others = new TreeSet<>(names());
        others.removeAll(read);
        if (!others.isEmpty()) {
            throw new Mismatch("'" + path + others.first() + "' is not a known key");
        }
    }

    private Optional<JsonNode> ifAny(String name) {
        read.add(name);
        return Optional.ofNullable(object.get(name));
    }

    private JsonNode require(String name) {
        return ifAny(name).orElseThrow(() -> new Mismatch("'" + path + name + "' is missing"));
    }

    private String text(String name, JsonNode value) {
        check(value.isTextual(), name, "a text");
        return value.asText();
    }

    private int integer(String name, JsonNode value) {
        check(value.isInt(), name, "a whole number");
        return value.asInt();
    }

    private double number(String name, JsonNode value) {
        check(value.isNumber(), name, "a number");
        return value.asDouble();
    }

    private void check(boolean holds, String name, String allowed) {
        if (!holds) {
            throw mismatch(name, allowed);
        }
    }

    private Mismatch mismatch(String name, String allowed) {
        return new Mismatch("'" + path + name + "' is '" + object.get(name) + "' but must be " + allowed);
    }

    /** A field is not what was expected; the message names it. */
    static final class Mismatch extends RuntimeException {

        private static final long serialVersionUID = 1;

        Mismatch(String message) {
            super(message);
        }
    }
}
