package dev.tuna.core.control;

import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.StateStore;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What live deployments have at providers. Thread-safe. */
public final class Inventory {

    private final Names names;
    private final StateStore store;

    Inventory(Names names, StateStore store) {
        this.names = names;
        this.store = store;
    }

    /**
     * The outside resources that live deployments account for.
     *
     * @return their names at their providers
     */
    public Set<ResourceRef> known() {
        var known = new HashSet<ResourceRef>();
        names.slots()
                .forEach(slot ->
                        slot.state().present().forEach(backend -> backend.ref().ifPresent(known::add)));
        store.load().resources().forEach(record -> record.resource().ifPresent(known::add));
        return known;
    }

    /**
     * Where there are backends that an earlier process left and that have not been looked at: they are shown as they were stored.
     * Nobody looks at those of a deployment that is being handed over.
     *
     * @return names of providers
     */
    public SortedSet<String> unseen() {
        return names.all().stream()
                .filter(service -> !service.held)
                .flatMap(service -> service.slots().stream())
                .flatMap(slot -> slot.state().present().stream())
                .filter(Backend::isUnseen)
                .map(Backend::provider)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /**
     * The serverless endpoints of a live deployment, as far as they have been made.
     *
     * @param name its name
     * @return their names at their providers by id, those of the serving revision first; empty if no deployment of this
     *     name is live
     */
    public Optional<Map<String, ResourceRef>> endpoints(String name) {
        return names.find(name).map(service -> {
            var endpoints = new LinkedHashMap<String, ResourceRef>();
            service.slots().stream()
                    .flatMap(slot -> slot.state().present().stream())
                    .filter(Backend::isServerless)
                    .forEach(endpoint -> endpoint.ref().ifPresent(ref -> endpoints.put(endpoint.id(), ref)));
            return endpoints;
        });
    }

    /**
     * Whether a deployment is making something at a provider whose name there is not known yet.
     *
     * @param deployment its name, as providers know it
     * @param provider the provider
     * @return true if something found there may be that
     */
    public boolean isMaking(String deployment, String provider) {
        return names.slots().stream()
                .filter(slot -> slot.state().revision().outside().equals(deployment))
                .flatMap(slot -> slot.state().present().stream())
                .anyMatch(
                        backend -> backend.ref().isEmpty() && backend.provider().equals(provider));
    }
}
