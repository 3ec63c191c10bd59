package dev.tuna.examples.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.examples.terminal.Terminal;
import dev.tuna.testkit.cloud.LocalCloud;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The screens in {@code docs/command.md} are what the command prints, figures aside. With {@code -Dtuna.screens=write} the page
 * is written anew.
 */
class ScreensIT {

    private static final Path PAGE = Path.of("..", "docs", "command.md");
    private static final String DEPLOY = "deploy --model Qwen/Qwen3-0.6B --gpu L4 --service-name chat"
            + " --serverless-provider local --spots-cloud local-spot";

    @TempDir
    private Path state;

    private final CompletableFuture<Void> interrupted = new CompletableFuture<>();

    private void run(ByteArrayOutputStream screen, LocalCloud cloud, CompletableFuture<Void> end, String line) {
        var stream = new PrintStream(screen, true, StandardCharsets.UTF_8);
        Map<String, String> environment = Map.of(
                "TUNA_STATE_DIR",
                state.toString(),
                "TUNA_LOCAL_CLOUD",
                cloud.uri().toString());
        var session = new Session(
                stream,
                stream,
                Terminal.PLAIN,
                new BufferedReader(new StringReader("")),
                environment,
                end,
                Interrupts.UNASKED);
        int exitCode = TunaCli.run(session, line.split(" "));
        assertThat(exitCode).as(line + ": " + text(screen)).isZero();
    }

    private String screen(LocalCloud cloud, String line) {
        var screen = new ByteArrayOutputStream();
        run(screen, cloud, new CompletableFuture<>(), line);
        return text(screen);
    }

    private static String text(ByteArrayOutputStream screen) {
        return screen.toString(StandardCharsets.UTF_8)
                .replaceAll("127\\.0\\.0\\.1:[0-9]+", "127.0.0.1:8080")
                .replaceAll("key {7}\\S+", "key       sk-...")
                .replaceAll("Bearer [\\w-]+", "Bearer sk-...")
                .strip();
    }

    private Map<String, String> screens() throws Exception {
        var screens = new LinkedHashMap<String, String>();
        try (LocalCloud cloud = LocalCloud.builder()
                .coldStart(Duration.ofMillis(300))
                .bootDelay(Duration.ofSeconds(2))
                .startInProcess()) {
            screens.put("check --provider local", screen(cloud, "check --provider local"));
            screens.put("show-gpus --spot", screen(cloud, "show-gpus --spot"));
            screens.put("show-gpus --gpu L4", screen(cloud, "show-gpus --gpu L4"));
            var hosted = new ByteArrayOutputStream();
            CompletableFuture<Void> hosting =
                    CompletableFuture.runAsync(() -> run(hosted, cloud, interrupted, DEPLOY + " --listen 127.0.0.1:0"));
            await(hosted, "spot is ready");
            screens.put("cost chat --once", screen(cloud, "cost chat --once"));
            String deployed = text(hosted);
            screens.put(DEPLOY, deployed);
            screens.put("destroy chat", screen(cloud, "destroy chat"));
            hosting.get(60, TimeUnit.SECONDS);
        }
        return screens;
    }

    private static void await(ByteArrayOutputStream screen, String wanted) {
        long deadline = System.nanoTime() + Duration.ofMinutes(3).toNanos();
        while (!text(screen).contains(wanted)) {
            assertThat(System.nanoTime()).as(text(screen)).isLessThan(deadline);
            LockSupport.parkNanos(20_000_000);
        }
    }

    /** What must agree: words and their lines, not figures, widths, or the order in which two clouds answered. */
    private static List<String> words(String screen) {
        return Arrays.stream(screen.split("\n"))
                .map(line -> line.replaceAll("[0-9]+([.,:][0-9]+)*", "N")
                        .replaceAll("\\s+", " ")
                        .replaceAll("N(s|m|h|d|mNs)", "N")
                        .strip())
                .filter(line -> !line.matches("(N )?replica-N: .*|(N )?local: .*|You saved.*|So far it.*"))
                .map(line -> line.startsWith("the same traffic") ? line.replaceAll(" \\(.*", "") : line)
                .map(line -> line.replaceAll(" (running|estimated)\\b", ""))
                .distinct()
                .sorted()
                .toList();
    }

    @Test
    void thePageShowsWhatTheCommandPrints() throws Exception {
        String page = Files.readString(PAGE);
        for (Map.Entry<String, String> screen : screens().entrySet()) {
            Pattern place = Pattern.compile("(?s)(```\n\\$ tuna " + Pattern.quote(screen.getKey()) + "\n)(.*?)(\n```)");
            Matcher found = place.matcher(page);
            assertThat(found.find())
                    .as("a place for '" + screen.getKey() + "' in " + PAGE)
                    .isTrue();
            if ("write".equals(System.getProperty("tuna.screens"))) {
                page = found.replaceFirst("$1" + Matcher.quoteReplacement(screen.getValue()) + "$3");
            } else {
                assertThat(words(screen.getValue())).as(screen.getKey()).isEqualTo(words(found.group(2)));
            }
        }
        write(page);
    }

    private static void write(String page) throws IOException {
        if ("write".equals(System.getProperty("tuna.screens"))) {
            Files.writeString(PAGE, page);
        }
    }
}
