package dev.tuna.core.parity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.Tuna;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.testkit.cloud.LocalCloud;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who controls a state directory when processes come, die, hang and race. */
class OwnershipIT {

    private static final URI NO_CLOUD = URI.create("http://127.0.0.1:1");
    private static final String CREDENTIAL = "none";

    @TempDir
    private Path temporary;

    private Path directory() {
        return temporary.resolve("state");
    }

    private SubjectProcess start(URI cloud) throws Exception {
        return SubjectProcess.start(directory(), cloud, temporary.resolve("log"), CREDENTIAL);
    }

    @BeforeEach
    void putTheHubToken() {
        new FileSecretStore(directory()).put(new SecretRef("hf-token"), Secret.of("any token"));
    }

    @Test
    @DisplayName("D-04: the process after one that was killed takes over at once and adopts what runs")
    void takesOverAndAdopts() throws Exception {
        try (LocalCloud cloud = LocalCloud.builder().startInProcess()) {
            String rate = "1.340000"; // the replica's 0.24 and the worker's 1.10
            try (SubjectProcess first = start(cloud.uri())) {
                assertThat(first.hello()).startsWith("controls at ");
                first.ask("deploy");
                // By now the replica has passed a request, which is sent only when the store knows its price; and the
                // endpoint's worker is always on, as one that comes and goes is not known to who has not looked yet.
                until("a replica serves", () -> first.ask("spot").equals("READY"));
                until("what both cost is known", () -> first.ask("rate").equals(rate));
                first.kill();
            }
            try (SubjectProcess second = start(cloud.uri())) {
                assertThat(second.hello()).startsWith("controls at ");
                assertThat(second.ask("names")).isEqualTo("[chat]");
                assertThat(second.ask("rate"))
                        .as("what an hour costs, right after the start")
                        .isEqualTo(rate);
                try (ControlPlane through = Tuna.running(directory()).orElseThrow()) {
                    assertThat(through.status("chat").backends()).hasSize(2);
                    through.destroyAll().get(60, TimeUnit.SECONDS);
                }
                assertThat(cloud.snapshot().empty()).isTrue();
                assertThat(second.ask("names")).isEqualTo("[]");
            }
            assertThat(Tuna.running(directory())).isEmpty();
        }
    }

    @Test
    @DisplayName(
            "D-04: a holder that hangs keeps the lock and is named with the way out; killed, it stands in nobody's way")
    void namesAHolderThatHangs() throws Exception {
        try (SubjectProcess hung = start(NO_CLOUD)) {
            hung.hang();
            try (SubjectProcess next = start(NO_CLOUD)) {
                assertThat(next.hello())
                        .startsWith(ErrorCode.STORE_LOCKED.name())
                        .contains(
                                "process " + hung.handle().pid(),
                                "kill",
                                directory().toString());
            }
            hung.kill();
            try (SubjectProcess next = start(NO_CLOUD)) {
                assertThat(next.hello()).startsWith("controls at ");
            }
        }
    }

    @Test
    @DisplayName("D-04: of processes that start at once exactly one controls")
    void oneOfManyWins() throws Exception {
        List<SubjectProcess> all = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                all.add(SubjectProcess.begin(directory(), NO_CLOUD, temporary.resolve("log")));
            }
            CompletableFuture.allOf(all.stream()
                            .map(subject -> CompletableFuture.runAsync(() -> begin(subject)))
                            .toArray(CompletableFuture<?>[]::new))
                    .get(120, TimeUnit.SECONDS);

            assertThat(all)
                    .extracting(SubjectProcess::hello)
                    .satisfiesOnlyOnce(hello -> assertThat(hello).startsWith("controls at "));
            assertThat(all)
                    .extracting(SubjectProcess::hello)
                    .filteredOn(hello -> hello.startsWith(ErrorCode.STORE_LOCKED.name()))
                    .hasSize(2);
        } finally {
            for (SubjectProcess each : all) {
                each.close();
            }
        }
    }

    private static void begin(SubjectProcess subject) {
        try {
            subject.begin(CREDENTIAL);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void until(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.call()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }
}
