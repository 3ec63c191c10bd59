package dev.tuna.testkit.cloud.process;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Small questions to a model server on this machine, asked without a client that would own threads. */
final class Loopback {

    private static final int TIMEOUT_MILLIS = 1000;

    private Loopback() {}

    /** The body of a 200, or empty for anything else. */
    static Optional<String> get(URI uri) {
        try {
            HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
            connection.setConnectTimeout(TIMEOUT_MILLIS);
            connection.setReadTimeout(TIMEOUT_MILLIS);
            connection.setRequestProperty("Connection", "close");
            try {
                if (connection.getResponseCode() != 200) {
                    return Optional.empty();
                }
                try (InputStream body = connection.getInputStream()) {
                    return Optional.of(new String(body.readAllBytes(), StandardCharsets.UTF_8));
                }
            } finally {
                connection.disconnect();
            }
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
