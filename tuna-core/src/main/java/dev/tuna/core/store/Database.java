package dev.tuna.core.store;

import dev.tuna.api.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.sqlite.SQLiteConfig;

/**
 * One SQLite file behind one connection. Thread-safe: one piece of work at a time, each in a transaction of its own that
 * is on disk when the call returns, or never happened.
 */
final class Database implements AutoCloseable {

    private final Path file;
    private final Connection connection;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, PreparedStatement> statements = new HashMap<>(); // guarded by lock
    private boolean closed; // guarded by lock

    private Database(Path file, Connection connection) {
        this.file = file;
        this.connection = connection;
    }

    /** What is done inside one transaction. */
    interface Work<T> {
        T run(Database database) throws SQLException;
    }

    /**
     * Opens a file, makes it if it is missing, and brings it to the newest schema.
     *
     * @throws StoreException if it is damaged, foreign or too new (it is then unchanged), or cannot be written
     */
    static Database open(Path file, List<List<String>> steps, InstantSource clock) throws IOException {
        try {
            OwnerOnly.file(file);
            if (Files.size(file) > 0) {
                inspect(file, steps.size());
            }
            Database database = new Database(file, connect(file, false));
            try {
                database.migrate(steps, clock);
                return database;
            } catch (RuntimeException e) {
                database.close();
                throw e;
            }
        } catch (SQLException e) {
            throw StoreErrors.translate(file, e);
        }
    }

    /** Looks before anything is touched, on a connection that cannot write, not even when it closes. */
    private static void inspect(Path file, int known) throws SQLException {
        try (Connection connection = connect(file, true);
                Statement statement = connection.createStatement()) {
            String finding = text(statement, "PRAGMA quick_check(1)");
            if (!finding.equals("ok")) {
                throw StoreErrors.corrupt(file, finding);
            }
            boolean empty = number(statement, "SELECT count(*) FROM sqlite_schema") == 0;
            if (!empty && number(statement, "PRAGMA application_id") != Schema.APPLICATION_ID) {
                throw StoreErrors.corrupt(file, "it is a database of another program");
            }
            int found = empty ? 0 : number(statement, "SELECT max(version) FROM schema_version");
            if (found > known) {
                throw StoreErrors.tooNew(file, found, known);
            }
        }
    }

    private static Connection connect(Path file, boolean readOnly) throws SQLException {
        var config = new SQLiteConfig();
        config.setReadOnly(readOnly);
        if (!readOnly) {
            config.setJournalMode(SQLiteConfig.JournalMode.WAL);
            config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
            config.enforceForeignKeys(true);
        }
        return config.createConnection("jdbc:sqlite:" + file.toAbsolutePath());
    }

    private void migrate(List<List<String>> steps, InstantSource clock) {
        int version = transact(database -> {
            execute("PRAGMA application_id = " + Schema.APPLICATION_ID);
            execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_at INTEGER)");
            try (Statement statement = connection.createStatement()) {
                return number(statement, "SELECT coalesce(max(version), 0) FROM schema_version");
            }
        });
        while (version < steps.size()) {
            version = apply(steps.get(version), version + 1, Columns.nanos(clock.instant()));
        }
    }

    private int apply(List<String> step, int version, long now) {
        return transact(database -> {
            for (String sql : step) {
                execute(sql);
            }
            execute("INSERT INTO schema_version VALUES (" + version + ", " + now + ")");
            return version;
        });
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /**
     * Does all of a piece of work, or none of it.
     *
     * @throws StoreException if the file fails or this is closed
     */
    <T> T transact(Work<T> work) {
        lock.lock();
        try {
            if (closed) {
                throw StoreErrors.closed("state file " + file);
            }
            return committed(work);
        } catch (SQLException e) {
            throw StoreErrors.translate(file, e);
        } catch (IllegalArgumentException e) {
            // A row that no record accepts, for instance a phase that this version does not know.
            throw StoreErrors.corrupt(file, String.valueOf(e.getMessage()), e);
        } finally {
            lock.unlock();
        }
    }

    private <T> T committed(Work<T> work) throws SQLException {
        // In plain SQL: after SQLite has rolled back by itself (full disk), the driver's own transactions stay broken.
        execute("BEGIN");
        try {
            T result = work.run(this);
            execute("COMMIT");
            return result;
        } catch (SQLException | RuntimeException e) {
            try {
                forgetStatements();
                execute("ROLLBACK");
            } catch (SQLException rollback) {
                e.addSuppressed(rollback);
            }
            throw e;
        }
    }

    /** A prepared statement, made once and kept; only inside {@link #transact}. */
    PreparedStatement statement(String sql) throws SQLException {
        PreparedStatement known = statements.get(sql);
        if (known == null) {
            known = connection.prepareStatement(sql);
            statements.put(sql, known);
        }
        return known;
    }

    /** One that has failed may be good for nothing more (full disk: "statement is not executing"). */
    private void forgetStatements() throws SQLException {
        List<PreparedStatement> all = List.copyOf(statements.values());
        statements.clear();
        for (PreparedStatement statement : all) {
            statement.close();
        }
    }

    private static int number(Statement statement, String sql) throws SQLException {
        try (ResultSet rows = statement.executeQuery(sql)) {
            return rows.next() ? rows.getInt(1) : 0;
        }
    }

    private static String text(Statement statement, String sql) throws SQLException {
        try (ResultSet rows = statement.executeQuery(sql)) {
            return rows.next() ? rows.getString(1) : "";
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (!closed) {
                closed = true;
                connection.close();
            }
        } catch (SQLException e) {
            throw StoreErrors.translate(file, e);
        } finally {
            lock.unlock();
        }
    }
}
