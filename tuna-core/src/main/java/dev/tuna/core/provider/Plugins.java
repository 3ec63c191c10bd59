package dev.tuna.core.provider;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderNotFoundException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plugins of one kind by name. Immutable.
 *
 * @param <P> the plugin type
 */
final class Plugins<P> {

    static final String NAME_RULE = "1 to 32 lower-case letters, digits and inner hyphens, first a letter";

    private static final Logger LOG = LoggerFactory.getLogger(ProviderCatalog.class);
    private static final Pattern NAME = Pattern.compile("[a-z]([a-z0-9-]{0,30}[a-z0-9])?");

    /** Services files that cannot even be listed fail on every further try, so the tries are counted. */
    private static final int MOST_BROKEN = 1_000;

    private final String kind;
    private final SortedMap<String, List<P>> passed;
    private final SortedMap<String, List<P>> found;
    private final List<Throwable> broken;

    private Plugins(
            String kind, SortedMap<String, List<P>> passed, SortedMap<String, List<P>> found, List<Throwable> broken) {
        this.kind = kind;
        this.passed = passed;
        this.found = found;
        this.broken = broken;
    }

    /**
     * Plugins passed by hand.
     *
     * @throws ConfigurationException if one has no proper name
     * @throws ProviderNotFoundException if two have the same name
     */
    static <P> Plugins<P> passed(String kind, Collection<? extends P> plugins, Function<? super P, String> name) {
        var byName = new TreeMap<String, List<P>>();
        for (P plugin : plugins) {
            byName.computeIfAbsent(checkedName(plugin, name), key -> new ArrayList<>())
                    .add(plugin);
        }
        var all = new Plugins<P>(kind, byName, new TreeMap<>(), List.of());
        byName.keySet().forEach(all::find);
        return all;
    }

    /** The same and what a class loader finds; entries that cannot be loaded are logged and remembered. */
    Plugins<P> andFound(Class<P> type, ClassLoader loader, Function<? super P, String> name) {
        var byName = new TreeMap<String, List<P>>();
        var failures = new LinkedHashMap<String, Throwable>();
        Iterator<P> entries = ServiceLoader.load(type, loader).iterator();
        int broken = 0;
        while (broken < MOST_BROKEN) {
            try {
                if (!entries.hasNext()) {
                    break;
                }
                P plugin = entries.next();
                byName.computeIfAbsent(checkedName(plugin, name), key -> new ArrayList<>())
                        .add(plugin);
            } catch (ServiceConfigurationError | LinkageError | ConfigurationException e) {
                failures.putIfAbsent(e.toString(), e);
                broken++;
            }
        }
        failures.values().forEach(e -> LOG.warn("A {} on the class path cannot be loaded and is left out", kind, e));
        return new Plugins<>(kind, passed, byName, List.copyOf(failures.values()));
    }

    String kind() {
        return kind;
    }

    /** Sorted, each once. */
    List<String> names() {
        var names = new TreeSet<>(passed.keySet());
        names.addAll(found.keySet());
        return List.copyOf(names);
    }

    /** Those passed by hand if there are any, else those found. */
    List<String> preferredNames() {
        return List.copyOf((passed.isEmpty() ? found : passed).keySet());
    }

    List<Throwable> broken() {
        return broken;
    }

    /**
     * Looks a plugin up.
     *
     * @throws ProviderNotFoundException {@code PROVIDER_AMBIGUOUS} if two have this name
     */
    Optional<P> find(String name) {
        List<P> candidates = candidates(name);
        if (candidates.size() > 1) {
            throw new ProviderNotFoundException(
                    ErrorCode.PROVIDER_AMBIGUOUS,
                    kind + " '" + name + "' is there more than once: " + classes(candidates)
                            + "; take one off the class path, or pass the right one by hand");
        }
        return candidates.stream().findFirst();
    }

    /** For instance {@code local (dev.tuna.testkit.LocalProvider), runpod (dev.tuna.provider.runpod.RunPodProvider)}. */
    String described() {
        return names().stream()
                .map(name -> name + " (" + classes(candidates(name)) + ")")
                .collect(Collectors.joining(", "));
    }

    private List<P> candidates(String name) {
        List<P> byHand = passed.getOrDefault(name, List.of());
        return byHand.isEmpty() ? found.getOrDefault(name, List.of()) : byHand;
    }

    private static String classes(List<?> plugins) {
        return plugins.stream().map(plugin -> plugin.getClass().getName()).collect(Collectors.joining(", "));
    }

    private static <P> String checkedName(P plugin, Function<? super P, String> name) {
        String type = plugin.getClass().getName();
        String text;
        try {
            text = String.valueOf(name.apply(plugin));
        } catch (RuntimeException e) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST, "provider plugin " + type + " fails to tell its name: " + e, e);
        }
        if (!NAME.matcher(text).matches()) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "provider plugin " + type + " has the name '" + text + "' but it must be " + NAME_RULE);
        }
        return text;
    }
}
