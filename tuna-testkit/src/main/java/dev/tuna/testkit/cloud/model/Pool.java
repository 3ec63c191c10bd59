package dev.tuna.testkit.cloud.model;

import dev.tuna.spi.EngineSpec;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;

/** One capacity pool and what is rented from it. Guarded by the model's lock. */
final class Pool {

    private final PoolSettings settings;
    private final Set<Replica> rented = new LinkedHashSet<>();
    private BigDecimal usdPerHour;
    private int capacity;
    private Duration bootDelay;
    private int scriptedFailures;

    Pool(PoolSettings settings) {
        this.settings = settings;
        usdPerHour = settings.usdPerHour();
        capacity = settings.capacity();
        bootDelay = settings.bootDelay();
    }

    PoolSettings settings() {
        return settings;
    }

    BigDecimal usdPerHour() {
        return usdPerHour;
    }

    Duration bootDelay() {
        return bootDelay;
    }

    void price(BigDecimal price) {
        usdPerHour = price;
        rented.forEach(replica -> replica.reprice(price));
    }

    void capacity(int machines) {
        capacity = machines;
    }

    void bootDelay(Duration delay) {
        bootDelay = delay;
    }

    void failBoots(int times) {
        scriptedFailures = times;
    }

    boolean nextBootFails() {
        boolean fails = scriptedFailures > 0;
        scriptedFailures -= fails ? 1 : 0;
        return fails;
    }

    boolean fits(EngineSpec engine) {
        return settings.gpu().equals(engine.gpu()) && settings.gpuCount() >= engine.gpuCount();
    }

    boolean hasRoom() {
        return rented.size() < capacity;
    }

    void rent(Replica replica) {
        rented.add(replica);
    }

    void giveBack(Replica replica) {
        rented.remove(replica);
    }

    PoolView view() {
        PoolSettings now = new PoolSettings(
                settings.region(),
                settings.zone(),
                settings.machineType(),
                settings.tier(),
                settings.gpu(),
                settings.gpuCount(),
                usdPerHour,
                capacity,
                bootDelay);
        return new PoolView(settings.id(), now, rented.size());
    }
}
