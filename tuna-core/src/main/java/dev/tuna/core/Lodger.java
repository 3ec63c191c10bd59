package dev.tuna.core;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.StoreException;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.control.Allowance;
import dev.tuna.core.control.Bundle;
import dev.tuna.core.control.Confided;
import dev.tuna.core.control.Handover;
import dev.tuna.core.control.Treasury;
import dev.tuna.core.remote.Lodging;
import dev.tuna.core.remote.NextJar;
import dev.tuna.spi.SecretStore;
import java.util.List;

/** Takes deployments in from other hosts, and gives them back; heeds what they say of money. Thread-safe; blocks. */
record Lodger(Handover handover, Treasury treasury, SecretStore secrets) implements Lodging {

    /** Who is at the other end: there may be several hosts, and none is known by a name. */
    private static final String HOST = "";

    @Override
    public void offer(Bundle bundle) {
        try {
            handover.arrive(bundle, HOST);
        } catch (StoreException e) {
            // Whoever offers it must know that it is not here: else nobody looks after it.
            throw handover.mayHave(bundle.service(), bundle.handover())
                    ? e
                    : new ConfigurationException(ErrorCode.NAME_TAKEN, "it cannot be kept there: " + e.getMessage(), e);
        }
    }

    @Override
    public Bundle take(String name, String id) {
        Bundle bundle = handover.leave(name, id, HOST);
        handover.offered(name, id);
        return bundle;
    }

    @Override
    public void taken(String name, String id) {
        handover.left(name, id, true);
    }

    @Override
    public void keep(String name, String id) {
        handover.stay(name, id);
    }

    @Override
    public List<Outlay> allow(Allowance told) {
        return treasury.hear(told);
    }

    @Override
    public boolean vacate() {
        return handover.vacate();
    }

    @Override
    public void confide(Confided confided) {
        confided.secrets().forEach((name, value) -> secrets.put(new SecretRef(name), Secret.of(value)));
    }

    @Override
    public void upgrade(NextJar next) {
        throw new ConfigurationException(
                ErrorCode.INVALID_REQUEST, "this program cannot be replaced from outside; start another version of it");
    }
}
