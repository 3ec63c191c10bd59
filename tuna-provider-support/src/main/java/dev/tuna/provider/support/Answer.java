package dev.tuna.provider.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** What came back. */
record Answer(HttpResponse<byte[]> response) {

    int status() {
        return response.statusCode();
    }

    Optional<String> header(String name) {
        return response.headers().firstValue(name);
    }

    boolean successful() {
        return status() >= 200 && status() < 300;
    }

    /** The body; a missing node if it is empty. */
    JsonNode json() throws IOException {
        return response.body().length == 0 ? MissingNode.getInstance() : JsonApi.JSON.readTree(response.body());
    }

    /** The body; a missing node if it is empty or not JSON. */
    JsonNode jsonIfAny() {
        try {
            return json();
        } catch (IOException e) {
            return MissingNode.getInstance();
        }
    }

    String text() {
        return new String(response.body(), StandardCharsets.UTF_8);
    }
}
