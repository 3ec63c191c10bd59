package dev.tuna.examples.command;

import dev.tuna.api.Deployment;
import dev.tuna.api.Secret;
import dev.tuna.examples.terminal.Table;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * @param certificate file with the certificate that the endpoint shows, if it has one of its own
 */
record Access(String name, URI endpoint, String model, Optional<String> apiKey, Optional<Path> certificate) {

    /** The certificate, which is no secret, is put into the state directory. */
    static Access to(Deployment deployment, Path stateDirectory) {
        return new Access(
                deployment.name(),
                deployment.endpoint(),
                deployment.request().model(),
                deployment.apiKey().map(Secret::reveal),
                deployment.certificate().map(pem -> kept(pem, stateDirectory.resolve(deployment.name() + ".pem"))));
    }

    private static Path kept(String pem, Path file) {
        try {
            Files.createDirectories(file.resolveSibling("."));
            return Files.writeString(file, pem);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    /** For a person: the facts, a line to paste into a shell, and some for jshell. */
    List<String> lines() {
        var lines = new ArrayList<String>();
        lines.add("  name      " + name);
        lines.add("  endpoint  " + endpoint);
        lines.add("  model     " + model);
        apiKey.ifPresent(key -> lines.add("  key       " + key));
        certificate.ifPresent(file -> lines.add("  shows     " + file));
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
                + certificate
                        .map(file -> " --cacert " + quoted(file.toString()))
                        .orElse("")
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
        certificate.ifPresent(file -> lines.addAll(believing(file)));
        lines.add("System.out.println("
                + (certificate.isPresent()
                        ? "java.net.http.HttpClient.newBuilder().sslContext(tls).build()"
                        : "java.net.http.HttpClient.newHttpClient()")
                + ".send(request,"
                + " java.net.http.HttpResponse.BodyHandlers.ofString()).body());");
        return lines;
    }

    private static List<String> believing(Path certificate) {
        return List.of(
                "var keys = java.security.KeyStore.getInstance(\"PKCS12\"); keys.load(null, null);"
                        + " keys.setCertificateEntry(\"endpoint\", java.security.cert.CertificateFactory.getInstance(\"X.509\")"
                        + ".generateCertificate(new java.io.FileInputStream(" + JsonText.of(certificate.toString())
                        + ")));",
                "var trust = javax.net.ssl.TrustManagerFactory.getInstance(\"PKIX\"); trust.init(keys);"
                        + " var tls = javax.net.ssl.SSLContext.getInstance(\"TLS\"); tls.init(null, trust.getTrustManagers(), null);");
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
