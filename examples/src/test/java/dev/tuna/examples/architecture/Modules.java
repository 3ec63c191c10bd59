package dev.tuna.examples.architecture;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the build says about its modules. */
final class Modules {

    private static final Pattern MODULE = Pattern.compile("<module>([^<]+)</module>");
    private static final Pattern MODULE_NAME = Pattern.compile("<module\\.name>([a-z][a-z0-9.]*)</module\\.name>");

    private Modules() {}

    static List<String> of(String parentPom) {
        return MODULE.matcher(parentPom).results().map(match -> match.group(1)).toList();
    }

    /** Module to its pom, for those that make a jar. */
    static Map<String, String> poms(Path repository, List<String> modules) throws IOException {
        Map<String, String> poms = new LinkedHashMap<>();
        for (String module : modules) {
            String pom = Files.readString(repository.resolve(module).resolve("pom.xml"));
            if (!pom.contains("<packaging>pom</packaging>")) {
                poms.put(module, pom);
            }
        }
        return poms;
    }

    static List<String> withoutModuleName(Map<String, String> poms) {
        return poms.keySet().stream()
                .filter(module -> moduleName(poms.getOrDefault(module, "")).isEmpty())
                .toList();
    }

    static Set<String> sharedModuleNames(Map<String, String> poms) {
        Set<String> seen = new HashSet<>();
        Set<String> shared = new TreeSet<>();
        for (String pom : poms.values()) {
            moduleName(pom).filter(name -> !seen.add(name)).ifPresent(shared::add);
        }
        return shared;
    }

    private static Optional<String> moduleName(String pom) {
        Matcher matcher = MODULE_NAME.matcher(pom);
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    /** Packages whose classes come from more than one place, to these places. */
    static Map<String, List<String>> splitPackages(JavaClasses classes) {
        Map<String, Set<String>> places = new TreeMap<>();
        for (JavaClass javaClass : classes) {
            javaClass
                    .getSource()
                    .ifPresent(source -> places.computeIfAbsent(javaClass.getPackageName(), name -> new TreeSet<>())
                            .add(place(javaClass, source.getUri().toString())));
        }
        Map<String, List<String>> split = new TreeMap<>();
        places.forEach((name, found) -> {
            if (found.size() > 1) {
                split.put(name, new ArrayList<>(found));
            }
        });
        return split;
    }

    private static String place(JavaClass javaClass, String uri) {
        return uri.replace(javaClass.getName().replace('.', '/') + ".class", "");
    }
}
