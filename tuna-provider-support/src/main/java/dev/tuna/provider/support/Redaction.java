package dev.tuna.provider.support;

import dev.tuna.api.Secret;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes secrets out of text that others wrote (error bodies, log lines of a container) before it is quoted.
 *
 * <p>Hidden are the known secrets, also percent-encoded, in Base64 and inside JSON strings, and whatever looks like one:
 * bearer and basic credentials, values of fields named like a key, token, password or signature, well-known key
 * prefixes, private keys, the query and user part of URLs, and long random words. It rather hides too much than too
 * little. Immutable.
 */
public final class Redaction {

    private static final String MASK = "***";

    /** Shorter known values would blank out ordinary words; no provider issues keys this short. */
    private static final int SHORTEST_KNOWN = 4;

    private static final List<Rule> RULES = List.of(
            new Rule(
                    "(?s)-----BEGIN (?:[A-Z]++ ){0,3}?PRIVATE KEY-----.*?(?:-----END (?:[A-Z]++ ){0,3}?PRIVATE KEY-----|\\z)",
                    MASK),
            new Rule("(?i)\\b(https?+://)[^\\s/@\"'<>?#]++@", "$1" + MASK + "@"),
            new Rule("(?i)\\b(https?+://[^\\s\"'<>?#\\\\]++)\\?[^\\s\"'<>\\\\]++", "$1?" + MASK),
            new Rule("(?i)\\b(bearer|basic)(\\s++|%20)[^\\s\"'<>,;\\\\]{4,}+", "$1$2" + MASK),
            new Rule(
                    "(?i)((?:key|token|secret|passwd|password|credentials?|signature|authorization|\\bsig)"
                            + "(?:\\\\?+[\"'])?+\\s*+[:=]\\s*+(?:\\\\?+[\"'])?+)(?!\\*\\*\\*|bearer\\b|basic\\b)"
                            + "[^\\s\"'\\\\,;&<>(){}\\[\\]]{6,}+",
                    "$1" + MASK),
            new Rule(
                    "\\b(?:sk|pk|rk|ak|as|wk|ws|hf|rpa|ghp|gho|ghs|glpat|xox[abprs]|github_pat|ya29)[-_.]"
                            + "[A-Za-z0-9_.-]{10,}+",
                    MASK),
            new Rule("\\b(?:AKIA|ASIA)[A-Z0-9]{12,}+|\\bAIza[A-Za-z0-9_-]{20,}+", MASK),
            new Rule("\\beyJ[A-Za-z0-9_-]{8,}+\\.[A-Za-z0-9_-]++(?:\\.[A-Za-z0-9_-]*+)?", MASK),
            new Rule("(?<![A-Za-z0-9+/=_-])(?=[A-Za-z+/_-]*+[0-9])[A-Za-z0-9+/_-]{40,}+={0,2}+", MASK));

    private final List<String> known;

    private Redaction(List<String> known) {
        this.known = known;
    }

    /**
     * Hides given secrets and what looks like one.
     *
     * @param secrets known secrets; each word of a value such as {@code Bearer abc} is hidden on its own too
     * @return a redaction
     */
    public static Redaction of(Collection<Secret> secrets) {
        // Longest first: a secret that contains another must not leave its tail behind.
        Set<String> forms = new TreeSet<>(
                Comparator.comparingInt(String::length).reversed().thenComparing(Comparator.naturalOrder()));
        for (Secret secret : secrets) {
            addForms(secret.reveal(), forms);
            for (String word : secret.reveal().split("\\s+")) {
                addForms(word, forms);
            }
        }
        return new Redaction(List.copyOf(forms));
    }

    /**
     * The text without secrets.
     *
     * @param text anything
     * @return the same text with {@code ***} in place of each secret
     */
    public String redact(String text) {
        String redacted = text;
        for (String form : known) {
            redacted = redacted.replace(form, MASK);
        }
        for (Rule rule : RULES) {
            redacted = rule.apply(redacted);
        }
        return redacted;
    }

    /**
     * A short quotation without secrets, on one line.
     *
     * @param text anything
     * @param maxLength characters at the most, 1 or more; a longer text ends in an ellipsis
     * @return the quotation; empty if the text is blank
     */
    public String quote(String text, int maxLength) {
        // Redacted before it is cut: half a secret is not recognised any more.
        String line = redact(text).strip().replaceAll("\\s+", " ");
        return line.length() <= maxLength ? line : line.substring(0, maxLength - 1) + "…";
    }

    private static void addForms(String value, Set<String> forms) {
        if (value.length() < SHORTEST_KNOWN || isScheme(value)) {
            return;
        }
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        forms.add(value);
        forms.add(URLEncoder.encode(value, StandardCharsets.UTF_8));
        forms.add(value.replace("\\", "\\\\").replace("\"", "\\\""));
        forms.add(Base64.getEncoder().withoutPadding().encodeToString(bytes));
        forms.add(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
    }

    private static boolean isScheme(String word) {
        return word.equalsIgnoreCase("Bearer") || word.equalsIgnoreCase("Basic") || word.equalsIgnoreCase("Token");
    }

    private record Rule(Pattern pattern, String replacement) {

        Rule(String regex, String replacement) {
            this(Pattern.compile(regex), replacement);
        }

        String apply(String text) {
            Matcher matcher = pattern.matcher(text);
            return matcher.find() ? matcher.replaceAll(replacement) : text;
        }
    }
}
