package dev.tuna.router.proxy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** Reads {@code /router/events} as a program would that holds to the standard. */
final class EventReader implements AutoCloseable {

    static final String ADMIN_KEY = "admin-key";

    /**
     * What came.
     *
     * @param id empty if it has none of its own
     * @param type empty for a comment
     */
    record Event(String id, String type, String data) {

        JsonNode json() {
            return Bench.json(data);
        }

        /** What it is about and what has become, in short. */
        String summary() {
            JsonNode json = json();
            StringBuilder text = new StringBuilder(type);
            for (String field : new String[] {"backend", "from", "to", "failure", "draining", "ends_at"}) {
                if (json.has(field)) {
                    text.append(' ').append(json.get(field).asText());
                }
            }
            return text.toString();
        }
    }

    private final Socket socket;
    private final BufferedReader lines;
    final String head;

    EventReader(Bench bench, String query, String lastEventId) throws IOException {
        socket = bench.socket();
        Bench.send(
                socket,
                "GET /router/events" + query + " HTTP/1.0\r\nAuthorization: Bearer " + ADMIN_KEY + "\r\n"
                        + (lastEventId.isEmpty() ? "" : "Last-Event-ID: " + lastEventId + "\r\n") + "\r\n");
        lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        StringBuilder read = new StringBuilder();
        for (String line = lines.readLine(); line != null && !line.isEmpty(); line = lines.readLine()) {
            read.append(line).append('\n');
        }
        head = read.toString();
    }

    static EventReader of(Bench bench) throws IOException {
        return new EventReader(bench, "", "");
    }

    /** The next event or comment; waits for it. */
    Event next() throws IOException {
        String id = "";
        String type = "";
        StringBuilder data = new StringBuilder();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.isEmpty()) {
                return new Event(id, type, data.toString());
            }
            int colon = line.indexOf(':');
            String value = line.substring(colon + 1).stripLeading();
            switch (line.substring(0, colon)) {
                case "id" -> id = value;
                case "event" -> type = value;
                case "data", "" -> data.append(value);
                default -> throw new AssertionError("no such field: " + line);
            }
        }
        throw new AssertionError("the stream has ended");
    }

    /** The next event of a kind. */
    Event next(String type) throws IOException {
        Event event = next();
        while (!event.type().equals(type)) {
            event = next();
        }
        return event;
    }

    /** Whatever still comes, up to the end. */
    String rest() throws IOException {
        StringBuilder rest = new StringBuilder();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            rest.append(line).append('\n');
        }
        return rest.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
