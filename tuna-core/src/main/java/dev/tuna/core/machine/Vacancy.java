package dev.tuna.core.machine;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.core.remote.RemoteControlPlane;

/** What comes before a machine is removed: whoever deployed there by itself would go with it. */
final class Vacancy {

    private Vacancy() {}

    /** Whether nobody lives there; then nobody comes any more, unless something is handed over. */
    static boolean of(RemoteControlPlane plane) {
        try {
            return plane.vacate();
        } catch (StoreException e) {
            if (e.code() != ErrorCode.STORE_TOO_NEW) {
                throw e;
            }
            return plane.deployments().isEmpty(); // an older version, which nobody can stop
        }
    }
}
