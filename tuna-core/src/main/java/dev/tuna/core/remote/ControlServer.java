package dev.tuna.core.remote;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.tuna.api.Budget;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.Orphan;
import dev.tuna.api.Secret;
import dev.tuna.api.StoreException;
import dev.tuna.api.TunaException;
import dev.tuna.core.config.RequestJson;
import dev.tuna.core.config.Wire;
import dev.tuna.core.control.Allowance;
import dev.tuna.core.control.Bundle;
import dev.tuna.core.control.Confided;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets other processes of the same user act on a control plane: HTTP on loopback at any free port, for whoever knows the
 * token in the state directory's {@code control.json}. Thread-safe; its threads are its own.
 *
 * <p>Every answer is an {@link Answer} on a line. What takes long comes as a stream of them, with empty lines in between so
 * that either side notices when the other one is gone.
 */
public final class ControlServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);

    static final int OK = 200;
    static final int REFUSED = 409;
    static final int FORBIDDEN = 403;
    static final int NOT_FOUND = 404;
    private static final int FAILED = 500;
    private static final int NO_BODY = -1;
    private static final int LENGTH_UNKNOWN = 0;
    private static final int TOKEN_BYTES = 32;
    /** More than anybody waits in at once; a stream of events or a destroy takes one for as long as it lasts. */
    private static final int MOST_THREADS = 64;

    /** How long closing waits for answers that are about to be told. */
    private static final Duration LAST_ANSWERS = Duration.ofSeconds(1);

    private static final int LONGEST_REQUEST = 1 << 20;

    /** A deployment with a long ledger. */
    private static final int LONGEST_BUNDLE = 1 << 28;

    private final ControlPlane plane;
    private final Optional<Path> directory;
    private final Optional<Lodging> lodging;
    private final Secret token;
    private final ExecutorService workers = Workers.named("tuna-control-endpoint", MOST_THREADS);
    private final HttpServer http;

    /** This one and everybody who waits for the end of something. */
    private final Phaser waiting = new Phaser(1);

    private final AtomicBoolean closed = new AtomicBoolean();

    private ControlServer(
            ControlPlane plane, int port, Secret token, Optional<Path> directory, Optional<Lodging> lodging)
            throws IOException {
        this.plane = plane;
        this.directory = directory;
        this.lodging = lodging;
        this.token = token;
        this.http = Workers.hosting("tuna-control-endpoint-listener", () -> {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            server.createContext("/", this::handle);
            server.setExecutor(workers);
            server.start();
            return server;
        });
    }

    /**
     * Opens a control endpoint and says so in the state directory.
     *
     * @param plane what is acted on; stays the caller's
     * @param directory the state directory, whose lock the caller holds; made if it is missing
     * @param random makes the token
     * @return to be closed before the lock is released
     * @throws StoreException {@code STORE_UNWRITABLE} if the directory cannot be written, {@code STORE_LOCKED} if another
     *     process answers for it
     * @throws ConfigurationException {@code ENDPOINT_UNAVAILABLE} if there is no loopback address to listen on
     */
    public static ControlServer open(ControlPlane plane, Path directory, RandomGenerator random) {
        ControlAddress.in(directory).filter(ControlAddress::isOfAnotherProcess).ifPresent(other -> {
            throw new StoreException(
                    ErrorCode.STORE_LOCKED,
                    "process " + other.pid() + " answers for " + directory
                            + " already; give this one a state directory of"
                            + " its own, or switch its control endpoint off with controlEndpoint(false)",
                    null);
        });
        var bytes = new byte[TOKEN_BYTES];
        random.nextBytes(bytes);
        ControlServer server;
        try {
            server = new ControlServer(
                    plane, 0, Secret.of(HexFormat.of().formatHex(bytes)), Optional.of(directory), Optional.empty());
        } catch (IOException e) {
            throw unavailable("switch it off with controlEndpoint(false), or free a port", e);
        }
        try {
            ControlAddress.ofThisProcess(server.uri(), server.token).writeTo(directory);
            return server;
        } catch (IOException e) {
            server.close();
            throw new StoreException(
                    ErrorCode.STORE_UNWRITABLE,
                    "the control endpoint's address cannot be written to " + directory + ": " + e
                            + "; check the permissions of the directory, or choose another one",
                    e);
        }
    }

    /**
     * Opens a control endpoint for whoever relays to it, at a port that is known beforehand. {@code GET /health} is answered
     * to anybody.
     *
     * @param plane what is acted on; stays the caller's
     * @param port on loopback
     * @param token what callers must know
     * @param lodging what else is done here
     * @return to be closed by the caller
     * @throws ConfigurationException {@code ENDPOINT_UNAVAILABLE} if the port is taken
     */
    public static ControlServer at(ControlPlane plane, int port, Secret token, Lodging lodging) {
        try {
            return new ControlServer(plane, port, token, Optional.empty(), Optional.of(lodging));
        } catch (IOException e) {
            throw unavailable("free port " + port, e);
        }
    }

    private static ConfigurationException unavailable(String fix, IOException cause) {
        return new ConfigurationException(
                ErrorCode.ENDPOINT_UNAVAILABLE,
                "the control endpoint cannot listen on " + InetAddress.getLoopbackAddress() + ": " + cause.getMessage()
                        + "; " + fix,
                cause);
    }

    private URI uri() {
        InetSocketAddress bound = http.getAddress();
        String host = bound.getAddress().getHostAddress();
        return URI.create("http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + bound.getPort());
    }

    private void handle(HttpExchange exchange) {
        try (exchange) {
            if (isFromOwner(exchange)) {
                route(exchange);
            } else if (lodging.isPresent()
                    && exchange.getRequestURI().getRawPath().equals("/health")) {
                exchange.sendResponseHeaders(OK, NO_BODY);
            } else {
                exchange.sendResponseHeaders(FORBIDDEN, NO_BODY);
            }
        } catch (IOException e) {
            LOG.debug("Somebody left the control endpoint before the answer: {}", e.toString());
        } catch (InterruptedException e) {
            // Closing; whoever waits sees the end of the stream.
            Thread.currentThread().interrupt();
        }
    }

    private boolean isFromOwner(HttpExchange exchange) {
        String said = exchange.getRequestHeaders().getFirst("Authorization");
        return said != null && said.startsWith("Bearer ") && isToken(said.substring("Bearer ".length()));
    }

    private boolean isToken(String text) {
        return !text.isEmpty() && token.equals(Secret.of(text));
    }

    private void route(HttpExchange exchange) throws IOException, InterruptedException {
        List<String> path = Arrays.stream(
                        exchange.getRequestURI().getRawPath().substring(1).split("/", -1))
                .map(part -> URLDecoder.decode(part, StandardCharsets.UTF_8))
                .toList();
        String subject = path.size() > 1 ? path.get(1) : "";
        String what = exchange.getRequestMethod() + " " + path.get(0) + (path.size() > 2 ? " " + path.get(2) : "");
        switch (what) {
            case "GET deployments" -> reply(exchange, () -> DeploymentText.of(plane.deployments()));
            case "GET deployments status" -> reply(exchange, () -> plane.status(subject));
            case "GET deployments cost" -> reply(exchange, () -> plane.cost(subject));
            case "GET deployments key" ->
                reply(
                        exchange,
                        () -> live(subject).apiKey().map(Secret::reveal).stream()
                                .toList());
            case "GET deployments request" ->
                reply(exchange, () -> live(subject).request());
            case "GET deployments endpoint" -> wait(exchange, () -> endpoint(live(subject)));
            case "GET deployments certificate" -> wait(exchange, () -> certificate(live(subject)));
            case "GET deployments ready" ->
                wait(exchange, () -> live(subject).ready().thenApply(Deployment::name));
            case "GET deployments rolled" -> wait(exchange, () -> live(subject).rolled());
            case "POST deploy" -> onRequest(exchange, request -> DeploymentText.of(plane.deploy(request)));
            case "POST plan" -> onRequest(exchange, plane::plan);
            case "POST redeploy" -> onRequest(exchange, request -> DeploymentText.of(plane.redeploy(request)));
            case "POST check" -> onBody(exchange, CheckText.class, check -> check.askOf(plane));
            case "POST gpus" -> onBody(exchange, GpuQuery.class, plane::gpus);
            case "POST logs" -> onBody(exchange, LogsText.class, logs -> plane.logs(logs.name(), logs.lines()));
            case "POST deployments clear-cache" -> reply(exchange, () -> plane.clearCache(subject));
            case "POST deployments destroy" -> wait(exchange, () -> plane.destroy(subject));
            case "GET budget" -> reply(exchange, plane::overallBudget);
            case "POST budget" ->
                onBody(exchange, Budget.class, limits -> {
                    plane.setOverallBudget(limits);
                    return true;
                });
            case "GET summaries" -> reply(exchange, () -> plane.summaries(Integer.parseInt(subject)));
            case "GET history" -> reply(exchange, () -> plane.history(Integer.parseInt(subject)));
            case "GET orphans" -> reply(exchange, plane::orphans);
            case "POST adopt" -> onBody(exchange, Orphan.class, orphan -> DeploymentText.of(plane.adopt(orphan)));
            case "POST remove" -> onBody(exchange, Orphan.class, plane::destroy);
            case "GET events" -> events(exchange);
            case "POST offer" ->
                done(exchange, lodged -> lodged.offer(Wire.read(body(exchange, LONGEST_BUNDLE), Bundle.class)));
            case "POST deployments take" ->
                wait(
                        exchange,
                        () -> CompletableFuture.supplyAsync(
                                () -> lodging.orElseThrow().take(subject, path.get(3)), workers));
            case "POST deployments taken" -> done(exchange, lodged -> lodged.taken(subject, path.get(3)));
            case "POST deployments keep" -> done(exchange, lodged -> lodged.keep(subject, path.get(3)));
            case "POST allow" ->
                lodged(exchange, lodged -> lodged.allow(Wire.read(body(exchange, LONGEST_BUNDLE), Allowance.class)));
            case "POST vacate" -> lodged(exchange, Lodging::vacate);
            case "POST confide" -> done(exchange, lodged -> lodged.confide(Wire.read(body(exchange), Confided.class)));
            case "POST upgrade" ->
                done(exchange, lodged -> lodged.upgrade(Wire.read(body(exchange, LONGEST_REQUEST), NextJar.class)));
            default -> exchange.sendResponseHeaders(NOT_FOUND, NO_BODY);
        }
    }

    private static String body(HttpExchange exchange) throws IOException {
        return body(exchange, LONGEST_REQUEST);
    }

    private static String body(HttpExchange exchange, int longest) throws IOException {
        return new String(exchange.getRequestBody().readNBytes(longest), StandardCharsets.UTF_8);
    }

    private void done(HttpExchange exchange, Step step) throws IOException {
        lodged(exchange, lodged -> {
            step.of(lodged);
            return true;
        });
    }

    private void lodged(HttpExchange exchange, Question question) throws IOException {
        if (lodging.isEmpty()) {
            exchange.sendResponseHeaders(NOT_FOUND, NO_BODY);
            return;
        }
        reply(exchange, () -> {
            try {
                return question.of(lodging.get());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private interface Step {
        void of(Lodging lodging) throws IOException;
    }

    private interface Question {
        Object of(Lodging lodging) throws IOException;
    }

    private static <T> void onBody(HttpExchange exchange, Class<T> type, Function<T, ?> work) throws IOException {
        String body = body(exchange);
        reply(exchange, () -> work.apply(Wire.read(body, type)));
    }

    private static void onRequest(HttpExchange exchange, Function<DeployRequest, ?> work) throws IOException {
        String body = body(exchange);
        reply(exchange, () -> work.apply(RequestJson.read(body, "the request that was handed over")));
    }

    private Deployment live(String name) {
        return plane.deployment(name)
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.NO_SUCH_DEPLOYMENT, "no live deployment is named '" + name + "'"));
    }

    private static CompletableFuture<URI> endpoint(Deployment deployment) {
        return deployment instanceof ElsewhereDeployment there
                ? there.endpointLater()
                : CompletableFuture.completedFuture(deployment.endpoint());
    }

    /** None, or one. */
    private static CompletableFuture<List<String>> certificate(Deployment deployment) {
        CompletableFuture<Optional<String>> shown = deployment instanceof ElsewhereDeployment there
                ? there.certificateLater()
                : CompletableFuture.completedFuture(deployment.certificate());
        return shown.thenApply(pem -> pem.stream().toList());
    }

    private static void reply(HttpExchange exchange, Supplier<?> question) throws IOException {
        Answer<?> answer = answer(question);
        if (answer.isNone()) {
            exchange.sendResponseHeaders(FAILED, NO_BODY);
            return;
        }
        byte[] body = Wire.write(answer).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(answer.failure().isPresent() ? REFUSED : OK, body.length);
        exchange.getResponseBody().write(body);
    }

    private static Answer<?> answer(Supplier<?> question) {
        try {
            return Answer.of(question.get());
        } catch (TunaException e) {
            return Answer.of(e);
        } catch (RuntimeException e) {
            LOG.warn("The control endpoint has no answer to give", e);
            return Answer.none();
        }
    }

    /** Answers when something has come to its end. */
    private void wait(HttpExchange exchange, Supplier<CompletableFuture<?>> begin)
            throws IOException, InterruptedException {
        waiting.register();
        try {
            answerAtEnd(exchange, begin);
        } finally {
            waiting.arriveAndDeregister();
        }
    }

    private static void answerAtEnd(HttpExchange exchange, Supplier<CompletableFuture<?>> begin)
            throws IOException, InterruptedException {
        CompletableFuture<?> end;
        try {
            end = begin.get();
        } catch (RuntimeException e) {
            reply(exchange, () -> {
                throw e;
            });
            return;
        }
        var lines = new Lines();
        var unused = end.whenComplete((value, failure) -> {
            try {
                lines.add(Wire.write(answer(() -> outcome(end))));
            } finally {
                lines.end();
            }
        });
        // Only an answer that was ended is safe from what comes next, the end of the server say.
        try (OutputStream out = streaming(exchange)) {
            lines.writeTo(out);
        }
    }

    private static Object outcome(CompletableFuture<?> end) {
        try {
            return end.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    private void events(HttpExchange exchange) throws IOException, InterruptedException {
        var lines = new Lines();
        ControlPlane.Subscription subscription = plane.events(event -> lines.add(Wire.write(Answer.of(event))));
        try {
            lines.writeTo(streaming(exchange));
        } finally {
            subscription.close();
        }
    }

    private static OutputStream streaming(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "application/x-ndjson");
        exchange.sendResponseHeaders(OK, LENGTH_UNKNOWN);
        return exchange.getResponseBody();
    }

    /** Often it is the end that somebody elsewhere waits for that makes the host close, so that answer goes out first. */
    private void letEndedBeTold() {
        try {
            waiting.awaitAdvanceInterruptibly(
                    waiting.arriveAndDeregister(), LAST_ANSWERS.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.debug("What others wait for goes on after this process");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Takes the address away and ends what is under way; who waited is told that this process controls no more. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            directory.ifPresent(ControlServer::removeAddress);
            letEndedBeTold();
            workers.shutdownNow();
            http.stop(0);
        }
    }

    private static void removeAddress(Path directory) {
        try {
            ControlAddress.removeFrom(directory);
        } catch (IOException e) {
            LOG.warn("The control endpoint's address in {} could not be removed: {}", directory, e.toString());
        }
    }
}
