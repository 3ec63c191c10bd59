package dev.tuna.provider.modal;

import dev.tuna.api.Secret;
import dev.tuna.spi.LogLine;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is asked of Modal. Each call may start a process, which is dear: ask seldom. All throw {@link
 * dev.tuna.api.ProviderException} for refusals and where Modal cannot be reached. Thread-safe.
 */
interface ModalApi {

    /** The version of Modal's client, for instance {@code 1.5.4}. */
    String version();

    /** Whose token is used, in a few words. */
    String account();

    /** The environments of the workspace. */
    List<String> environments();

    /** Every app that runs, is deployed or was stopped not long ago. */
    List<App> apps();

    /** The tag of an app's newest version; empty if it has none or there is no such app. */
    Optional<String> newestTag(String app);

    /** Where the function of an app is reached; empty if there is no such app. */
    Optional<URI> webUrl(String app);

    /**
     * Starts to deploy and does not wait.
     *
     * @param script the Python file
     * @param tag the version's tag
     * @param variables what the script needs to be told in its environment
     * @param log where everything is written that the deployment says
     * @return the process, which outlives this JVM
     */
    Process deploy(Path script, String tag, Map<String, Secret> variables, Path log);

    /** Stops an app for good; one that is not there or has been stopped is no error. */
    void stop(String appId);

    /** Every volume. */
    List<Volume> volumes();

    /** Deletes a volume with all that is in it; one that is not there is no error. */
    void deleteVolume(String name);

    /** Makes a proxy token: {@code wk-….ws-…}. */
    Secret createProxyToken();

    /** The ids of the workspace's proxy tokens. */
    List<String> proxyTokens();

    /** What things cost, dollars an hour by a name of Modal's choice. */
    Map<String, BigDecimal> rates();

    /** The newest lines of an app's log, oldest first; none if there is no such app. */
    List<LogLine> logs(String app, int lines);

    /** Removes a directory of a volume with all that is in it; one that is not there is no error. */
    void clear(String volume, String directory);
}
