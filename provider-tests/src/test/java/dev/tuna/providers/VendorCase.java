package dev.tuna.providers;

import static dev.tuna.testkit.crash.Patience.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.config.RequestJson;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.testkit.crash.CallCounter;
import dev.tuna.testkit.crash.Death;
import dev.tuna.testkit.crash.Kind;
import dev.tuna.testkit.crash.Patience;
import dev.tuna.testkit.crash.SubjectProcess;
import dev.tuna.testkit.crash.SubjectProcess.Dead;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** One controller is killed before a vendor of its own, and another one takes over. Confined to one thread. */
final class VendorCase implements AutoCloseable {

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final Point point;
    private final Vendor vendor;
    private final boolean changes;
    private final CallCounter calls;
    private final Path state;
    private final Path log;
    private volatile SubjectProcess subject;
    private volatile boolean armed;
    private volatile List<String> victims = List.of();

    private VendorCase(Point point, boolean changes, Path directory) throws IOException {
        this.point = point;
        this.changes = changes;
        calls = new CallCounter(changes ? Vendor::isChange : Vendor::isControl);
        state = directory.resolve("state");
        log = directory.resolve("controllers.log");
        vendor = Vendor.start(point.vendor());
        vendor.callers().accept(calls);
        vendor.putCredentials(state);
        new FileSecretStore(state).put(new SecretRef("hf-token"), Secret.of("hf_of_the_hub"));
        subject = start();
    }

    private SubjectProcess start() throws IOException {
        List<String> arguments = new ArrayList<>(List.of(state.toString(), Death.NEVER));
        vendor.words().forEach(arguments::add);
        return SubjectProcess.start(Subject.class, arguments, log);
    }

    /**
     * What came of it.
     *
     * @param killed whether the controller got as far as the point where it was to be killed
     * @param calls what was called, up to the kill or the end of the scenario
     * @param writes how many writes there were, if it was never to be killed
     */
    record Outcome(boolean killed, List<String> calls, int writes) {}

    /**
     * Plays one point, and throws an error that says all about it if anything is wrong.
     *
     * @param changes whether only calls count that may change something
     */
    static Outcome play(Point point, boolean changes, Path directory) throws IOException {
        try (var it = new VendorCase(point, changes, directory)) {
            try {
                return it.play();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(it.told(e), e);
            }
        }
    }

    private Outcome play() throws IOException {
        point.scenario().prepare(this);
        Outcome outcome = playUntilKilled();
        subject.kill();
        calls.spareAll();
        subject = start();
        point.scenario().goOn(this);
        until(point.scenario() + " ends well", () -> point.scenario().isDone(this));
        checkOutcome();
        destroy();
        until("the deployment is destroyed", () -> phase().equals("NONE"));
        checkNothingIsLeft();
        return outcome;
    }

    private Outcome playUntilKilled() {
        plan();
        try {
            point.scenario().begin(this);
            until(
                    "killed, or " + point.scenario() + " ends well",
                    () -> !subject.isAlive() || point.scenario().isDone(this));
            return new Outcome(!subject.isAlive(), calls.calls(), writes());
        } catch (Dead e) {
            return new Outcome(true, calls.calls(), 0);
        } finally {
            spare();
        }
    }

    private void plan() {
        armed = true;
        calls.spareAll();
        point.kind().moment().ifPresent(moment -> calls.plan(point.k(), moment, this::killIfArmed));
        subject.ask("die "
                + (point.kind().atWrite() ? Death.at(point.k(), point.kind() == Kind.AFTER_WRITE) : Death.NEVER));
    }

    private synchronized void killIfArmed() {
        if (armed) {
            subject.kill();
        }
    }

    /** Whoever comes next is not killed. */
    private synchronized void spare() {
        armed = false;
    }

    private int writes() {
        return subject.isAlive() ? Integer.parseInt(subject.ask("writes")) : 0;
    }

    // What happens, as scenarios have it.

    void deploy() {
        subject.ask("deploy " + RequestJson.write(Scenario.request(vendor.name())));
    }

    void redeploy() {
        subject.ask("redeploy " + RequestJson.write(Scenario.changed(vendor.name())));
    }

    void destroy() {
        subject.ask("destroy " + Scenario.NAME);
    }

    void interrupt(Duration notice) {
        victims = vendor.endpoints().get();
        vendor.machines().orElseThrow().interrupt(notice);
    }

    void lose() {
        victims = vendor.endpoints().get();
        vendor.machines().orElseThrow().lose();
    }

    boolean victimIsGone() {
        return vendor.endpoints().get().stream().noneMatch(victims::contains);
    }

    String phase() {
        return subject.ask("phase " + Scenario.NAME);
    }

    int contextLength() {
        return Integer.parseInt(subject.ask("context " + Scenario.NAME));
    }

    void untilServing() {
        until("it serves", this::serves);
    }

    boolean serves() {
        return vendor.endpoints().get().size() == 1
                && subject.ask("serves " + Scenario.NAME).equals("true");
    }

    // What must be so.

    private void checkOutcome() throws IOException {
        until("the store and the vendor agree", () -> subject.ask("known").equals(String.join(" ", vendor.things())));
        assertThat(vendor.endpoints().get())
                .as("endpoints")
                .hasSize(point.scenario().wanted())
                .allSatisfy(endpoint -> assertThat(vendor.versions().applyAsInt(endpoint))
                        .as("versions of %s", endpoint)
                        .isEqualTo(1));
        if (point.scenario().wanted() > 0) {
            assertThat(chat()).as("answer to a request").isEqualTo(200);
        }
    }

    private int chat() throws IOException {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create(subject.hello().get(0)).resolve("/v1/chat/completions"))
                .timeout(Patience.LIMIT)
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + subject.ask("key " + Scenario.NAME))
                .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"" + Scenario.MODEL
                        + "\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                .build();
        try {
            return HTTP.send(request, BodyHandlers.discarding()).statusCode();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private void checkNothingIsLeft() {
        assertThat(vendor.things()).as("left at the vendor").isEmpty();
        until("volumes and the like are gone", () -> vendor.rest().get().isEmpty());
        assertThat(subject.ask("orphans")).as("orphans").isEqualTo("OrphanReport[found=[], problems=[], unused=[]]");
        assertThat(subject.ask("known")).as("left in the store").isEmpty();
        subject.kill();
        assertThat(state)
                .as("state directory")
                .isDirectoryNotContaining(path -> path.toString().endsWith(".new"));
    }

    private String told(Throwable failure) {
        var text = new StringBuilder(point + " failed: " + failure.getMessage() + "\n");
        text.append("again: mvn -B verify -pl provider-tests -am -Dtest=VendorCrashMatrixIT")
                .append(" -Dsurefire.failIfNoSpecifiedTests=false -Dtuna.crash.changes=" + changes + " -Dtuna.crash="
                        + point + "\n");
        text.append("vendor: " + vendor.things() + " " + vendor.rest().get() + "\n");
        text.append("calls since the last kill: " + tail(calls.calls()) + "\n");
        text.append("controller: " + lastWords() + "\n");
        text.append("printed: " + String.join("\n  ", tail(subject.printed())) + "\n");
        try (Stream<String> lines = Files.lines(log)) {
            text.append("log of the controllers, its end:\n  " + String.join("\n  ", tail(lines.toList())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private String lastWords() {
        try {
            return subject.isAlive() ? subject.ask("known") : "dead";
        } catch (Dead e) {
            return "dead";
        }
    }

    private static List<String> tail(List<String> all) {
        return all.subList(Math.max(0, all.size() - 40), all.size());
    }

    @Override
    public void close() {
        subject.kill();
        calls.spareAll();
        vendor.close();
    }
}
