package dev.tuna.core.machine;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TunaException;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.RouterCloud;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds machines in their clouds, whichever installation made them. */
final class Finder {

    private static final Logger LOG = LoggerFactory.getLogger(Finder.class);

    private final Clouds clouds;

    Finder(Clouds clouds) {
        this.clouds = clouds;
    }

    /** The machine of this name, or with a deployment of this name, if it answers. */
    AttachedVm attach(String name) {
        var seen = new ArrayList<String>();
        for (String provider : clouds.catalog().spotNames()) {
            Optional<RouterCloud> cloud = clouds.spot(provider).routers();
            for (FoundRouterVm found : cloud.map(this::found).orElse(List.of())) {
                seen.add(found.name());
                Optional<AttachedVm> attached =
                        attach(cloud.orElseThrow(), found).filter(vm -> has(vm, name));
                if (attached.isPresent()) {
                    return attached.get();
                }
            }
        }
        throw new ConfigurationException(
                ErrorCode.NO_SUCH_DEPLOYMENT,
                "no router VM is named '" + name + "' or has a deployment of this name; "
                        + (seen.isEmpty() ? "none was found" : "found were " + String.join(", ", seen)));
    }

    private List<FoundRouterVm> found(RouterCloud cloud) {
        try {
            return cloud.find();
        } catch (TunaException e) {
            LOG.debug("a cloud cannot be searched for router VMs: {}", e.getMessage());
            return List.of();
        }
    }

    private static Optional<AttachedVm> attach(RouterCloud cloud, FoundRouterVm found) {
        return cloud.observe(found.resource(), found.name())
                .control()
                .map(control -> new AttachedVm(cloud, found, RemoteControlPlane.of(found.name(), control)));
    }

    private static boolean has(AttachedVm vm, String name) {
        try {
            if (vm.name().equals(name) || vm.plane().deployment(name).isPresent()) {
                return true;
            }
        } catch (TunaException e) {
            LOG.debug("router VM '{}' does not answer: {}", vm.name(), e.getMessage());
        }
        vm.close();
        return false;
    }
}
