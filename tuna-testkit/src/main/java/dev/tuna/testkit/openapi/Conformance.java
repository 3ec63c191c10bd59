package dev.tuna.testkit.openapi;

import dev.tuna.testkit.vendor.VendorExchange;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a check of exchanges against a vendor's document found.
 *
 * @param checked exchanges that were checked
 * @param violations one sentence for each
 * @param skipped why nothing was checked; empty if something was
 */
public record Conformance(int checked, List<String> violations, String skipped) {

    /** Where the documents are: the directory {@code specs} of this one. */
    public static final String DIRECTORY_PROPERTY = "tuna.shared";

    private static final Logger LOG = LoggerFactory.getLogger(Conformance.class);

    /** Copies the list. */
    public Conformance {
        violations = List.copyOf(violations);
        Objects.requireNonNull(skipped, "skipped");
    }

    /**
     * Checks exchanges. The result is logged as a warning, so that a build shows it.
     *
     * @param document file name of the vendor's document
     * @param exchanges what went over the wire
     * @param described which of them the document is about
     * @return what was found
     * @throws IOException if the document is there and cannot be read
     */
    public static Conformance of(
            String document, Collection<VendorExchange> exchanges, Predicate<VendorExchange> described)
            throws IOException {
        Path file = directory().resolve("specs").resolve(document);
        var read = OpenApiDocument.read(file);
        if (read.isEmpty()) {
            String reason = "there is no " + document + " in " + file.getParent() + "; set -D" + DIRECTORY_PROPERTY;
            LOG.warn("conformance with {} not checked: {}", document, reason);
            return new Conformance(0, List.of(), reason);
        }
        List<VendorExchange> subject = exchanges.stream().filter(described).toList();
        List<String> violations = subject.stream()
                .flatMap(exchange -> read.get().violations(exchange).stream())
                .distinct()
                .toList();
        LOG.warn(
                "conformance with {}: {} exchanges checked, {} violations",
                document,
                subject.size(),
                violations.size());
        return new Conformance(subject.size(), violations, "");
    }

    /** Beside the project, unless a property says otherwise. */
    private static Path directory() {
        String given = System.getProperty(DIRECTORY_PROPERTY, "");
        Path module = Path.of("").toAbsolutePath();
        Path project = Objects.requireNonNullElse(module.getParent(), module);
        return given.isEmpty() ? project.resolveSibling("shared") : Path.of(given);
    }
}
