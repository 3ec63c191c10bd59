package dev.tuna.spi;

/**
 * A serverless GPU cloud as a plugin, found with {@link java.util.ServiceLoader}.
 *
 * <p>The loaded class is stateless and cheap: a public constructor without parameters that does nothing, a name, and
 * {@link #open}. Everything that holds a connection or a thread belongs to the {@link ServerlessCloud} it opens.
 */
public interface ServerlessProvider {

    /**
     * The name by which requests choose this provider.
     *
     * @return lower-case letters, digits and hyphens, the same on every call
     */
    String name();

    /**
     * Opens the cloud. Must not contact it: missing settings or credentials show in {@link ServerlessCloud#preflight}.
     *
     * @param context settings, secrets, HTTP client, clock and journal
     * @return the working object; the caller closes it
     */
    ServerlessCloud open(ProviderContext context);
}
