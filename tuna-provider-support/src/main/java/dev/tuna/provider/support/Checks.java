package dev.tuna.provider.support;

import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.SecretRef;
import dev.tuna.api.TunaException;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.SecretStore;
import java.util.Optional;
import java.util.stream.Stream;

/** Checks that every provider makes alike. Pure but for looking into the secret store. */
public final class Checks {

    private Checks() {}

    /**
     * The secrets that an engine is to have and that are not there.
     *
     * @param engine what is to run
     * @param secrets where they should be
     * @return a failed check {@code secret_present} for each, by name
     */
    public static Stream<Check> missingSecrets(EngineSpec engine, SecretStore secrets) {
        return engine.secrets().values().stream()
                .distinct()
                .filter(ref -> secrets.get(ref).isEmpty())
                .map(SecretRef::name)
                .sorted()
                .map(name -> Check.failed(
                        "secret_present",
                        "there is no secret '" + name + "'",
                        "put '" + name + "' into the secret store"));
    }

    /**
     * Whether there is a key for the provider's API.
     *
     * @param present whether one was found
     * @param secret the secret it is looked for in
     * @param variable the environment variable it is looked for in otherwise
     * @param page where keys are made
     * @return the check {@code api_key_present}
     */
    public static Check apiKey(boolean present, SecretRef secret, String variable, String page) {
        return present
                ? Check.passed("api_key_present", "there is an API key")
                : Check.failed(
                        "api_key_present",
                        "neither the secret '" + secret.name() + "' nor the variable " + variable + " holds an API key",
                        "export " + variable + "=… with a key from " + page);
    }

    /**
     * A check that could not be made or did not pass: what passes by itself is unknown, what does not is a failure.
     *
     * @param name the check's
     * @param e what came instead of an answer
     * @param fix one command or page
     * @return the check
     */
    public static Check failed(String name, TunaException e, String fix) {
        return new Check(
                name,
                e.retryable() ? Outcome.UNKNOWN : Outcome.FAILED,
                String.valueOf(e.getMessage()),
                Optional.of(fix));
    }
}
