package dev.tuna.spi;

/**
 * A cloud that rents GPU machines, on spare capacity and at list price, as a plugin found with
 * {@link java.util.ServiceLoader}.
 *
 * <p>The loaded class is stateless and cheap: a public constructor without parameters that does nothing, a name, and
 * {@link #open}.
 */
public interface SpotProvider {

    /**
     * The name by which requests choose this provider.
     *
     * @return lower-case letters, digits and hyphens, the same on every call
     */
    String name();

    /**
     * Opens the cloud. Must not contact it: missing settings or credentials show in {@link SpotCloud#preflight}.
     *
     * @param context settings, secrets, HTTP client, clock and journal
     * @return the working object; the caller closes it
     */
    SpotCloud open(ProviderContext context);
}
