package dev.tuna.examples.architecture.planted.core.ledger;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

final class ReadsFiles {

    String read(Path file) throws IOException {
        return Files.readString(file);
    }
}
