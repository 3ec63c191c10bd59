package dev.tuna.examples.architecture.planted.core.ledger;

import java.io.IOException;
import java.io.UncheckedIOException;

final class PassesOnAnException {

    UncheckedIOException pass(IOException e) {
        return new UncheckedIOException(e);
    }
}
