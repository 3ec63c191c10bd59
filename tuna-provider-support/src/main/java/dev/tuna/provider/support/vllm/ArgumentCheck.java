package dev.tuna.provider.support.vllm;

import static java.util.Map.entry;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.spi.EngineSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds everything in an engine that the command line cannot say. Confined to one thread. */
final class ArgumentCheck {

    private static final String PLAIN_HTTP = "the router reaches the engine over plain HTTP at the root path";

    /** What Tuna sets itself, and what to set in its place. */
    private static final Map<String, String> OWN = Map.ofEntries(
            entry("model", "set model in the request"),
            entry("served-model-name", "leave it out: answers carry the same name on every tier"),
            entry("host", "leave it out: Tuna chooses the address"),
            entry("port", "leave it out: Tuna chooses the address"),
            entry("max-model-len", "set maxModelLen"),
            entry("tensor-parallel-size", "set tpSize"),
            entry("quantization", "set quantization"),
            entry("enforce-eager", "set coldStartMode"),
            entry("shutdown-timeout", "leave it out: it follows from how the machine is told to end"),
            entry("api-key", "leave it out: Tuna makes the key and passes it in " + VllmCommand.API_KEY_VARIABLE),
            entry("hf-token", "put the token into secrets as HF_TOKEN: command lines can be read by others"),
            entry("uds", "leave it out: " + PLAIN_HTTP),
            entry("root-path", "leave it out: " + PLAIN_HTTP),
            entry("ssl-keyfile", "leave it out: " + PLAIN_HTTP),
            entry("ssl-certfile", "leave it out: " + PLAIN_HTTP),
            entry("headless", "leave it out: " + PLAIN_HTTP),
            entry("grpc", "leave it out: " + PLAIN_HTTP));

    private final EngineSpec engine;
    private final VllmVersion version;
    private final List<String> problems = new ArrayList<>();

    ArgumentCheck(EngineSpec engine, VllmVersion version) {
        this.engine = engine;
        this.version = version;
    }

    void run() {
        if (engine.model().startsWith("-")) {
            problems.add("model is '" + engine.model() + "' but must not begin with a hyphen");
        }
        if (engine.secrets().containsKey(VllmCommand.API_KEY_VARIABLE)) {
            problems.add("secrets has '" + VllmCommand.API_KEY_VARIABLE + "', which Tuna sets itself; leave it out");
        }
        Precision.impossible(engine)
                .ifPresent(dtype -> problems.add("engineArguments ask for --dtype " + dtype + ", which " + engine.gpu()
                        + " cannot compute with; use half or leave it out"));
        checkArguments();
        if (!problems.isEmpty()) {
            throw new ConfigurationException(ErrorCode.INVALID_REQUEST, "vLLM " + version, problems);
        }
    }

    private void checkArguments() {
        int values = 0;
        for (String word : engine.arguments()) {
            if (!VllmFlags.isOption(word)) {
                if (values == 0) {
                    problems.add("engineArguments has '" + word + "', which belongs to no option; "
                            + "write each option and each of its values as one word");
                }
                values = Math.max(0, values - 1);
            } else {
                Optional<VllmFlag> flag = VllmFlags.find(word);
                check(word, flag);
                values = VllmFlags.holdsValue(word)
                        ? 0
                        : flag.map(ArgumentCheck::values).orElse(Integer.MAX_VALUE);
            }
        }
    }

    private static int values(VllmFlag flag) {
        return switch (flag.values()) {
            case SWITCH, PAIR -> 0;
            case ONE -> 1;
            case MANY -> Integer.MAX_VALUE;
        };
    }

    private void check(String word, Optional<VllmFlag> found) {
        String option = word.replaceFirst("(?s)=.*", "");
        String own = OWN.get(found.map(VllmFlag::name).orElse(""));
        if (own != null) {
            problems.add("engineArguments has '" + option + "', which Tuna sets itself; " + own);
        } else if (found.isEmpty()) {
            checkUnknown(option);
        } else if (!found.get().isIn(version)) {
            checkGone(option, found.get());
        } else if (word.contains("=") && values(found.get()) == 0) {
            problems.add("engineArguments has '" + word + "' but " + option + " takes no value; write " + option
                    + (found.get().values() == VllmFlag.Values.PAIR
                            ? " or --no-" + found.get().name()
                            : ""));
        }
    }

    /** An image of the user's own, or a release later than the table, may know more. */
    private void checkUnknown(String option) {
        if (engine.containerImage().isEmpty() && !VllmVersion.CURRENT.isBefore(version)) {
            problems.add("engineArguments has '" + option
                    + "', which is no option of vllm serve; correct it, or leave it out");
        }
    }

    private void checkGone(String option, VllmFlag flag) {
        String when = version.isBefore(flag.since())
                ? "came with " + flag.since()
                : "is gone since " + flag.until().orElseThrow();
        problems.add("engineArguments has '" + option + "', which " + when + "; " + flag.instead());
    }
}
