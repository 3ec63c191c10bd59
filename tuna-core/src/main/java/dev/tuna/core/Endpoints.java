package dev.tuna.core;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.LogEntry;
import dev.tuna.core.provider.Clouds;
import dev.tuna.spi.LogLine;
import dev.tuna.spi.ResourceRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The serverless endpoints of a deployment, to be asked for what no control loop needs. Blocks.
 *
 * @param clouds who is asked
 * @param endpoints their names at their clouds, by id
 */
record Endpoints(Clouds clouds, Map<String, ResourceRef> endpoints) {

    /** Of several clouds one that tells no logs keeps nobody from reading those of the others. */
    List<LogEntry> logs(int lines) {
        var entries = new ArrayList<LogEntry>();
        var refusals = new ArrayList<ConfigurationException>();
        endpoints.forEach((id, resource) -> {
            try {
                clouds.serverless(resource.provider())
                        .logs(resource, lines)
                        .forEach(line -> entries.add(entry(id, line)));
            } catch (ConfigurationException e) {
                refusals.add(e);
            }
        });
        if (entries.isEmpty() && !refusals.isEmpty()) {
            throw refusals.get(0);
        }
        return entries;
    }

    private static LogEntry entry(String id, LogLine line) {
        return new LogEntry(id, line.at(), line.container(), line.text());
    }

    List<String> clearCache() {
        endpoints
                .values()
                .forEach(resource -> clouds.serverless(resource.provider()).clearCache(resource));
        return List.copyOf(endpoints.keySet());
    }
}
