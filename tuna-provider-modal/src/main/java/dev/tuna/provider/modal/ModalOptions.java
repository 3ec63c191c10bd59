package dev.tuna.provider.modal;

import dev.tuna.api.ConfigurationException;
import dev.tuna.provider.support.OptionReader;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a request, or else the installation, says about an app on Modal. Immutable.
 *
 * @param access {@code access}: {@code proxy_token} (default), where Modal refuses strangers before a container starts, or
 *     {@code engine_key}, where only the model server does
 * @param cpu {@code cpu}: cores to reserve; default Modal's, an eighth of one
 * @param memoryMib {@code memory_mib}: memory to reserve; default Modal's, 128 MiB
 * @param cloud {@code cloud}: whose machines, for instance {@code aws}; default any
 * @param startupTimeout {@code startup_timeout_seconds}: how long the model server may take to start; default 20 minutes
 * @param cacheVolume {@code cache_volume}: a volume of the user's own for weights and compiled code, which is never removed;
 *     default one for each deployment
 * @param python {@code add_python}: version of the Python that Modal adds to the image; default {@code 3.12}; {@code none}
 *     for an image that has {@code python} and {@code pip} itself
 */
record ModalOptions(
        Optional<Access> access,
        Optional<BigDecimal> cpu,
        OptionalInt memoryMib,
        Optional<String> cloud,
        Duration startupTimeout,
        Optional<String> cacheVolume,
        Optional<String> python) {

    private static final String ACCESS = "access";
    private static final String CPU = "cpu";
    private static final String MEMORY = "memory_mib";
    private static final String CLOUD = "cloud";
    private static final String STARTUP_TIMEOUT = "startup_timeout_seconds";
    private static final String CACHE_VOLUME = "cache_volume";
    private static final String ADD_PYTHON = "add_python";
    private static final List<String> KEYS =
            List.of(ACCESS, CPU, MEMORY, CLOUD, STARTUP_TIMEOUT, CACHE_VOLUME, ADD_PYTHON);

    /** Modal takes a function's limits up to a day. */
    private static final int LONGEST_START = 86_340;

    /**
     * Reads the options in force.
     *
     * @param settings the installation's
     * @param request the request's, which win
     * @throws ConfigurationException naming every option at fault
     */
    static ModalOptions of(Map<String, String> settings, Map<String, String> request) {
        var reader = new OptionReader(ModalProvider.NAME, KEYS, ModalSettings.KEYS, settings, request);
        Optional<String> access = reader.matching(ACCESS, "proxy_token|engine_key", "proxy_token or engine_key");
        Optional<String> cpu = reader.matching(CPU, "\\d{1,3}(\\.\\d{1,3})?", "a number of cores such as 4 or 0.5");
        Optional<String> memory = reader.matching(MEMORY, "[1-9]\\d{2,6}", "a number of MiB, 100 or more");
        Optional<String> cloud = reader.matching(CLOUD, "[a-z]{2,20}", "a cloud such as aws, gcp or oci");
        Optional<String> startup = reader.matching(STARTUP_TIMEOUT, "[1-9]\\d{0,4}", "a number of seconds");
        startup.ifPresent(seconds -> reader.check(
                Integer.parseInt(seconds) <= LONGEST_START, STARTUP_TIMEOUT, seconds, "at most " + LONGEST_START));
        Optional<String> volume = reader.matching(
                CACHE_VOLUME, "[A-Za-z0-9_.-]{1,64}", "the name of a volume, 1 to 64 letters, digits, '-', '_' or '.'");
        String python = reader.matching(ADD_PYTHON, "3\\.\\d{1,2}|none", "a version such as 3.12, or none")
                .orElse("3.12");
        reader.throwIfAny();
        return new ModalOptions(
                access.map(value -> value.equals("proxy_token") ? Access.PROXY_TOKEN : Access.ENGINE_KEY),
                cpu.map(BigDecimal::new),
                memory.map(mib -> OptionalInt.of(Integer.parseInt(mib))).orElseGet(OptionalInt::empty),
                cloud,
                startup.map(seconds -> Duration.ofSeconds(Integer.parseInt(seconds)))
                        .orElse(Duration.ofMinutes(20)),
                volume,
                Optional.of(python).filter(version -> !version.equals("none")));
    }
}
