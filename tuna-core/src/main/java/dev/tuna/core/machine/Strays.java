package dev.tuna.core.machine;

import dev.tuna.api.TunaException;
import dev.tuna.core.control.Stray;
import java.util.List;

/** What a machine that is gone has made at the providers. */
public interface Strays {

    /**
     * What was found.
     *
     * @param anything whether anything of the deployment runs, be it known or not
     * @param unknown what runs and the store does not know
     */
    record Left(boolean anything, List<Stray> unknown) {

        /** Copies the list. */
        public Left {
            unknown = List.copyOf(unknown);
        }
    }

    /**
     * Looks for it.
     *
     * @param name the deployment that it was made for
     * @return what runs
     * @throws TunaException if a cloud that is used cannot be searched; to be tried again
     */
    Left of(String name);

    /**
     * Removes something.
     *
     * @param stray what nobody has use for
     */
    void remove(Stray stray);
}
