package dev.tuna.router;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.router.stream.Method;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What can be set and what can be seen has its place in the documentation. */
class DocumentationTest {

    static Stream<String> names() {
        return Stream.of(
                        options(RoutePolicy.class, ""),
                        options(RouterConfig.class, ""),
                        Stream.of(BackendFailure.values())
                                .map(failure -> failure.name().toLowerCase(Locale.ROOT)),
                        Stream.of(Method.values()).map(Method::label))
                .flatMap(names -> names);
    }

    /** The components of a record; of those that are groups of options, theirs. */
    private static Stream<String> options(Class<?> type, String prefix) {
        return Stream.of(type.getRecordComponents())
                .flatMap(option -> isGroup(option)
                        ? options(option.getType(), option.getName() + ".")
                        : Stream.of(prefix + option.getName()));
    }

    private static boolean isGroup(RecordComponent option) {
        return option.getType().isRecord() && option.getType().getEnclosingClass() == RoutePolicy.class;
    }

    @ParameterizedTest
    @MethodSource("names")
    void isDocumented(String name) throws IOException {
        assertThat(Files.readString(Path.of("..", "docs", "router.md")))
                .as("%s in a table of docs/router.md", name)
                .containsPattern("(?m)^\\|.*`" + name.replace(".", "\\.") + "`");
    }
}
