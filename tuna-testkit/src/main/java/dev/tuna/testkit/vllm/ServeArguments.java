package dev.tuna.testkit.vllm;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Secret;
import dev.tuna.provider.support.vllm.VllmFlag;
import dev.tuna.provider.support.vllm.VllmFlags;
import dev.tuna.provider.support.vllm.VllmVersion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The arguments of {@code serve MODEL --option value ...}, read the way vLLM's parser reads them. */
final class ServeArguments {

    /** A command line that vLLM would refuse with exit status 2. */
    static final class UsageException extends Exception {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    private static final Pattern LENGTH = Pattern.compile("(\\d+(?:\\.\\d+)?)([kKmM]?)");
    private static final Pattern TIME = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|s|m)?");
    private static final Set<String> OWN_WITH_VALUE = Set.of(
            "standin-boot-time",
            "standin-boot-failure",
            "standin-ttft",
            "standin-tokens-per-second",
            "standin-capacity",
            "standin-version",
            "standin-keep-requests");
    private static final Set<String> OWN_SWITCHES =
            Set.of("standin-ignore-prompt-token-ids", "standin-exit-on-stdin-eof", "standin-environment-on-stdin");
    /** What {@code auto} finds room for. */
    private static final int AUTO_LENGTH = 4096;

    private final Map<String, List<String>> options = new LinkedHashMap<>();
    private final List<String> positional = new ArrayList<>();
    private final List<String> unknown = new ArrayList<>();

    private final VllmVersion version;

    private ServeArguments(VllmVersion version) {
        this.version = version;
    }

    static ServeArguments parse(String... arguments) throws UsageException {
        if (arguments.length == 0 || !arguments[0].equals("serve")) {
            String given = arguments.length == 0 ? "nothing" : "'" + arguments[0] + "'";
            throw new UsageException("argument subparser: invalid choice: " + given + " (choose from 'serve')");
        }
        ServeArguments parsed = new ServeArguments(version(arguments));
        for (int at = 1; at < arguments.length; ) {
            at = parsed.take(arguments, at);
        }
        if (parsed.positional.size() > 1) {
            parsed.unknown.addAll(parsed.positional.subList(1, parsed.positional.size()));
        }
        if (!parsed.unknown.isEmpty()) {
            throw new UsageException("unrecognized arguments: " + String.join(" ", parsed.unknown));
        }
        return parsed;
    }

    /** Takes the argument at a place and its values; the result is the place after them. */
    private int take(String[] arguments, int at) throws UsageException {
        String argument = arguments[at];
        String name = VllmFlags.nameIn(argument);
        if (name.isEmpty()) {
            positional.add(argument);
            return at + 1;
        }
        List<String> inline = VllmFlags.holdsValue(argument)
                ? List.of(argument.substring(argument.startsWith("-O") ? 2 : argument.indexOf('=') + 1))
                : List.of();
        Optional<VllmFlag.Values> takes = takes(argument, name);
        if (takes.isEmpty()) {
            unknown.add(argument);
            return at + 1;
        }
        switch (takes.get()) {
            case SWITCH, PAIR -> {
                if (!inline.isEmpty()) {
                    throw new UsageException(
                            "argument --" + name + ": ignored explicit argument '" + inline.get(0) + "'");
                }
                options.put(name, List.of());
            }
            case ONE, MANY -> {
                boolean many = takes.get() == VllmFlag.Values.MANY;
                List<String> values =
                        inline.isEmpty() ? values(arguments, at + 1, many ? Integer.MAX_VALUE : 1) : inline;
                if (values.isEmpty()) {
                    throw new UsageException(
                            "argument --" + name + ": expected " + (many ? "at least " : "") + "one argument");
                }
                options.put(name, values);
                return at + 1 + (inline.isEmpty() ? values.size() : 0);
            }
        }
        return at + 1;
    }

    /** How many values an option takes; empty if this version has no such option. */
    private Optional<VllmFlag.Values> takes(String argument, String name) {
        if (OWN_WITH_VALUE.contains(name)) {
            return Optional.of(VllmFlag.Values.ONE);
        }
        return OWN_SWITCHES.contains(name)
                ? Optional.of(VllmFlag.Values.SWITCH)
                : VllmFlags.find(argument).filter(flag -> flag.isIn(version)).map(VllmFlag::values);
    }

    /** The one that the stand-in is told to be, if it is told and that is one of vLLM's. */
    private static VllmVersion version(String... arguments) {
        int at = List.of(arguments).indexOf("--standin-version");
        try {
            return at < 0 || at + 1 == arguments.length ? VllmVersion.CURRENT : VllmVersion.parse(arguments[at + 1]);
        } catch (ConfigurationException e) {
            return VllmVersion.CURRENT;
        }
    }

    private static List<String> values(String[] arguments, int from, int atMost) {
        List<String> values = new ArrayList<>();
        for (int at = from; at < arguments.length && values.size() < atMost; at++) {
            if (VllmFlags.isOption(arguments[at])) {
                break;
            }
            values.add(arguments[at]);
        }
        return values;
    }

    /** The model server described, with {@code VLLM_API_KEY} standing in for an absent {@code --api-key}. */
    VllmStandInBuilder builder(Map<String, String> environment) throws UsageException {
        String model = positional.isEmpty() ? text("model", "stand-in/tiny") : positional.get(0);
        String key = environment.getOrDefault("VLLM_API_KEY", "");
        List<String> keys = options.getOrDefault("api-key", key.isEmpty() ? List.of() : List.of(key));
        try {
            VllmStandInBuilder builder = VllmStandIn.builder()
                    .host(text("host", "127.0.0.1"))
                    .port(number("port", 8000))
                    .model(model)
                    .servedModelNames(options.getOrDefault("served-model-name", List.of(model))
                            .toArray(String[]::new))
                    .apiKeys(keys.stream().map(Secret::of).toArray(Secret[]::new))
                    .maxModelLen(length())
                    .shutdownTimeout(time("shutdown-timeout"))
                    .keepAliveInterval(time("sse-keep-alive-interval"))
                    .requestIdHeaders(options.containsKey("enable-request-id-headers"))
                    .bootTime(time("standin-boot-time"))
                    .timeToFirstToken(time("standin-ttft"))
                    .tokensPerSecond(real("standin-tokens-per-second"))
                    .capacity(number("standin-capacity", number("max-num-seqs", 256)))
                    .keepRequests(number("standin-keep-requests", 100))
                    .honoursPromptTokenIds(!options.containsKey("standin-ignore-prompt-token-ids"));
            return options.containsKey("standin-version") ? builder.version(text("standin-version", "")) : builder;
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    /** The exit status to end with instead of listening, if told to. */
    Optional<Integer> bootFailure() throws UsageException {
        return options.containsKey("standin-boot-failure")
                ? Optional.of(number("standin-boot-failure", 1))
                : Optional.empty();
    }

    boolean findsEnvironmentOnStdin() {
        return options.containsKey("standin-environment-on-stdin");
    }

    boolean exitsOnStdinEof() {
        return options.containsKey("standin-exit-on-stdin-eof");
    }

    Duration bootTime() throws UsageException {
        return time("standin-boot-time");
    }

    private String text(String name, String otherwise) {
        return options.getOrDefault(name, List.of(otherwise)).get(0);
    }

    private int number(String name, int otherwise) throws UsageException {
        String value = text(name, Integer.toString(otherwise));
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw invalid(name, "int", value);
        }
    }

    private double real(String name) throws UsageException {
        String value = text(name, "0");
        try {
            return Double.parseDouble(value);
        } catch (NumberFormatException e) {
            throw invalid(name, "float", value);
        }
    }

    /** Like vLLM, {@code 8k} is 8000 and {@code 8K} is 8192. */
    private int length() throws UsageException {
        String value = text("max-model-len", "auto");
        if (value.equals("auto") || value.equals("-1")) {
            return AUTO_LENGTH;
        }
        Matcher length = LENGTH.matcher(value);
        if (!length.matches()) {
            throw invalid("max-model-len", "human_readable_int", value);
        }
        int unit = switch (length.group(2)) {
            case "k" -> 1000;
            case "K" -> 1 << 10;
            case "m" -> 1_000_000;
            case "M" -> 1 << 20;
            default -> 1;
        };
        return (int) (Double.parseDouble(length.group(1)) * unit);
    }

    /** Seconds, or a number with ms, s or m behind it. */
    private Duration time(String name) throws UsageException {
        String value = text(name, "0");
        Matcher time = TIME.matcher(value.toLowerCase(Locale.ROOT));
        if (!time.matches()) {
            throw invalid(name, "duration", value);
        }
        String unit = time.group(2) == null ? "s" : time.group(2);
        double seconds = unit.equals("ms") ? 0.001 : unit.equals("m") ? 60 : 1;
        return Duration.ofNanos((long) (Double.parseDouble(time.group(1)) * seconds * 1e9));
    }

    private static UsageException invalid(String name, String type, String value) {
        return new UsageException("argument --" + name + ": invalid " + type + " value: '" + value + "'");
    }
}
