package dev.tuna.spi;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import java.util.List;
import java.util.Optional;

/** Where secrets live; everything else holds references. Thread-safe. */
public interface SecretStore {

    /**
     * Looks a secret up.
     *
     * @param ref its name
     * @return the secret; empty if there is none
     * @throws dev.tuna.api.StoreException if the store cannot be read
     */
    Optional<Secret> get(SecretRef ref);

    /**
     * Stores a secret durably, replacing one of the same name.
     *
     * @param ref its name
     * @param secret the value
     * @throws dev.tuna.api.StoreException if the store cannot be written; the old value then stands
     */
    void put(SecretRef ref, Secret secret);

    /**
     * Removes a secret; one that does not exist is no error.
     *
     * @param ref its name
     * @throws dev.tuna.api.StoreException if the store cannot be written
     */
    void remove(SecretRef ref);

    /**
     * Which secrets there are: needed only when a deployment is handed over to another controller, with what is kept for it.
     * What a plugin keeps for one deployment has a name that begins with {@code <provider>/<deployment>/}.
     *
     * @param prefix what names begin with
     * @return their names, in no particular order
     * @throws UnsupportedOperationException unless the store can tell, as by default
     * @throws dev.tuna.api.StoreException if the store cannot be read
     */
    default List<SecretRef> names(String prefix) {
        throw new UnsupportedOperationException(getClass().getName() + " cannot tell the names of its secrets");
    }
}
