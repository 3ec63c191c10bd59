package dev.tuna.spot.aws.channel;

import java.io.IOException;

/**
 * Something answers at a replica's address, and it is not the replica that is meant; or what the replica and its host would
 * know each other by is lost. Nothing was told to it.
 */
public final class UntrustedReplicaException extends IOException {

    private static final long serialVersionUID = 1;

    UntrustedReplicaException(String message) {
        super(message);
    }

    UntrustedReplicaException(String message, Throwable cause) {
        super(message, cause);
    }
}
