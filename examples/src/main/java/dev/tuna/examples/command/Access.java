package dev.tuna.examples.command;

import dev.tuna.api.Deployment;
import dev.tuna.api.Secret;
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

    /** For a person: the facts and a line to paste into a shell. */
    List<String> lines() {
        var lines = new ArrayList<String>();
        lines.add("  endpoint  " + endpoint);
        lines.add("  model     " + model);
        apiKey.ifPresent(key -> lines.add("  key       " + key));
        lines.add("  try it    " + curl());
        return lines;
    }

    String curl() {
        String body = "{\"model\":" + JsonText.of(model)
                + ",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],\"max_tokens\":32}";
        return "curl " + endpoint + "/chat/completions"
                + apiKey.map(key -> " -H 'Authorization: Bearer " + key + "'").orElse("")
                + " -H 'Content-Type: application/json' -d " + quoted(body);
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
