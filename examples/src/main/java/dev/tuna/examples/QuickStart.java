package dev.tuna.examples;

import dev.tuna.api.TunaException;
import dev.tuna.core.Tuna;
import dev.tuna.examples.terminal.Colour;
import dev.tuna.examples.terminal.Display;
import dev.tuna.examples.terminal.Terminal;
import dev.tuna.testkit.cloud.LocalCloud;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The whole story on this machine: deploy, chat while spot boots, shift to spot, lose replicas under load, see the bill,
 * destroy. Ends with 0 only if every request was answered and nothing is left running.
 */
public final class QuickStart {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration TAKEDOWN = Duration.ofSeconds(20);

    private final Display display;
    private final CompletableFuture<Void> interrupted;

    private QuickStart(Display display, CompletableFuture<Void> interrupted) {
        this.display = display;
        this.interrupted = interrupted;
    }

    /**
     * Tells the story and ends the process.
     *
     * @param arguments none
     */
    public static void main(String[] arguments) {
        var display = new Display(System.out, Terminal.detect(), InstantSource.system());
        System.exit(OrderlyExit.run(PATIENCE, interrupted -> new QuickStart(display, interrupted).run()));
    }

    private int run() {
        Thread teller = Thread.currentThread();
        var unused = interrupted.thenRun(teller::interrupt);
        boolean toldWell = told();
        boolean nothingIsLeft = nothingIsLeft();
        display.close();
        if (toldWell && nothingIsLeft) {
            display.say(
                    display.terminal().paint(Colour.GREEN, "Every request was answered and nothing is left running."));
            return 0;
        }
        display.say(display.terminal()
                .paint(
                        Colour.RED,
                        nothingIsLeft
                                ? "Ended early; nothing is left running."
                                : "Ended with something left running."));
        return 1;
    }

    private boolean told() {
        try {
            Path state = Files.createTempDirectory("tuna-quickstart-");
            try {
                return told(state);
            } finally {
                delete(state);
            }
        } catch (Exception e) {
            display.say(reason(e));
            return false;
        }
    }

    private boolean told(Path state) {
        display.say("Starting a cloud on this machine; its model servers are stand-ins that speak vLLM's protocol.");
        try (LocalCloud cloud = Story.cloud();
                Tuna tuna = Tuna.builder()
                        .stateDirectory(state)
                        .listen("127.0.0.1", 0)
                        .providerSettings("local", cloud.settings())
                        .providerSettings("local-spot", cloud.settings())
                        .timings(Story.timings())
                        .start()) {
            return told(new Story(display, cloud, tuna), tuna);
        }
    }

    /** A story that ends well has taken its deployment down itself. */
    private boolean told(Story story, Tuna tuna) {
        try {
            story.tell();
            return true;
        } catch (Exception e) {
            display.say(reason(e));
            takeDown(tuna);
            return false;
        }
    }

    private String reason(Exception e) {
        return interrupted.isDone()
                ? "Interrupted."
                : "It went wrong: " + (e instanceof TunaException ? e.getMessage() : e);
    }

    private void takeDown(Tuna tuna) {
        // Otherwise the next wait would end at once.
        Thread.interrupted();
        display.say("Taking everything down ...");
        try {
            tuna.destroyAll().get(TAKEDOWN.toSeconds(), TimeUnit.SECONDS);
        } catch (Exception e) {
            display.say("That did not work: " + e);
        }
    }

    /** The cloud was a child of this process and its machines were the cloud's. */
    private boolean nothingIsLeft() {
        List<String> left = ProcessHandle.current()
                .descendants()
                .filter(ProcessHandle::isAlive)
                .map(process -> process.pid() + " " + process.info().command().orElse(""))
                .toList();
        left.forEach(process -> display.say("Still running: " + process));
        return left.isEmpty();
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
