package dev.tuna.testkit.vllm;

import dev.tuna.api.Secret;
import java.time.Duration;
import java.util.List;

/** What a stand-in was started with; the meanings are those of {@link VllmStandInBuilder}. */
record StandInConfig(
        String host,
        int port,
        String model,
        List<String> servedNames,
        List<Secret> apiKeys,
        int maxModelLen,
        String version,
        Duration bootTime,
        Duration timeToFirstToken,
        double tokensPerSecond,
        int capacity,
        Duration shutdownTimeout,
        Duration keepAliveInterval,
        boolean requestIdHeaders,
        boolean honoursPromptTokenIds,
        boolean reasoning,
        int keepRequests) {

    StandInConfig {
        servedNames = List.copyOf(servedNames);
        apiKeys = List.copyOf(apiKeys);
    }

    String servedName() {
        return servedNames.get(0);
    }
}
