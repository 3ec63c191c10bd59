package dev.tuna.examples;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** The model server of one replica, seen from behind: what it does with its requests can be told and asked. */
final class StandIn {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final JsonMapper JSON = new JsonMapper();

    private final HttpClient http;
    private final URI address;

    StandIn(HttpClient http, URI address) {
        this.http = http;
        this.address = address;
    }

    /** From now on it takes requests and says nothing, as a machine does whose GPU hangs. */
    void fallSilent() throws IOException, InterruptedException {
        send(HttpRequest.newBuilder(address.resolve("/standin/faults"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"kind\":\"stall\",\"at\":\"before_headers\"}")));
    }

    /** How many requests it has answered only in part. */
    long halfAnswered() throws IOException, InterruptedException {
        JsonNode stats = stats();
        return stats.path("running").asLong() + stats.path("waiting").asLong();
    }

    /** How many requests it has, whatever they wait for. */
    long held() throws IOException, InterruptedException {
        JsonNode stats = stats();
        long ended = 0;
        for (String outcome : new String[] {"completed", "rejected", "aborted", "faulted", "killed"}) {
            ended += stats.path(outcome).asLong();
        }
        long thisQuestion = 1;
        return stats.path("requests").asLong() - ended - thisQuestion;
    }

    private JsonNode stats() throws IOException, InterruptedException {
        return JSON.readTree(send(HttpRequest.newBuilder(address.resolve("/standin/stats"))));
    }

    private String send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> answer = http.send(request.timeout(TIMEOUT).build(), BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException(address + " answered " + answer.statusCode() + ": " + answer.body());
        }
        return answer.body();
    }
}
