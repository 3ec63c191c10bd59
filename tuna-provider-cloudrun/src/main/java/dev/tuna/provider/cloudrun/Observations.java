package dev.tuna.provider.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tuna.api.BackendPhase;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.UnservedAnswer;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;

/** Puts a look at a service into the words of the interface. Pure but for the tokens it asks for. */
final class Observations {

    private static final Duration SOON = Duration.ofSeconds(5);

    /**
     * Google's front end answers in HTML, or in plain words, when no instance served a request; engines answer in JSON. A
     * 404 of its own is of a service that is gone, or that takes no requests from outside.
     */
    private static final List<UnservedAnswer> FRONT_END = List.of(
            new UnservedAnswer(429, "Rate exceeded", SOON),
            new UnservedAnswer(429, "<html", SOON),
            new UnservedAnswer(500, "<html", SOON),
            new UnservedAnswer(503, "<html", SOON),
            new UnservedAnswer(404, "<html", Duration.ZERO));

    private Observations() {}

    /**
     * An observation.
     *
     * @param region where the service is
     * @param idToken for an audience and an account, what a private service is sent
     */
    static ServerlessObservation of(
            TrackedService.Look look, String region, BiFunction<URI, String, Credential> idToken, Prices prices) {
        Service service = look.service();
        return new ServerlessObservation(
                look.phase(),
                look.detail(),
                look.phase() == BackendPhase.READY ? address(service, idToken) : Optional.empty(),
                look.containers(),
                Optional.empty(),
                usdPerHour(service.template(), region, prices));
    }

    private static Optional<BackendAddress> address(Service service, BiFunction<URI, String, Credential> idToken) {
        return service.uri()
                .map(uri -> new BackendAddress(
                                uri,
                                // The engine's key is core's to add where it is not told here.
                                service.isOpenToAll()
                                        ? service.engineKey().map(Credential::bearer)
                                        : Optional.of(idToken.apply(uri, service.annotation(Service.INVOKER))),
                                "/health",
                                service.timeout(),
                                service.concurrency() * service.maxInstances())
                        .withUnserved(FRONT_END));
    }

    private static Optional<BigDecimal> usdPerHour(JsonNode template, String region, Prices prices) {
        JsonNode limits = template.path("containers").path(0).path("resources").path("limits");
        return GpuType.byAccelerator(
                        template.path("nodeSelector").path("accelerator").asText(""))
                .flatMap(gpu -> number(limits.path("cpu").asText(""), "")
                        .flatMap(cpu -> number(limits.path("memory").asText(""), "Gi")
                                .flatMap(memory -> prices.usdPerHour(
                                        gpu.gpu(),
                                        !template.path("gpuZonalRedundancyDisabled")
                                                .asBoolean(),
                                        cpu,
                                        memory,
                                        region))));
    }

    private static Optional<BigDecimal> number(String text, String unit) {
        return text.matches("\\d{1,6}" + unit)
                ? Optional.of(new BigDecimal(text.substring(0, text.length() - unit.length())))
                : Optional.empty();
    }
}
