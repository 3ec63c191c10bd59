package dev.tuna.core.store;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;

/** What a failure below means for the store's user, and what to do about it. Pure. */
final class StoreErrors {

    private StoreErrors() {}

    static StoreException translate(Path file, SQLException cause) {
        // The low byte is the primary code; the rest says where it happened.
        SQLiteErrorCode code = SQLiteErrorCode.getErrorCode(cause.getErrorCode() & 0xff);
        return switch (code) {
            case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT, SQLITE_ERROR, SQLITE_SCHEMA, SQLITE_MISMATCH ->
                corrupt(file, String.valueOf(cause.getMessage()), cause);
            case SQLITE_BUSY, SQLITE_LOCKED ->
                new StoreException(
                        ErrorCode.STORE_LOCKED,
                        "state file " + file + " is locked by another program; close that program and try again",
                        cause);
            case SQLITE_FULL -> unwritable(file, "the disk is full", "free some space on its file system", cause);
            default ->
                unwritable(
                        file, String.valueOf(cause.getMessage()), "check its permissions and its file system", cause);
        };
    }

    static StoreException unwritable(Path path, IOException cause) {
        return unwritable(
                path, describe(cause), "check the permissions of the directory, or choose another one", cause);
    }

    static StoreException corrupt(Path file, String finding, Throwable cause) {
        return new StoreException(ErrorCode.STORE_CORRUPT, corruptText(file, finding), cause);
    }

    static StoreException corrupt(Path file, String finding) {
        return new StoreException(ErrorCode.STORE_CORRUPT, corruptText(file, finding), null);
    }

    static StoreException tooNew(Path file, int found, int known) {
        return new StoreException(
                ErrorCode.STORE_TOO_NEW,
                "state file " + file + " has schema version " + found + ", but this version of Tuna knows " + known
                        + " and older; run the version of Tuna that wrote it, or a later one",
                null);
    }

    static StoreException closed(String store) {
        return new StoreException(ErrorCode.CLOSED, store + " is closed; open it again", null);
    }

    private static StoreException unwritable(Path path, String why, String fix, Throwable cause) {
        return new StoreException(
                ErrorCode.STORE_UNWRITABLE, "store " + path + " cannot be written: " + why + "; " + fix, cause);
    }

    private static String corruptText(Path file, String finding) {
        return "state file " + file + " cannot be read: " + finding + "; it was left as it is: restore a copy of it, or"
                + " move it away to start anew (what it knew can be found again from the clouds)";
    }

    /** File system exceptions often have only a path as message, so their kind belongs to the text. */
    private static String describe(IOException cause) {
        return cause.getClass().getSimpleName() + " " + cause.getMessage();
    }
}
