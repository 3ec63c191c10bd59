package dev.tuna.testkit.cloud.model;

import dev.tuna.api.Secret;
import dev.tuna.spi.EngineSpec;
import java.util.Map;
import java.util.Objects;

/**
 * What a machine shall run.
 *
 * @param id the cloud's name for the machine
 * @param engine the model server
 * @param environment environment variables with secret values
 */
public record MachineSpec(String id, EngineSpec engine, Map<String, Secret> environment) {

    /** Copies the map. */
    public MachineSpec {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(engine, "engine");
        environment = Map.copyOf(environment);
    }
}
