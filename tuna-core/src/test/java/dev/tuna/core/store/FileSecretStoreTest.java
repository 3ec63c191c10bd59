package dev.tuna.core.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.StoreException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileSecretStoreTest {

    private static final SecretRef KEY = new SecretRef("deployments/chat/key");
    private static final SecretRef TOKEN = new SecretRef("HF_TOKEN");

    @TempDir
    Path temporary;

    @Test
    void isEmptyAndMakesNothingUntilTheFirstSecret() {
        assertThat(store().get(KEY)).isEmpty();
        store().remove(KEY);

        assertThat(directory()).doesNotExist();
    }

    @Test
    void keepsSecretsOverRestarts() {
        store().put(KEY, Secret.of("geheim \u00e9\ud83d\ude00 \"\\\n"));
        store().put(TOKEN, Secret.of("hf_1"));
        store().put(TOKEN, Secret.of("hf_2"));

        assertThat(store().get(KEY)).contains(Secret.of("geheim \u00e9\ud83d\ude00 \"\\\n"));
        assertThat(store().get(TOKEN)).contains(Secret.of("hf_2"));

        store().remove(TOKEN);
        assertThat(store().get(TOKEN)).isEmpty();
        assertThat(store().get(KEY)).isPresent();
    }

    @Test
    void onlyTheOwnerCanLookIntoItsFiles() throws IOException {
        store().put(KEY, Secret.of("s3cret"));
        store().put(TOKEN, Secret.of("hf"));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory())))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
        try (Stream<Path> files = Files.list(directory())) {
            assertThat(files)
                    .as("no temporary file is left")
                    .containsExactlyInAnyOrder(file(), directory().resolve("secrets.lock"));
        }
    }

    @Test
    void whatAKilledProcessLeftHalfWrittenIsGoneWithTheNextWrite() throws IOException {
        store().put(KEY, Secret.of("s3cret"));
        Files.writeString(directory().resolve("secrets.json.new"), "{\"HF_TOK");

        assertThat(store().get(KEY)).contains(Secret.of("s3cret"));
        store().put(TOKEN, Secret.of("hf"));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
        try (Stream<Path> files = Files.list(directory())) {
            assertThat(files).containsExactlyInAnyOrder(file(), directory().resolve("secrets.lock"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-r-----", "rw----r--", "rw--w----", "rwx------"})
    void aFileThatIsOpenToOthersIsRefusedWithTheFix(String permissions) throws IOException {
        store().put(KEY, Secret.of("s3cret"));
        Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString(permissions));

        assertThatThrownBy(() -> store().get(KEY))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("chmod 600 " + file())
                .hasMessageNotContaining("s3cret");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[\"s3cret\"]",
                "{\"HF_TOKEN\": \"s3cret\"",
                "{\"HF_TOKEN\": s3cret}",
                "{\"HF_TOKEN\": {\"s3cret\": 1}}",
                "{\"HF_TOKEN\": \"s3cret\", \"other\": null}",
                "{\"HF_TOKEN\": \"s3cret\", \"other\": \"\"}"
            })
    void aDamagedFileIsToldWithoutItsContentAndLeftAsItIs(String content) throws IOException {
        store().put(KEY, Secret.of("x"));
        Files.writeString(file(), content);

        var failure = catchThrowableOfType(StoreException.class, () -> store().put(KEY, Secret.of("y")));

        assertThat(failure.code()).isEqualTo(ErrorCode.STORE_CORRUPT);
        assertThat(failure).hasMessageContaining(file().toString());
        var trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace));
        assertThat(trace.toString()).doesNotContain("s3cret");
        assertThat(file()).hasContent(content);
    }

    @Test
    void aFileEditedByHandIsReadAnew() throws IOException {
        FileSecretStore store = store();
        store.put(KEY, Secret.of("x"));
        Files.writeString(file(), "{\"HF_TOKEN\": \"by hand\"}");

        assertThat(store.get(TOKEN)).contains(Secret.of("by hand"));
        assertThat(store.get(KEY)).isEmpty();
    }

    @Test
    void aDirectoryThatCannotBeMadeIsNamed() throws IOException {
        Path file = Files.writeString(temporary.resolve("file"), "");

        assertThatThrownBy(() -> new FileSecretStore(file.resolve("state")).put(KEY, Secret.of("s3cret")))
                .isInstanceOfSatisfying(
                        StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_UNWRITABLE))
                .hasMessageContaining(file.toString())
                .hasMessageNotContaining("s3cret");
    }

    @Test
    void aSecretThatCannotBeWrittenLeavesTheOldOne() throws IOException {
        store().put(KEY, Secret.of("old"));
        Files.move(file(), temporary.resolve("kept"));
        // A directory of that name with something in it cannot be replaced by a file.
        Files.createDirectories(file().resolve("inside"));
        Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-------"));

        assertThatThrownBy(() -> store().put(KEY, Secret.of("new"))).isInstanceOf(StoreException.class);

        Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rwx------"));
        Files.delete(file().resolve("inside"));
        Files.delete(file());
        Files.move(temporary.resolve("kept"), file());
        assertThat(store().get(KEY)).contains(Secret.of("old"));
    }

    @Test
    void losesNothingWhenManyThreadsWriteAndRead() throws Exception {
        FileSecretStore store = store();
        int threads = 6;
        int each = 15;
        var gate = new CountDownLatch(1);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            var running = new ArrayList<Future<?>>();
            for (int thread = 0; thread < threads; thread++) {
                int number = thread;
                running.add(pool.submit(() -> {
                    gate.await();
                    for (int i = 0; i < each; i++) {
                        store.put(new SecretRef(number + "/" + i), Secret.of("v" + i));
                        assertThat(store.get(new SecretRef(number + "/" + new Random(i).nextInt(i + 1))))
                                .isPresent();
                    }
                    return number;
                }));
            }
            gate.countDown();
            for (Future<?> future : running) {
                future.get(60, TimeUnit.SECONDS);
            }
        } finally {
            pool.shutdownNow();
        }

        for (int thread = 0; thread < threads; thread++) {
            for (int i : List.of(0, each - 1)) {
                assertThat(store.get(new SecretRef(thread + "/" + i))).contains(Secret.of("v" + i));
            }
        }
    }

    @Test
    void losesNothingWhenProcessesWriteAtOnce() throws Exception {
        int each = 40;
        var writers = new ArrayList<Process>();
        try {
            for (String who : List.of("one", "two")) {
                writers.add(writer(who, each));
            }
            for (Process writer : writers) {
                assertThat(writer.inputReader().readLine()).isEqualTo("ready");
            }
            for (Process writer : writers) {
                writer.outputWriter().append("go\n").flush();
            }
            for (int i = 0; i < each; i++) {
                store().put(new SecretRef("here/" + i), Secret.of("v" + i));
            }
            for (Process writer : writers) {
                assertThat(writer.waitFor(60, TimeUnit.SECONDS)).isTrue();
                assertThat(writer.exitValue()).isZero();
            }
        } finally {
            writers.forEach(Process::destroyForcibly);
        }
        for (String who : List.of("one", "two", "here")) {
            for (int i = 0; i < each; i++) {
                assertThat(store().get(new SecretRef(who + "/" + i)))
                        .as(who + i)
                        .contains(Secret.of("v" + i));
            }
        }
    }

    @Test
    void aWriterThatIsKilledStandsInNobodysWay() throws Exception {
        Process writer = writer("one", Integer.MAX_VALUE);
        assertThat(writer.inputReader().readLine()).isEqualTo("ready");
        writer.outputWriter().append("go\n").flush();
        assertThat(writer.inputReader().readLine()).isEqualTo("begun");
        writer.destroyForcibly().waitFor();

        store().put(KEY, Secret.of("s3cret"));

        assertThat(store().get(KEY)).contains(Secret.of("s3cret"));
        assertThat(store().get(new SecretRef("one/0"))).isPresent();
    }

    private Process writer(String who, int secrets) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Writer.class.getName(),
                        directory().toString(),
                        who,
                        Integer.toString(secrets))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** Another process, which writes when told to. */
    static final class Writer {
        public static void main(String[] arguments) throws IOException {
            var store = new FileSecretStore(Path.of(arguments[0]));
            System.out.println("ready");
            var unused = System.in.read();
            for (int i = 0; i < Integer.parseInt(arguments[2]); i++) {
                store.put(new SecretRef(arguments[1] + "/" + i), Secret.of("v" + i));
                if (i == 0) {
                    System.out.println("begun");
                }
            }
        }
    }

    private Path directory() {
        return temporary.resolve("deep/state");
    }

    private Path file() {
        return directory().resolve("secrets.json");
    }

    private FileSecretStore store() {
        return new FileSecretStore(directory());
    }
}
