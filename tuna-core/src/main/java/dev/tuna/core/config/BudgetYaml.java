package dev.tuna.core.config;

import dev.tuna.api.Budget;
import dev.tuna.api.Budget.Action;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;

/**
 * Reads the section {@code budget} of a scaling policy in YAML. Its keys are {@code usd_per_hour}, {@code usd_per_day}, {@code
 * usd_per_month} (numbers above 0) and {@code action} ({@code warn}, {@code stop_scaling}, {@code serverless_only} or {@code
 * refuse}); each may be left out.
 */
public final class BudgetYaml {

    static final String SECTION = "budget";
    private static final String SUBJECT = "budget";
    private static final List<String> KEYS = List.of("usd_per_hour", "usd_per_day", "usd_per_month", "action");
    private static final Pattern AMOUNT = Pattern.compile("[0-9]{1,12}(\\.[0-9]{1,6})?");
    private static final List<String> SECTIONS = List.of("spot", "serverless", SECTION);

    private BudgetYaml() {}

    /**
     * Reads a file.
     *
     * @param file a scaling policy
     * @return its budget; {@link Budget#NONE} if it has no such section
     * @throws dev.tuna.api.ConfigurationException {@code INVALID_REQUEST} naming every problem with file and line
     */
    public static Budget read(Path file) {
        return read(YamlText.read(file, "scaling policy file"), file.toString());
    }

    /**
     * Reads a text.
     *
     * @param text a scaling policy
     * @param sourceName names the text in errors
     * @return its budget; {@link Budget#NONE} if it has no such section
     * @throws dev.tuna.api.ConfigurationException {@code INVALID_REQUEST} naming every problem with source and line
     */
    public static Budget read(String text, String sourceName) {
        var problems = new FileProblems(sourceName);
        Budget budget = YamlText.parse(text, problems)
                .map(root -> YamlSection.entries(root, "", SECTIONS, Map.of(), problems))
                .orElse(List.of())
                .stream()
                .filter(section -> section.name().equals(SECTION))
                .findFirst()
                .map(section -> budget(section, problems))
                .orElse(Budget.NONE);
        problems.throwIfAny(SUBJECT);
        return budget;
    }

    /** Reads the section; what is wrong goes to the problems, and what is right is returned all the same. */
    static Budget budget(YamlSection.Entry section, FileProblems problems) {
        Budget.Builder budget = Budget.builder();
        for (YamlSection.Entry entry : YamlSection.entries(section.value(), SECTION + ".", KEYS, Map.of(), problems)) {
            boolean understood = switch (entry.name()) {
                case "usd_per_hour" ->
                    amount(entry.value()).map(budget::usdPerHour).isPresent();
                case "usd_per_day" ->
                    amount(entry.value()).map(budget::usdPerDay).isPresent();
                case "usd_per_month" ->
                    amount(entry.value()).map(budget::usdPerMonth).isPresent();
                default -> action(entry.value()).map(budget::action).isPresent();
            };
            if (!understood) {
                String allowed = entry.name().equals("action")
                        ? "one of " + String.join(", ", actions())
                        : "a number of US dollars above 0";
                problems.add(
                        entry.line(),
                        SECTION + "." + entry.name() + " is " + YamlSection.describe(entry.value()) + " but must be "
                                + allowed);
            }
        }
        return budget.build();
    }

    private static Optional<BigDecimal> amount(Node node) {
        return text(node).filter(AMOUNT.asMatchPredicate()).map(BigDecimal::new).filter(usd -> usd.signum() > 0);
    }

    private static Optional<Action> action(Node node) {
        return text(node)
                .flatMap(name -> Arrays.stream(Action.values())
                        .filter(action -> name(action).equals(name))
                        .findFirst());
    }

    private static List<String> actions() {
        var names = new ArrayList<String>();
        for (Action action : Action.values()) {
            names.add(name(action));
        }
        return names;
    }

    private static String name(Action action) {
        return action.name().toLowerCase(Locale.ROOT);
    }

    private static Optional<String> text(Node node) {
        return YamlText.scalar(node).map(ScalarNode::getValue);
    }
}
