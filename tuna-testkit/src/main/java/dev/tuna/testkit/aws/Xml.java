package dev.tuna.testkit.aws;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** Writes the elements of an answer. Not thread-safe. */
final class Xml {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private final StringBuilder text = new StringBuilder();

    static String time(Instant at) {
        return TIME.format(at);
    }

    Xml put(String name, Object value) {
        text.append('<').append(name).append('>');
        escape(value instanceof Instant at ? time(at) : value.toString());
        text.append("</").append(name).append('>');
        return this;
    }

    Xml maybe(String name, Optional<?> value) {
        value.ifPresent(present -> put(name, present));
        return this;
    }

    Xml in(String name, Consumer<Xml> inside) {
        text.append('<').append(name).append('>');
        inside.accept(this);
        text.append("</").append(name).append('>');
        return this;
    }

    <T> Xml list(String name, Iterable<? extends T> items, BiConsumer<Xml, T> each) {
        return in(name, list -> {
            for (T item : items) {
                list.in("item", element -> each.accept(element, item));
            }
        });
    }

    Xml words(String name, Iterable<String> words) {
        return in(name, list -> words.forEach(word -> list.put("item", word)));
    }

    Xml tags(Map<String, String> tags) {
        return tags.isEmpty()
                ? this
                : list(
                        "tagSet",
                        tags.entrySet(),
                        (item, tag) -> item.put("key", tag.getKey()).put("value", tag.getValue()));
    }

    private void escape(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '<' -> text.append("&lt;");
                case '>' -> text.append("&gt;");
                case '&' -> text.append("&amp;");
                case '"' -> text.append("&quot;");
                case '\r' -> text.append("&#13;");
                default -> text.append(c);
            }
        }
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
