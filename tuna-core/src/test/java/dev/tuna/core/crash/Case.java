package dev.tuna.core.crash;

import static dev.tuna.testkit.crash.Patience.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.core.config.RequestJson;
import dev.tuna.testkit.cloud.model.EndpointView;
import dev.tuna.testkit.cloud.model.ReplicaView;
import dev.tuna.testkit.crash.Death;
import dev.tuna.testkit.crash.Kind;
import dev.tuna.testkit.crash.SubjectProcess;
import dev.tuna.testkit.crash.SubjectProcess.Dead;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** One controller is killed, and another one takes over. Confined to one thread. */
final class Case implements AutoCloseable {

    private final LethalCloud cloud;
    private final Point point;
    private final Path directory;
    private final Path state;
    private final Path log;
    private final Clients clients = new Clients();
    private final String owner;
    private volatile SubjectProcess subject;
    private String victim = "";
    private volatile boolean armed;

    private Case(LethalCloud cloud, Point point, Path directory) throws IOException {
        this.cloud = cloud;
        this.point = point;
        this.directory = directory;
        state = directory.resolve("state");
        log = directory.resolve("controllers.log");
        cloud.spareAll();
        subject = start(Death.NEVER);
        owner = subject.hello().get(1);
    }

    private SubjectProcess start(String death) throws IOException {
        return SubjectProcess.start(
                CrashSubject.class, List.of(state.toString(), cloud.uri().toString(), death), log);
    }

    /**
     * What came of it.
     *
     * @param killed whether the controller got as far as the point where it was to be killed
     * @param calls how many calls the cloud had, up to the kill or the end of the scenario
     * @param writes how many writes there were, if it was never to be killed
     * @param span how long the scenario took
     */
    record Outcome(boolean killed, int calls, int writes, Duration span) {}

    /** Plays one point, and throws an error that says all about it if anything is wrong. */
    static Outcome play(LethalCloud cloud, Point point, Path directory) throws IOException {
        try (var it = new Case(cloud, point, directory)) {
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
        Books.checkIntents(cloud.model(), owner, state, directory.resolve("copy"));

        cloud.spareAll();
        subject = start(Death.NEVER);
        if (!phase().equals("NONE")) {
            knowTheWay();
        }
        point.scenario().goOn(this);
        until(point.scenario() + " ends well", () -> point.scenario().isDone(this));
        checkOutcome();
        leaveClients();
        destroy();
        until("the deployment is destroyed", () -> phase().equals("NONE"));
        checkNothingIsLeft();
        return outcome;
    }

    private Outcome playUntilKilled() {
        plan();
        long start = System.nanoTime();
        try {
            point.scenario().begin(this);
            until(
                    "killed, or " + point.scenario() + " ends well",
                    () -> !subject.isAlive() || point.scenario().isDone(this));
            Duration span = since(start);
            return new Outcome(false, cloud.calls().size(), writes(), span);
        } catch (Dead e) {
            return new Outcome(true, cloud.calls().size(), 0, since(start));
        } finally {
            spare();
        }
    }

    private void plan() {
        armed = true;
        cloud.spareAll();
        if (subject.isAlive()) {
            subject.ask("die " + death());
        }
        // Last, since it looks at its cloud all the time: whoever is still asked something might be killed over it.
        point.kind().moment().ifPresent(moment -> cloud.plan(point.k(), moment, this::killIfArmed));
        if (point.kind() == Kind.ANYTHING && point.k() > 0) {
            long delay = Point.STEP.multipliedBy(point.k()).toMillis();
            CompletableFuture.delayedExecutor(delay, TimeUnit.MILLISECONDS).execute(this::killIfArmed);
        }
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

    private String death() {
        return point.kind().atWrite() ? Death.at(point.k(), point.kind() == Kind.AFTER_WRITE) : Death.NEVER;
    }

    private int writes() {
        return Integer.parseInt(subject.ask("writes"));
    }

    private static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    // What happens, as scenarios have it.

    void deploy() {
        subject.ask("deploy " + RequestJson.write(point.scenario().request()));
    }

    void redeploy() {
        subject.ask("redeploy " + RequestJson.write(point.scenario().changed()));
    }

    int contextLength() {
        return Integer.parseInt(subject.ask("context"));
    }

    void destroy() {
        subject.ask("destroy");
    }

    String phase() {
        return subject.ask("phase");
    }

    /** They come even if the controller dies before it has told them the way; the next one tells them. */
    void comeClients(int count) {
        for (int i = 0; i < count; i++) {
            clients.come();
        }
        knowTheWay();
    }

    private void knowTheWay() {
        clients.use(URI.create(subject.hello().get(0)), subject.ask("key"));
    }

    void leaveClients() {
        clients.leave();
    }

    void interrupt(Duration notice) {
        victim = replicas().get(0).id();
        cloud.model().interrupt(victim, notice);
    }

    void lose() {
        victim = replicas().get(0).id();
        cloud.model().lose(victim);
    }

    /** The cloud takes the only replica while there is no controller. */
    void loseUnseen() {
        subject.kill();
        lose();
    }

    void takeOver() {
        try {
            subject = start(death());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean victimIsGone() {
        return replicas().stream().noneMatch(replica -> replica.id().equals(victim));
    }

    void untilServing(int replicas) {
        until(replicas + " replicas serve", () -> serves(replicas));
    }

    /** Whether exactly so many replicas and one endpoint are there, and all of them are ready. */
    boolean serves(int replicas) {
        List<ReplicaView> live = replicas();
        List<EndpointView> endpoints = endpoints();
        return live.size() == replicas
                && live.stream().allMatch(replica -> replica.phase() == BackendPhase.READY)
                && endpoints.size() == 1
                && endpoints.get(0).phase() == BackendPhase.READY
                && phase().equals("ACTIVE")
                && subject.ask("spot").equals("READY");
    }

    // What must be so.

    private List<ReplicaView> replicas() {
        return cloud.model().replicas().stream()
                .filter(replica -> replica.owner().equals(owner))
                .toList();
    }

    private List<EndpointView> endpoints() {
        return cloud.model().endpoints().stream()
                .filter(endpoint -> endpoint.owner().equals(owner))
                .toList();
    }

    private void checkOutcome() throws IOException {
        until("the store and the cloud agree", () -> subject.ask("known").equals(running()));
        assertThat(replicas()).as("replicas").hasSize(point.scenario().wanted());
        assertThat(Books.launched(cloud.model(), owner))
                .as("replicas ever launched")
                .hasSize(point.scenario().launches());
        if (point.scenario().wanted() > 0) {
            // The last check: this request is load as well, and may be answered by one more replica.
            knowTheWay();
            assertThat(chat()).as("answer to a request").isEqualTo(200);
        }
    }

    private int chat() throws IOException {
        try {
            return clients.chat();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private String running() {
        var ids = new TreeSet<String>();
        replicas().forEach(replica -> ids.add(replica.id()));
        endpoints().forEach(endpoint -> ids.add(endpoint.name()));
        return String.join(" ", ids);
    }

    private void checkNothingIsLeft() {
        assertThat(running()).as("left in the cloud").isEmpty();
        until("no machine process is left", () -> cloud.machines() == 0);
        assertThat(subject.ask("orphans")).as("orphans").isEqualTo("[]");
        assertThat(subject.ask("known")).as("left in the store").isEmpty();
        subject.kill();
        Books.checkLedger(cloud.model(), owner, state);
        assertThat(state)
                .as("state directory")
                .isDirectoryNotContaining(path -> path.toString().endsWith(".new"));
    }

    private String told(Throwable failure) {
        var text = new StringBuilder(point + " failed: " + failure.getMessage() + "\n");
        text.append("again: mvn -B verify -pl tuna-core -am -Dtest=CrashMatrixIT")
                .append(" -Dsurefire.failIfNoSpecifiedTests=false -Dtuna.crash=" + point + "\n");
        text.append("cloud: " + replicas() + " " + endpoints() + "\n");
        text.append("calls since the last kill: " + tail(cloud.calls()) + "\n");
        text.append("controller: " + lastWords() + "\n");
        try (Stream<String> lines = Files.lines(log)) {
            text.append("log of the controllers, its end:\n  " + String.join("\n  ", tail(lines.toList())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private String lastWords() {
        try {
            return subject.isAlive() ? subject.ask("tell") : "dead";
        } catch (Dead e) {
            return "dead";
        }
    }

    private static List<String> tail(List<String> all) {
        return all.subList(Math.max(0, all.size() - 40), all.size());
    }

    @Override
    public void close() {
        clients.close();
        subject.kill();
        cloud.spareAll();
        // Where a case has failed: the next one begins with an empty cloud.
        replicas().forEach(replica -> cloud.model().terminate(replica.id()));
        endpoints().forEach(endpoint -> cloud.model().deleteEndpoint(endpoint.name()));
        until("no machine process is left", () -> cloud.machines() == 0);
    }
}
