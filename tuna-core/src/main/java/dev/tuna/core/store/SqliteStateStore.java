package dev.tuna.core.store;

import static dev.tuna.core.store.Columns.bind;
import static dev.tuna.core.store.Columns.duration;
import static dev.tuna.core.store.Columns.instant;
import static dev.tuna.core.store.Columns.nanos;
import static dev.tuna.core.store.Columns.number;
import static dev.tuna.core.store.Columns.orNull;
import static dev.tuna.core.store.Columns.text;

import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateSnapshot;
import dev.tuna.spi.StateStore;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Keeps state in a SQLite file, {@code state.db} in a directory of its own (0700, files 0600), written ahead and synced
 * to disk before a call returns. Thread-safe; one process at a time, guarded by the file {@code lock} beside it.
 */
public final class SqliteStateStore implements StateStore {

    /** The name of the file in the state directory. */
    public static final String FILE = "state.db";

    private final StoreLock lock;
    private final Database database;
    private final String ownerId;

    private SqliteStateStore(StoreLock lock, Database database, String ownerId) {
        this.lock = lock;
        this.database = database;
        this.ownerId = ownerId;
    }

    /**
     * Opens the store in a directory, and makes both if they are missing.
     *
     * @param directory where the store's files are
     * @param clock stamps the making of the store and of its tables
     * @return the store, to be closed by the caller
     * @throws dev.tuna.api.StoreException {@code STORE_LOCKED} (naming the process that holds it),
     *     {@code STORE_TOO_NEW} or {@code STORE_CORRUPT} (the file is then untouched), {@code STORE_UNWRITABLE}
     */
    public static SqliteStateStore open(Path directory, InstantSource clock) {
        return open(directory, clock, new SecureRandom());
    }

    /**
     * As {@link #open(Path, InstantSource)}, with a source of randomness, for runs that must repeat exactly.
     *
     * @param directory where the store's files are
     * @param clock stamps the making of the store and of its tables
     * @param random makes the owner id of a new store
     * @return the store, to be closed by the caller
     * @throws dev.tuna.api.StoreException as above
     */
    public static SqliteStateStore open(Path directory, InstantSource clock, RandomGenerator random) {
        return open(directory, clock, () -> OwnerId.random(random));
    }

    private static SqliteStateStore open(Path directory, InstantSource clock, Supplier<String> newOwner) {
        try {
            OwnerOnly.directory(directory);
            StoreLock lock = StoreLock.take(directory);
            try {
                Database database = Database.open(directory.resolve(FILE), Schema.STEPS, clock);
                return opened(lock, database, clock, newOwner);
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw StoreErrors.unwritable(directory, e);
        }
    }

    /**
     * As {@link #open(Path, InstantSource)}, for an installation that is there already and has another store elsewhere.
     *
     * @param directory where the store's files are
     * @param clock stamps the making of the store and of its tables
     * @param ownerId the id of the installation
     * @return the store, to be closed by the caller
     * @throws dev.tuna.api.StoreException as above; {@code STORE_CORRUPT} if it is that of another installation
     */
    public static SqliteStateStore openFor(Path directory, InstantSource clock, String ownerId) {
        SqliteStateStore store = open(directory, clock, () -> ownerId);
        if (!store.ownerId().equals(ownerId)) {
            store.close();
            throw new StoreException(
                    ErrorCode.STORE_CORRUPT,
                    "store " + directory + " is that of installation '" + store.ownerId() + "' and not of '" + ownerId
                            + "'; use another directory",
                    null);
        }
        return store;
    }

    private static SqliteStateStore opened(
            StoreLock lock, Database database, InstantSource clock, Supplier<String> newOwner) {
        try {
            return new SqliteStateStore(lock, database, database.transact(d -> owner(d, clock, newOwner)));
        } catch (RuntimeException e) {
            database.close();
            throw e;
        }
    }

    private static String owner(Database database, InstantSource clock, Supplier<String> newOwner) throws SQLException {
        try (ResultSet row =
                database.statement("SELECT owner_id FROM installation").executeQuery()) {
            if (row.next()) {
                return row.getString("owner_id");
            }
        }
        String made = newOwner.get();
        bind(database.statement("INSERT INTO installation VALUES (?, ?)"), made, nanos(clock.instant()))
                .executeUpdate();
        return made;
    }

    @Override
    public String ownerId() {
        return ownerId;
    }

    @Override
    public StateSnapshot load() {
        return database.transact(d -> new StateSnapshot(
                deployments(
                        d.statement("SELECT * FROM deployments WHERE phase IN ('ACTIVE', 'DESTROYING') ORDER BY seq")),
                resources(d.statement("SELECT * FROM resources WHERE state <> 'GONE' ORDER BY seq"))));
    }

    @Override
    public List<DeploymentRecord> ended(int limit) {
        return database.transact(d -> deployments(bind(d.statement("""
                        SELECT * FROM deployments WHERE phase IN ('DESTROYED', 'FAILED')
                        ORDER BY updated_at DESC, seq DESC LIMIT ?"""), (long) limit)));
    }

    @Override
    public List<LedgerEntry> ledger(String deploymentId) {
        return database.transact(d -> ledger(bind(d.statement("""
                        SELECT * FROM ledger JOIN billed ON billed.id = ledger.billed_id
                        WHERE deployment_id = ? ORDER BY ledger.seq"""), deploymentId)));
    }

    @Override
    public Optional<String> setting(String name) {
        return database.transact(d -> {
            try (ResultSet row = bind(d.statement("SELECT value FROM settings WHERE name = ?"), name)
                    .executeQuery()) {
                return row.next() ? Optional.of(row.getString("value")) : Optional.empty();
            }
        });
    }

    @Override
    public void setSetting(String name, String json) {
        database.transact(d -> bind(d.statement("""
                        INSERT INTO settings (name, value) VALUES (?, ?)
                        ON CONFLICT (name) DO UPDATE SET value = excluded.value"""), name, json).executeUpdate());
    }

    @Override
    public void save(StateChange change) {
        database.transact(d -> {
            for (DeploymentRecord deployment : change.deployments()) {
                save(d, deployment);
            }
            for (ResourceRecord resource : change.resources()) {
                save(d, resource);
            }
            for (LedgerEntry entry : change.ledger()) {
                append(d, entry);
            }
            return change;
        });
    }

    private static void save(Database database, DeploymentRecord record) throws SQLException {
        bind(
                        database.statement("""
                                INSERT INTO deployments (id, name, phase, request, details, created_at, updated_at)
                                VALUES (?, ?, ?, ?, ?, ?, ?)
                                ON CONFLICT (id) DO UPDATE SET name = excluded.name, phase = excluded.phase,
                                request = excluded.request, details = excluded.details,
                                created_at = excluded.created_at, updated_at = excluded.updated_at"""),
                        record.id(),
                        record.name(),
                        record.phase(),
                        record.request(),
                        record.details(),
                        nanos(record.createdAt()),
                        nanos(record.updatedAt()))
                .executeUpdate();
    }

    private static void save(Database database, ResourceRecord record) throws SQLException {
        bind(
                        database.statement("""
                                INSERT INTO resources (key, deployment_id, provider, tier, state, ref_provider,
                                ref_kind, ref_id, plan, details, created_at, updated_at)
                                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                                ON CONFLICT (key) DO UPDATE SET deployment_id = excluded.deployment_id,
                                provider = excluded.provider, tier = excluded.tier, state = excluded.state,
                                ref_provider = excluded.ref_provider, ref_kind = excluded.ref_kind,
                                ref_id = excluded.ref_id, plan = excluded.plan, details = excluded.details,
                                created_at = excluded.created_at, updated_at = excluded.updated_at"""),
                        record.key(),
                        record.deploymentId(),
                        record.provider(),
                        record.tier().orElse(null),
                        record.state(),
                        record.resource().map(ResourceRef::provider).orElse(null),
                        record.resource().map(ResourceRef::kind).orElse(null),
                        record.resource().map(ResourceRef::id).orElse(null),
                        record.plan(),
                        record.details(),
                        nanos(record.createdAt()),
                        nanos(record.updatedAt()))
                .executeUpdate();
    }

    private static void append(Database database, LedgerEntry entry) throws SQLException {
        Object[] who = {entry.deploymentId(), entry.tier(), entry.provider(), entry.backend()};
        bind(database.statement("""
                                INSERT OR IGNORE INTO billed (deployment_id, tier, provider, backend)
                                VALUES (?, ?, ?, ?)"""), who).executeUpdate();
        bind(
                        database.statement("""
                                INSERT INTO ledger (from_at, to_at, billed_time, micro_usd_per_hour, micro_usd,
                                estimated, billed_id) VALUES (?, ?, ?, ?, ?, ?, (SELECT id FROM billed
                                WHERE deployment_id = ? AND tier = ? AND provider = ? AND backend = ?))"""),
                        nanos(entry.from()),
                        nanos(entry.to()),
                        nanos(entry.billed()),
                        orNull(entry.microUsdPerHour()),
                        orNull(entry.microUsd()),
                        entry.estimated() ? 1L : 0L,
                        who[0],
                        who[1],
                        who[2],
                        who[3])
                .executeUpdate();
    }

    private static List<DeploymentRecord> deployments(PreparedStatement query) throws SQLException {
        var found = new ArrayList<DeploymentRecord>();
        try (ResultSet row = query.executeQuery()) {
            while (row.next()) {
                found.add(new DeploymentRecord(
                        row.getString("id"),
                        row.getString("name"),
                        DeploymentPhase.valueOf(row.getString("phase")),
                        row.getString("request"),
                        row.getString("details"),
                        instant(row, "created_at"),
                        instant(row, "updated_at")));
            }
        }
        return found;
    }

    private static List<ResourceRecord> resources(PreparedStatement query) throws SQLException {
        var found = new ArrayList<ResourceRecord>();
        try (ResultSet row = query.executeQuery()) {
            while (row.next()) {
                String provider = row.getString("ref_provider");
                String kind = row.getString("ref_kind");
                found.add(new ResourceRecord(
                        row.getString("key"),
                        row.getString("deployment_id"),
                        row.getString("provider"),
                        text(row, "tier").map(Tier::valueOf),
                        ResourceRecord.State.valueOf(row.getString("state")),
                        text(row, "ref_id").map(id -> new ResourceRef(provider, kind, id)),
                        row.getString("plan"),
                        row.getString("details"),
                        instant(row, "created_at"),
                        instant(row, "updated_at")));
            }
        }
        return found;
    }

    private static List<LedgerEntry> ledger(PreparedStatement query) throws SQLException {
        var found = new ArrayList<LedgerEntry>();
        try (ResultSet row = query.executeQuery()) {
            while (row.next()) {
                found.add(new LedgerEntry(
                        row.getString("deployment_id"),
                        Tier.valueOf(row.getString("tier")),
                        row.getString("provider"),
                        row.getString("backend"),
                        instant(row, "from_at"),
                        instant(row, "to_at"),
                        duration(row, "billed_time"),
                        number(row, "micro_usd_per_hour"),
                        number(row, "micro_usd"),
                        row.getLong("estimated") != 0));
            }
        }
        return found;
    }

    @Override
    public void close() {
        try {
            database.close();
        } finally {
            release();
        }
    }

    private void release() {
        try {
            lock.close();
        } catch (IOException e) {
            throw StoreErrors.unwritable(lock.file(), e);
        }
    }
}
