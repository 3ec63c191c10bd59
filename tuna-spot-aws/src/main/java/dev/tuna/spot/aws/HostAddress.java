package dev.tuna.spot.aws;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/**
 * Asks who sees this host from outside for the address it is seen from. Keeps nothing; thread-safe.
 *
 * @param http the host's client
 * @param url what answers with the address
 */
record HostAddress(HttpClient http, URI url) {

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final String ADDRESS = "\\d{1,3}(\\.\\d{1,3}){3}";

    /** The address as a range of one. */
    String cidr() {
        HttpRequest request =
                HttpRequest.newBuilder(url).timeout(PATIENCE).GET().build();
        try {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            String address = answer.body().strip();
            if (answer.statusCode() == 200 && address.matches(ADDRESS)) {
                return address + "/32";
            }
            throw unknown("it answered with HTTP " + answer.statusCode() + " and no IPv4 address");
        } catch (IOException e) {
            throw unknown(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unknown("interrupted");
        }
    }

    private ProviderException unknown(String why) {
        return ProviderException.of(AwsOptions.PROVIDER, "ask for this host's address")
                .code(ErrorCode.UNREACHABLE)
                .retryable(true)
                .message(url + " does not tell: " + why
                        + "; set the option ingress to the address ranges that may connect, or to vpc")
                .build();
    }
}
