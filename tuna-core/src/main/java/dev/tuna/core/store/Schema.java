package dev.tuna.core.store;

import java.util.List;

/**
 * The tables, as the list of steps that led to them. A step that has been released is never changed: append a new one.
 *
 * <p>Times and durations are nanoseconds (since 1970 for times), money is microdollars. {@code seq} is the order in
 * which rows were first stored.
 */
final class Schema {

    /** Marks the file as ours in its header: {@code TUNA} in ASCII. */
    static final int APPLICATION_ID = 0x54554e41;

    /** Step {@code n} leads from version {@code n} to {@code n + 1}; each runs in one transaction. */
    static final List<List<String>> STEPS = List.of(tables(), settings());

    private Schema() {}

    private static List<String> tables() {
        return List.of(
                "CREATE TABLE installation (owner_id TEXT NOT NULL, created_at INTEGER NOT NULL)",
                """
            CREATE TABLE deployments (
                seq INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                name TEXT NOT NULL,
                phase TEXT NOT NULL,
                request TEXT NOT NULL,
                details TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL)""",
                "CREATE INDEX deployments_by_phase ON deployments (phase, updated_at)",
                """
            CREATE TABLE resources (
                seq INTEGER PRIMARY KEY,
                key TEXT NOT NULL UNIQUE,
                deployment_id TEXT NOT NULL,
                provider TEXT NOT NULL,
                tier TEXT,
                state TEXT NOT NULL,
                ref_provider TEXT,
                ref_kind TEXT,
                ref_id TEXT,
                plan TEXT NOT NULL,
                details TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL)""",
                "CREATE INDEX resources_open ON resources (seq) WHERE state <> 'GONE'",
                // One row for each backend that was ever billed, so that a ledger row is a few numbers.
                """
            CREATE TABLE billed (
                id INTEGER PRIMARY KEY,
                deployment_id TEXT NOT NULL,
                tier TEXT NOT NULL,
                provider TEXT NOT NULL,
                backend TEXT NOT NULL,
                UNIQUE (deployment_id, tier, provider, backend))""",
                """
            CREATE TABLE ledger (
                seq INTEGER PRIMARY KEY,
                billed_id INTEGER NOT NULL REFERENCES billed (id),
                from_at INTEGER NOT NULL,
                to_at INTEGER NOT NULL,
                billed_time INTEGER NOT NULL,
                micro_usd_per_hour INTEGER,
                micro_usd INTEGER,
                estimated INTEGER NOT NULL)""",
                "CREATE INDEX ledger_by_billed ON ledger (billed_id)",
                """
            CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE ON ledger
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
                """
            CREATE TRIGGER ledger_is_never_shortened BEFORE DELETE ON ledger
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""");
    }

    /** What holds for the whole installation, each a JSON text. */
    private static List<String> settings() {
        return List.of("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
    }
}
