package dev.tuna.examples.command;

import dev.tuna.api.Deployment;
import dev.tuna.api.Secret;
import dev.tuna.examples.terminal.Table;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How to reach a deployment. The one result that shows a secret, because it was asked for.
 *
 * @param name the deployment
 * @param endpoint base URL for OpenAI clients
 * @param model model name that requests send
 * @param apiKey the key in clear; empty if none is needed
 */
record Access(String name, URI endpoint, String model, Optional<String> apiKey) {

    static Access to(Deployment deployment) {
        return new Access(
                deployment.name(),
                deployment.endpoint(),
                deployment.request().model(),
                deployment.apiKey().map(Secret::reveal));
    }

    /** For a person: the facts, a line to paste into a shell, and some for jshell. */
    List<String> lines() {
        var lines = new ArrayList<String>();
        lines.add("  name      " + name);
        lines.add("  endpoint  " + endpoint);
        lines.add("  model     " + model);
        apiKey.ifPresent(key -> lines.add("  key       " + key));
        lines.add("  try it    " + curl());
        lines.add("  in Java   (paste it into jshell; any OpenAI client works too)");
        lines.addAll(java());
        return lines;
    }

    Table table() {
        return new Table("NAME", "ENDPOINT", "MODEL", "KEY").row(name, endpoint.toString(), model, apiKey.orElse(""));
    }

    private String body() {
        return "{\"model\":" + JsonText.of(model)
                + ",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],\"max_tokens\":32}";
    }

    String curl() {
        return "curl " + endpoint + "/chat/completions"
                + apiKey.map(key -> " -H 'Authorization: Bearer " + key + "'").orElse("")
                + " -H 'Content-Type: application/json' -d " + quoted(body());
    }

    /** Statements that need nothing but a JDK. */
    List<String> java() {
        var lines = new ArrayList<String>();
        lines.add("var request = java.net.http.HttpRequest.newBuilder(java.net.URI.create("
                + JsonText.of(endpoint + "/chat/completions") + ")).header(\"Content-Type\", \"application/json\")"
                + apiKey.map(key -> ".header(\"Authorization\", " + JsonText.of("Bearer " + key) + ")")
                        .orElse("")
                + ".POST(java.net.http.HttpRequest.BodyPublishers.ofString(" + JsonText.of(body()) + ")).build();");
        lines.add("System.out.println(java.net.http.HttpClient.newHttpClient().send(request,"
                + " java.net.http.HttpResponse.BodyHandlers.ofString()).body());");
        return lines;
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "'\\''") + "'";
    }

    /** Without the key. */
    @Override
    public String toString() {
        return name + " at " + endpoint;
    }
}
