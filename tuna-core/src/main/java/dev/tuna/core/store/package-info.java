/**
 * Where a controller keeps what it must not forget: deployments, outside resources, the ledger, secrets.
 *
 * <p>Start at {@link dev.tuna.core.store.SqliteStateStore} and {@link dev.tuna.core.store.FileSecretStore}.
 */
@NullMarked
package dev.tuna.core.store;

import org.jspecify.annotations.NullMarked;
