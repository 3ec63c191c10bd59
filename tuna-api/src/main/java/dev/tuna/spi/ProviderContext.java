package dev.tuna.spi;

import java.net.http.HttpClient;
import java.time.InstantSource;
import java.util.Map;

/** What a plugin is given to work with. Everything in it is owned by the caller; a plugin closes none of it. */
public interface ProviderContext {

    /**
     * The installation on whose behalf the plugin works; goes into the tag or label {@code tuna-owner} of everything
     * the plugin makes.
     *
     * @return lower-case letters and digits, at most 32, the same over restarts
     */
    String ownerId();

    /**
     * Settings of this installation for this provider; a request's own options come with its spec and win.
     *
     * @return key to value, may be empty
     */
    Map<String, String> settings();

    /**
     * Where credentials are looked up and where secrets that the plugin makes are put.
     *
     * @return the store
     */
    SecretStore secrets();

    /**
     * A client for every call to the provider's API.
     *
     * @return a shared client
     */
    HttpClient http();

    /**
     * The only source of time that a plugin may use.
     *
     * @return the clock
     */
    InstantSource clock();

    /**
     * Where every outside resource is declared before it is made.
     *
     * @return the journal
     */
    Journal journal();
}
