package dev.tuna.core.config;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.Tier;
import dev.tuna.core.catalog.GpuNames;
import dev.tuna.core.catalog.Price;
import dev.tuna.core.text.Suggestions;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * Prices of the user's own as a YAML file.
 *
 * <pre>{@code
 * prices:
 *   - provider: runpod            # a serverless container
 *     gpu: H100
 *     gpu_count: 2                # default 1
 *     usd_per_hour: 7.80
 *   - provider: aws               # a rented machine
 *     machine_type: g6.xlarge
 *     tier: on_demand             # or spot
 *     region: us-east-1           # default everywhere
 *     usd_per_hour: 0.61
 * }</pre>
 *
 * <p>Prices are for the whole container or machine. Everything wrong with a file is reported at once, each thing with file,
 * line, key, value and what is allowed. Pure but for the reading of files.
 */
public final class PricesYaml {

    private static final String SUBJECT = "prices";
    private static final List<String> KEYS =
            List.of("provider", "gpu", "gpu_count", "machine_type", "tier", "region", "usd_per_hour");
    private static final Pattern COUNT = Pattern.compile("[1-9][0-9]{0,3}");
    private static final Pattern MONEY = Pattern.compile("[0-9]{1,9}(\\.[0-9]{1,9})?");

    private final FileProblems problems;

    private PricesYaml(String source) {
        this.problems = new FileProblems(source);
    }

    /**
     * Reads a file.
     *
     * @param file a UTF-8 file; an empty one says nothing
     * @return the prices, in its order
     * @throws ConfigurationException if the file cannot be read, or naming everything that is wrong with it
     */
    public static List<Price> read(Path file) {
        return read(YamlText.read(file, SUBJECT + " file"), file.toString());
    }

    /**
     * Reads a text.
     *
     * @param text the YAML text; an empty one says nothing
     * @param sourceName what to call it in errors
     * @return the prices, in its order
     * @throws ConfigurationException naming everything that is wrong with it
     */
    public static List<Price> read(String text, String sourceName) {
        var reader = new PricesYaml(sourceName);
        var prices = new ArrayList<Price>();
        YamlText.parse(text, reader.problems).ifPresent(root -> reader.fill(prices, root));
        reader.problems.throwIfAny(SUBJECT);
        return List.copyOf(prices);
    }

    private void fill(List<Price> prices, Node root) {
        for (YamlSection.Entry entry : YamlSection.entries(root, "", List.of("prices"), Map.of(), problems)) {
            if (entry.value() instanceof SequenceNode list) {
                list.getValue().forEach(node -> new Item(node).price().ifPresent(prices::add));
            } else {
                problems.add(entry.line(), "prices is " + YamlSection.describe(entry.value()) + " but must be a list");
            }
        }
    }

    /** One price. */
    private final class Item {
        private final int line;
        private final Map<String, Node> values = new HashMap<>();

        Item(Node node) {
            line = YamlText.line(node);
            YamlSection.entries(node, "prices.", KEYS, Map.of(), problems)
                    .forEach(entry -> values.put(entry.name(), entry.value()));
        }

        Optional<Price> price() {
            Optional<String> provider = required("provider", "a provider's name");
            Optional<BigDecimal> usd = required("usd_per_hour", "dollars per hour, 0 or more")
                    .flatMap(text -> matching("usd_per_hour", text, MONEY, "dollars per hour, 0 or more, such as 0.61"))
                    .map(BigDecimal::new);
            boolean container = values.containsKey("gpu");
            if (container == values.containsKey("machine_type")) {
                problems.add(line, "a price is of a container, with gpu, or of a machine, with machine_type: give one");
                return Optional.empty();
            }
            Optional<Price> price = container ? ofContainer(provider, usd) : ofMachine(provider, usd);
            return price.map(found -> text("region").map(found::in).orElse(found));
        }

        private Optional<Price> ofContainer(Optional<String> provider, Optional<BigDecimal> usd) {
            refuse("tier", "a container is serverless; remove it, or give machine_type instead of gpu");
            Optional<String> gpu = text("gpu");
            gpu.filter(name -> GpuNames.find(name).isEmpty())
                    .ifPresent(name -> problems.add(
                            line,
                            "prices.gpu is '" + name + "', which is no known GPU; "
                                    + Suggestions.didYouMean(
                                            name,
                                            GpuNames.all().stream()
                                                    .map(spec -> spec.name())
                                                    .toList())));
            Optional<Integer> count = text("gpu_count")
                    .or(() -> Optional.of("1"))
                    .flatMap(text -> matching("gpu_count", text, COUNT, "a whole number from 1"))
                    .map(Integer::valueOf);
            return provider.flatMap(who -> gpu.flatMap(
                    name -> count.flatMap(many -> usd.map(money -> Price.ofContainer(who, name, many, money)))));
        }

        private Optional<Price> ofMachine(Optional<String> provider, Optional<BigDecimal> usd) {
            refuse("gpu_count", "a machine type says how many GPUs there are; remove it");
            Optional<Tier> tier = required("tier", "spot or on_demand").flatMap(this::tier);
            return provider.flatMap(who -> text("machine_type")
                    .flatMap(
                            type -> tier.flatMap(terms -> usd.map(money -> Price.ofMachine(who, terms, type, money)))));
        }

        private Optional<Tier> tier(String text) {
            return switch (text) {
                case "spot" -> Optional.of(Tier.SPOT);
                case "on_demand" -> Optional.of(Tier.ON_DEMAND);
                default -> {
                    wrong("tier", text, "spot or on_demand");
                    yield Optional.empty();
                }
            };
        }

        private Optional<String> required(String key, String allowed) {
            Optional<String> text = text(key);
            if (!values.containsKey(key)) {
                problems.add(line, "prices." + key + " is missing; give " + allowed);
            }
            return text;
        }

        private Optional<String> text(String key) {
            Node node = values.get(key);
            if (node instanceof ScalarNode scalar && !scalar.getValue().isBlank()) {
                return Optional.of(scalar.getValue().strip());
            }
            if (node != null) {
                wrong(key, YamlSection.describe(node), "one value");
            }
            return Optional.empty();
        }

        private Optional<String> matching(String key, String text, Pattern form, String allowed) {
            if (!form.matcher(text).matches()) {
                wrong(key, text, allowed);
                return Optional.empty();
            }
            return Optional.of(text);
        }

        private void wrong(String key, String value, String allowed) {
            problems.add(line, "prices." + key + " is '" + value + "' but must be " + allowed);
        }

        private void refuse(String key, String why) {
            if (values.containsKey(key)) {
                problems.add(line, "prices." + key + " does not go with the rest: " + why);
            }
        }
    }
}
