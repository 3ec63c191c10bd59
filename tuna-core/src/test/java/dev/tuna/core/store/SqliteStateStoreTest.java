package dev.tuna.core.store;

import static dev.tuna.core.store.Columns.bind;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteStateStoreTest extends StateStoreContract {

    private static final InstantSource CLOCK = InstantSource.fixed(Instant.EPOCH);

    @TempDir
    Path temporary;

    @Override
    StateStore open() {
        return SqliteStateStore.open(directory(), CLOCK);
    }

    private Path directory() {
        return temporary.resolve("deep/state");
    }

    private Path file() {
        return directory().resolve("state.db");
    }

    @Test
    void makesFilesThatOnlyTheOwnerCanOpen() throws IOException {
        store().save(StateChange.of(deployment("d1", DeploymentPhase.ACTIVE, 0)));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory())))
                .isEqualTo("rwx------");
        try (Stream<Path> files = Files.list(directory())) {
            assertThat(files)
                    .hasSizeGreaterThanOrEqualTo(3)
                    .allSatisfy(file -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                            .as(file.toString())
                            .isEqualTo("rw-------"));
        }
    }

    @Test
    void drawsTheOwnerIdFromTheGivenRandomness() {
        try (var one = SqliteStateStore.open(temporary.resolve("one"), CLOCK, new Random(1));
                var same = SqliteStateStore.open(temporary.resolve("same"), CLOCK, new Random(1));
                var other = SqliteStateStore.open(temporary.resolve("other"), CLOCK, new Random(2))) {
            assertThat(one.ownerId()).isEqualTo(same.ownerId()).isNotEqualTo(other.ownerId());
        }
    }

    @Test
    void syncsEveryCommitToDisk() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            assertThat(statement.executeQuery("PRAGMA journal_mode").getString(1))
                    .isEqualTo("wal");
        }
    }

    @Test
    void theLedgerCannotBeRewritten() throws SQLException {
        store().save(new StateChange(List.of(), List.of(), List.of(entry("d1", 0))));

        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            assertThatThrownBy(() -> statement.executeUpdate("UPDATE ledger SET micro_usd = 0"))
                    .hasMessageContaining("append-only");
            assertThatThrownBy(() -> statement.executeUpdate("DELETE FROM ledger"))
                    .hasMessageContaining("append-only");
        }
        assertThat(store().ledger("d1")).containsExactly(entry("d1", 0));
    }

    @Test
    void storesALedgerEntryInFewBytes() throws IOException {
        int entries = 20_000;
        store().save(new StateChange(
                List.of(),
                List.of(),
                Stream.iterate(0, hour -> hour + 1)
                        .limit(entries)
                        .map(hour -> entry("d1", hour))
                        .toList()));
        store().close();

        assertThat(Files.size(file()) / entries).isLessThan(64);
    }

    @Test
    void aRecordThatBreaksARuleUndoesTheWholeChange() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("""
                    CREATE TRIGGER refuse BEFORE INSERT ON ledger
                    BEGIN SELECT RAISE(ABORT, 'refused for the test'); END""");
        }
        var change = new StateChange(
                List.of(deployment("d1", DeploymentPhase.ACTIVE, 0)), List.of(), List.of(entry("d1", 0)));

        assertThatThrownBy(() -> store().save(change)).isInstanceOf(StoreException.class);

        assertThat(store().load().deployments()).isEmpty();
        assertThat(store().ledger("d1")).isEmpty();
    }

    /** The tables of a version are what its steps led to. */
    @Test
    void takesOverAStoreOfEveryOlderVersionWithAllThatIsInIt() throws Exception {
        for (int version = 1; version < Schema.STEPS.size(); version++) {
            Path old = temporary.resolve("version-" + version);
            OwnerOnly.directory(old);
            try (Database database = Database.open(old.resolve("state.db"), Schema.STEPS.subList(0, version), CLOCK)) {
                database.transact(d -> {
                    bind(d.statement("INSERT INTO installation VALUES (?, 0)"), "owner")
                            .executeUpdate();
                    bind(
                                    d.statement(
                                            "INSERT INTO deployments VALUES (NULL, 'd1', 'chat', ?, '{}', '{}', 0, 0)"),
                                    DeploymentPhase.ACTIVE)
                            .executeUpdate();
                    d.statement("INSERT INTO billed VALUES (1, 'd1', 'SPOT', 'p', 'b')")
                            .executeUpdate();
                    return d.statement("INSERT INTO ledger VALUES (NULL, 1, 0, 1, 1, 2, 3, 0)")
                            .executeUpdate();
                });
            }
            for (int opening = 0; opening < 2; opening++) {
                try (StateStore store = SqliteStateStore.open(old, CLOCK)) {
                    assertThat(store.ownerId()).isEqualTo("owner");
                    assertThat(store.load().deployments()).hasSize(1);
                    assertThat(store.ledger("d1")).hasSize(1);
                    assertThat(store.setting("one")).isEqualTo(opening == 0 ? Optional.empty() : Optional.of("1"));
                    store.setSetting("one", "1");
                }
            }
        }
    }

    @Test
    void namesTheProcessThatControlsTheStore() throws Exception {
        store().close();
        Process holder = otherProcess();
        try {
            assertThatThrownBy(this::open)
                    .isInstanceOfSatisfying(
                            StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_LOCKED))
                    .hasMessageContaining("process " + holder.pid())
                    .hasMessageContaining(directory().toString());
        } finally {
            holder.destroyForcibly().waitFor();
        }
    }

    @Test
    void takesOverFromAControllerThatWasKilled() throws Exception {
        store().close();
        Process holder = otherProcess();
        holder.destroyForcibly().waitFor();

        try (StateStore next = open()) {
            assertThat(next.load().deployments())
                    .as("what the killed process had saved")
                    .containsExactly(deployment("d1", DeploymentPhase.ACTIVE, 0));
        }
    }

    @Test
    void anotherProgramThatHoldsTheFileIsToldAndGotOver() throws Exception {
        StateChange change = StateChange.of(deployment("d1", DeploymentPhase.ACTIVE, 0));
        try (Connection other = connect();
                Statement statement = other.createStatement()) {
            statement.execute("BEGIN IMMEDIATE");

            assertThatThrownBy(() -> store().save(change))
                    .isInstanceOfSatisfying(StoreException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.STORE_LOCKED);
                        assertThat(e.retryable()).isTrue();
                    })
                    .hasMessageContaining(file().toString());
            assertThat(store().load().deployments()).as("reading goes on").isEmpty();

            statement.execute("ROLLBACK");
        }
        store().save(change);

        assertThat(store().load().deployments()).hasSize(1);
    }

    /** Starts a JVM that opens the store, saves a deployment and says so. */
    private Process otherProcess() throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Holder.class.getName(),
                        directory().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(process.inputReader().readLine()).isEqualTo("saved");
        return process;
    }

    /** The other process. */
    static final class Holder {
        public static void main(String[] arguments) throws InterruptedException {
            StateStore store = SqliteStateStore.open(Path.of(arguments[0]), CLOCK);
            store.save(StateChange.of(deployment("d1", DeploymentPhase.ACTIVE, 0)));
            System.out.println("saved");
            TimeUnit.MINUTES.sleep(5); // killed long before
        }
    }

    @Nested
    class WhatCannotBeOpened {

        @Test
        void aFileOfANewerVersion() throws Exception {
            damage("INSERT INTO schema_version VALUES (99, 0)");

            refusesAndChangesNothing(ErrorCode.STORE_TOO_NEW, "99");
        }

        @Test
        void aDatabaseOfAnotherProgram() throws Exception {
            damage("PRAGMA application_id = 7");

            refusesAndChangesNothing(ErrorCode.STORE_CORRUPT, "another program");
        }

        @Test
        void aFileThatIsNoDatabase() throws Exception {
            store().close();
            Files.writeString(file(), "not a database, whatever it is ".repeat(100));

            refusesAndChangesNothing(ErrorCode.STORE_CORRUPT, "left as it is");
        }

        @Test
        void aFileThatLostItsEnd() throws Exception {
            fill();
            byte[] content = Files.readAllBytes(file());
            Files.write(file(), Arrays.copyOf(content, content.length / 2));

            refusesAndChangesNothing(ErrorCode.STORE_CORRUPT, "left as it is");
        }

        @Test
        void aFileWithGarbageInTheMiddle() throws Exception {
            fill();
            byte[] content = Files.readAllBytes(file());
            new Random(7).nextBytes(content);
            byte[] damaged = Files.readAllBytes(file());
            System.arraycopy(content, 4096, damaged, 4096, 16_384);
            Files.write(file(), damaged);

            refusesAndChangesNothing(ErrorCode.STORE_CORRUPT, "left as it is");
        }

        @Test
        void aRowThatThisVersionDoesNotUnderstand() throws Exception {
            store().save(StateChange.of(resource("r1", ResourceRecord.State.LIVE)));
            damage("UPDATE resources SET state = 'DREAMING'");

            try (StateStore store = open()) {
                assertThatThrownBy(store::load)
                        .isInstanceOfSatisfying(
                                StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_CORRUPT))
                        .hasMessageContaining("DREAMING");
            }
        }

        @Test
        void aDirectoryThatIsAFile() throws IOException {
            Path file = Files.writeString(temporary.resolve("file"), "");

            unwritable(file);
            unwritable(file.resolve("state"));
        }

        @Test
        void aStateFileThatIsADirectory() throws IOException {
            Files.createDirectories(temporary.resolve("odd/state.db"));

            unwritable(temporary.resolve("odd"));
        }

        @Test
        void aDirectoryOnAFileSystemThatTakesNoFiles() {
            assumeTrue(Files.isDirectory(Path.of("/proc/self")), "no /proc here");

            unwritable(Path.of("/proc/tuna"));
        }

        @Test
        void aDirectoryWithoutPermission() throws IOException {
            assumeTrue(!System.getProperty("user.name").equals("root"), "root may write anywhere");
            Path closed = Files.createDirectory(
                    temporary.resolve("closed"),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-x------")));

            unwritable(closed);
        }

        private void fill() {
            store().save(new StateChange(
                    List.of(),
                    List.of(),
                    Stream.iterate(0, hour -> hour + 1)
                            .limit(2_000)
                            .map(hour -> entry("d1", hour))
                            .toList()));
            store().close();
        }

        private void damage(String sql) throws SQLException {
            store().close();
            try (Connection connection = connect();
                    Statement statement = connection.createStatement()) {
                statement.executeUpdate(sql);
            }
        }

        private void refusesAndChangesNothing(ErrorCode code, String told) throws IOException {
            Map<String, String> before = contents();
            for (int attempt = 0; attempt < 2; attempt++) {
                assertThatThrownBy(SqliteStateStoreTest.this::open)
                        .isInstanceOfSatisfying(
                                StoreException.class, e -> assertThat(e.code()).isEqualTo(code))
                        .hasMessageContaining(file().toString())
                        .hasMessageContaining(told);
            }
            assertThat(contents()).isEqualTo(before);
        }

        private Map<String, String> contents() throws IOException {
            var contents = new TreeMap<String, String>();
            for (String name : List.of("state.db", "state.db-wal")) {
                Path path = directory().resolve(name);
                if (Files.exists(path) && Files.size(path) > 0) {
                    contents.put(name, HexFormat.of().formatHex(Files.readAllBytes(path)));
                }
            }
            return contents;
        }

        private void unwritable(Path directory) {
            assertThatThrownBy(() -> SqliteStateStore.open(directory, CLOCK))
                    .isInstanceOfSatisfying(StoreException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.STORE_UNWRITABLE);
                        assertThat(e.getCause()).isNotNull();
                    })
                    .hasMessageContaining(directory.toString());
        }
    }

    @Nested
    class WhenTheDiskIsFull {

        @Test
        void saysSoAndKeepsWhatItHad() throws Exception {
            Path file = temporary.resolve("full.db");
            try (Database database = Database.open(file, Schema.STEPS, CLOCK)) {
                // SQLite answers a full disk and its own page limit with the same code.
                database.transact(d -> d.statement("PRAGMA max_page_count = 20").executeQuery());

                assertThatThrownBy(() -> database.transact(d -> {
                            try (Statement statement =
                                    d.statement("SELECT 1").getConnection().createStatement()) {
                                statement.executeUpdate("INSERT INTO billed VALUES (1, 'd', 'SPOT', 'p', 'b')");
                                for (int i = 0; i < 10_000; i++) {
                                    statement.executeUpdate("INSERT INTO ledger VALUES (NULL, 1, 0, 0, 0, 0, 0, 0)");
                                }
                            }
                            return d;
                        }))
                        .isInstanceOfSatisfying(StoreException.class, e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.STORE_UNWRITABLE);
                            assertThat(e.retryable()).isTrue();
                        })
                        .hasMessageContaining("disk is full");

                int rows = database.transact(d -> d.statement("SELECT count(*) FROM ledger")
                        .executeQuery()
                        .getInt(1));
                assertThat(rows).isZero();
            }
        }

        @Test
        void goesOnWhenThereIsRoomAgainAndHasLostNothing() throws Exception {
            Path file = temporary.resolve("full.db");
            try (Database database = Database.open(file, Schema.STEPS, CLOCK)) {
                insert(database, 10);
                limit(database, 20);
                assertThatThrownBy(() -> insert(database, 10_000)).hasMessageContaining("disk is full");
                limit(database, 1_000_000);
                insert(database, 1);
            }
            try (Database database = Database.open(file, Schema.STEPS, CLOCK)) {
                int rows = database.transact(d -> d.statement("SELECT count(*) FROM billed")
                        .executeQuery()
                        .getInt(1));
                assertThat(rows).isEqualTo(11);
            }
        }

        private void limit(Database database, int pages) {
            database.transact(d -> d.statement("PRAGMA max_page_count = " + pages)
                    .executeQuery()
                    .getInt(1));
        }

        private void insert(Database database, int rows) {
            database.transact(d -> {
                for (int i = 0; i < rows; i++) {
                    bind(d.statement("INSERT INTO billed VALUES (NULL, ?, 'SPOT', 'p', 'b')"), UUID.randomUUID())
                            .executeUpdate();
                }
                return d;
            });
        }
    }

    @Nested
    class Migrations {

        private final List<List<String>> first =
                List.of(List.of("CREATE TABLE a (x INTEGER)", "INSERT INTO a VALUES (1)"));
        private final List<List<String>> second =
                List.of(first.get(0), List.of("ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 2"));

        @Test
        void addWhatIsMissingAndKeepWhatIsThere() throws Exception {
            Path file = temporary.resolve("old.db");
            Database.open(file, first, CLOCK).close();

            for (int start = 0; start < 2; start++) {
                try (Database database = Database.open(file, second, CLOCK)) {
                    int sum = database.transact(d ->
                            d.statement("SELECT x + y FROM a").executeQuery().getInt(1));
                    assertThat(sum).isEqualTo(3);
                }
            }
        }

        @Test
        void leaveTheOldVersionWhenAStepFailsHalfWay() throws Exception {
            Path file = temporary.resolve("old.db");
            Database.open(file, first, CLOCK).close();
            var broken = List.of(first.get(0), List.of("ALTER TABLE a ADD COLUMN y INTEGER", "no such statement"));

            assertThatThrownBy(() -> Database.open(file, broken, CLOCK)).isInstanceOf(StoreException.class);

            try (Database database = Database.open(file, second, CLOCK)) {
                int sum = database.transact(
                        d -> d.statement("SELECT x + y FROM a").executeQuery().getInt(1));
                assertThat(sum).isEqualTo(3);
            }
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + file());
    }
}
