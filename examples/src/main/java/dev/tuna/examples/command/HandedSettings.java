package dev.tuna.examples.command;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/** Settings of providers on their way from one process to another: {@code provider.key=value}, as properties. Pure. */
final class HandedSettings {

    private HandedSettings() {}

    static void write(Map<String, Map<String, String>> settings, Writer out) throws IOException {
        var properties = new Properties();
        settings.forEach((provider, values) ->
                values.forEach((key, value) -> properties.setProperty(provider + "." + key, value)));
        properties.store(out, "settings of providers");
    }

    static Map<String, Map<String, String>> read(Reader in) throws IOException {
        var properties = new Properties();
        properties.load(in);
        var settings = new TreeMap<String, Map<String, String>>();
        properties.stringPropertyNames().forEach(name -> {
            int dot = name.indexOf('.');
            settings.computeIfAbsent(name.substring(0, dot), provider -> new TreeMap<>())
                    .put(name.substring(dot + 1), properties.getProperty(name, ""));
        });
        return settings;
    }
}
