package dev.tuna.core.config;

import dev.tuna.core.text.Suggestions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/** The keys of a YAML mapping, each known and there once. Pure. */
final class YamlSection {

    private static final int SHOWN_CHARACTERS = 60;

    private YamlSection() {}

    /**
     * One key.
     *
     * @param name the key
     * @param line where it stands, from 1
     * @param value its value
     */
    record Entry(String name, int line, Node value) {}

    /**
     * The entries of a mapping, in order.
     *
     * @param prefix what precedes the keys in messages, for instance {@code spot.}
     * @param hints what to say about a key of another place, by key
     * @param problems where unknown and repeated keys go, and a node that is no mapping
     */
    static List<Entry> entries(
            Node node, String prefix, Collection<String> allowed, Map<String, String> hints, FileProblems problems) {
        if (!(node instanceof MappingNode mapping) || !node.getTag().equals(Tag.MAP)) {
            String what = prefix.isEmpty() ? "the document" : prefix.substring(0, prefix.length() - 1);
            problems.add(
                    YamlText.line(node),
                    what + " is " + describe(node) + " but must be a mapping with keys of " + listed(allowed));
            return List.of();
        }
        var entries = new ArrayList<Entry>();
        var lines = new HashMap<String, Integer>();
        for (NodeTuple tuple : mapping.getValue()) {
            Node key = tuple.getKeyNode();
            int line = YamlText.line(key);
            if (!(key instanceof ScalarNode scalar)) {
                problems.add(line, "a key is " + describe(key) + " but must be one of " + listed(allowed));
                continue;
            }
            String name = scalar.getValue();
            Integer earlier = lines.putIfAbsent(name, line);
            if (earlier != null) {
                problems.add(
                        line,
                        "key " + prefix + clip(name) + " is there twice, first in line " + earlier + "; remove one");
            } else if (!allowed.contains(name)) {
                problems.add(line, unknown(prefix, name, allowed, hints));
            } else {
                entries.add(new Entry(name, line, tuple.getValueNode()));
            }
        }
        return entries;
    }

    /** What a node holds, for a message: {@code '5'}, {@code empty}, {@code a list}. */
    static String describe(Node node) {
        if (node.getTag().equals(Tag.NULL)) {
            return "empty";
        }
        String tag = node.getTag().startsWith(Tag.PREFIX) ? "" : node.getTag().getValue() + " ";
        if (node instanceof ScalarNode scalar) {
            return "'" + clip(tag + scalar.getValue()) + "'";
        }
        return (node instanceof SequenceNode ? "a list" : "a mapping") + (tag.isEmpty() ? "" : " tagged " + clip(tag));
    }

    private static String unknown(String prefix, String name, Collection<String> allowed, Map<String, String> hints) {
        String advice = hints.containsKey(name) ? hints.get(name) + "; " : Suggestions.didYouMean(name, allowed);
        return "unknown key '" + prefix + clip(name) + "'; " + advice + "allowed are " + listed(allowed);
    }

    private static String listed(Collection<String> names) {
        return String.join(", ", names);
    }

    private static String clip(String text) {
        String line = text.strip().replaceAll("\\p{Cntrl}", "?");
        return line.length() <= SHOWN_CHARACTERS ? line : line.substring(0, SHOWN_CHARACTERS) + "...";
    }
}
