package dev.tuna.examples.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code docs/parity.md} lists every row, and every test that it names is there. */
class ParityPageTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern ROW = Pattern.compile("\\| ([A-Z]-[0-9]{2}) \\| .*");
    private static final Pattern TEST = Pattern.compile("`(\\w+)#(\\w+)`");

    private static List<String> page() throws IOException {
        return Files.readAllLines(ROOT.resolve("docs/parity.md"));
    }

    private static List<String> expected() {
        return Stream.of(
                        numbered("C", 1, 14),
                        Stream.of("C-18", "C-19"),
                        numbered("F", 1, 18),
                        numbered("F", 30, 32),
                        numbered("E", 1, 14),
                        Stream.of("E-16"),
                        numbered("S", 1, 8),
                        numbered("T", 1, 12),
                        numbered("X", 1, 3),
                        numbered("M", 1, 8),
                        numbered("U", 1, 4))
                .flatMap(each -> each)
                .toList();
    }

    private static Stream<String> numbered(String area, int from, int to) {
        return IntStream.rangeClosed(from, to).mapToObj(number -> "%s-%02d".formatted(area, number));
    }

    @Test
    void everyRowIsListedOnce() throws IOException {
        List<String> listed = page().stream()
                .map(ROW::matcher)
                .filter(row -> row.matches())
                .map(row -> row.group(1))
                .toList();
        assertThat(listed).containsExactlyElementsOf(expected());
    }

    @Test
    void everyRowNamesATestAndEveryNamedTestExists() throws IOException {
        var sources = new TreeMap<String, List<String>>();
        try (Stream<Path> files = Files.walk(ROOT)) {
            for (Path file : files.filter(ParityPageTest::isTest).toList()) {
                sources.computeIfAbsent(file.getFileName().toString().replace(".java", ""), name -> new ArrayList<>())
                        .add(Files.readString(file));
            }
        }
        for (String line : page()) {
            if (ROW.matcher(line).matches()) {
                List<String> missing = TEST.matcher(line)
                        .results()
                        .filter(test -> sources.getOrDefault(test.group(1), List.of()).stream()
                                .noneMatch(source -> source.contains("void " + test.group(2) + "(")))
                        .map(test -> test.group())
                        .toList();
                assertThat(missing).as(line).isEmpty();
                assertThat(TEST.matcher(line).find()).as(line).isTrue();
            }
        }
    }

    private static boolean isTest(Path file) {
        String name = file.toString();
        return name.contains("/src/test/java/") && (name.endsWith("Test.java") || name.endsWith("IT.java"));
    }
}
