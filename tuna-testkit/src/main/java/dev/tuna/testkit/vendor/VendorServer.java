package dev.tuna.testkit.vendor;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.tuna.testkit.crash.CallerDeath;
import dev.tuna.testkit.crash.CallerDeath.Moment;
import dev.tuna.testkit.crash.CallerFaults;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * A vendor's HTTP API on a loopback port. A function from request to answer says what the vendor does; this class brings
 * the sockets, the faults and the record. Thread-safe; its threads are daemons named {@code tuna-vendor-<port>-n} and end
 * when it is closed.
 */
public final class VendorServer implements AutoCloseable {

    /** Headers of one connection, which a relay does not hand on. */
    private static final Set<String> OWN_HEADERS = Set.of(
            "connection", "content-length", "transfer-encoding", "host", "upgrade", "http2-settings", "expect", "date");

    private static final int CHUNK = 8192;
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(1);

    private final Function<VendorRequest, VendorAnswer> vendor;
    private final Function<VendorRequest, String> names;
    private final HttpServer server;
    private final ExecutorService threads;
    private final HttpClient http = HttpClient.newHttpClient();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final ReentrantLock lock = new ReentrantLock();
    private volatile CallerFaults callers = CallerFaults.NONE;
    /** Guarded by lock. */
    private final List<VendorFault> faults = new ArrayList<>();
    /** Guarded by lock. */
    private final List<VendorExchange> exchanges = new ArrayList<>();

    private VendorServer(Function<VendorRequest, VendorAnswer> vendor, Function<VendorRequest, String> names)
            throws IOException {
        this.vendor = vendor;
        this.names = names;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        AtomicInteger number = new AtomicInteger();
        this.threads = Executors.newCachedThreadPool(work -> {
            Thread thread =
                    new Thread(work, "tuna-vendor-" + server.getAddress().getPort() + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        server.setExecutor(threads);
        server.createContext("/", this::serve);
    }

    /**
     * Starts one.
     *
     * @param vendor what to do and answer; called by several threads at once
     * @return a listening server
     * @throws UncheckedIOException if it cannot listen
     */
    public static VendorServer start(Function<VendorRequest, VendorAnswer> vendor) {
        return start(vendor, VendorRequest::toString);
    }

    /**
     * Starts one whose requests are not told apart by method and path.
     *
     * @param vendor what to do and answer; called by several threads at once
     * @param names what a request is called where faults are matched and callers die
     * @return a listening server
     * @throws UncheckedIOException if it cannot listen
     */
    public static VendorServer start(
            Function<VendorRequest, VendorAnswer> vendor, Function<VendorRequest, String> names) {
        try {
            VendorServer made =
                    new VendorServer(Objects.requireNonNull(vendor, "vendor"), Objects.requireNonNull(names, "names"));
            made.server.start();
            return made;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot listen on a loopback port", e);
        }
    }

    /**
     * Where it listens.
     *
     * @return {@code http://127.0.0.1:port}
     */
    public URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /**
     * Adds a fault behind those in force.
     *
     * @param fault what to do wrong from now on
     */
    public void inject(VendorFault fault) {
        lock.lock();
        try {
            faults.add(fault);
        } finally {
            lock.unlock();
        }
    }

    /** Drops the faults that have not happened yet. */
    public void clearFaults() {
        lock.lock();
        try {
            faults.clear();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Every exchange so far.
     *
     * @return a snapshot, in the order in which the answers were ready
     */
    public List<VendorExchange> exchanges() {
        lock.lock();
        try {
            return List.copyOf(exchanges);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Decides at which requests the caller dies, instead of whoever decided before.
     *
     * @param faults asked with the name of each request, {@code METHOD /path} by default, before anything is done
     */
    public void callers(CallerFaults faults) {
        callers = Objects.requireNonNull(faults, "faults");
    }

    private Optional<VendorFault> takeFault(String line) {
        lock.lock();
        try {
            for (int at = 0; at < faults.size(); at++) {
                VendorFault fault = faults.get(at);
                if (fault.requests().matcher(line).matches()) {
                    if (fault.times() > 1) {
                        faults.set(at, fault.times(fault.times() - 1));
                    } else {
                        faults.remove(at);
                    }
                    return Optional.of(fault);
                }
            }
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /** An exception that leaves this method makes the server cut the connection. */
    private void serve(HttpExchange exchange) throws IOException {
        VendorRequest request = read(exchange);
        String name = names.apply(request);
        Optional<CallerDeath> death = callers.faultOf(name);
        if (dies(death, Moment.BEFORE_ACTING)) {
            cut(request, "its caller died before anything was done");
        }
        Optional<VendorFault> fault = takeFault(name);
        VendorFault.Kind kind = fault.map(VendorFault::kind).orElse(VendorFault.Kind.ANSWER);
        if (kind == VendorFault.Kind.CUT_BEFORE) {
            cut(request, "cut before anything was done");
        }
        if (kind == VendorFault.Kind.SLOW) {
            await(fault.orElseThrow());
        }
        Optional<VendorAnswer> wrong = fault.flatMap(VendorFault::answer);
        VendorAnswer answer = wrong.orElseGet(() -> vendor.apply(request));
        if (kind == VendorFault.Kind.CUT_AFTER) {
            cut(request, "cut before the answer");
        }
        if (dies(death, Moment.BEFORE_ANSWERING)) {
            cut(request, "its caller died before the answer");
        }
        try {
            if (answer.relay().isPresent()) {
                relay(exchange, request, answer, answer.relay().get());
            } else {
                record(new VendorExchange(
                        request, answer.status(), answer.contentType(), answer.body(), wrong.isPresent()));
                write(exchange, answer);
            }
            boolean unused = dies(death, Moment.AFTER_ANSWERING);
        } finally {
            answer.whenOver().run();
        }
    }

    private static boolean dies(Optional<CallerDeath> death, Moment now) {
        return death.filter(planned -> planned.happens(now)).isPresent();
    }

    private void cut(VendorRequest request, String why) throws IOException {
        record(new VendorExchange(request, 0, "", "", true));
        throw new IOException(why);
    }

    private static VendorRequest read(HttpExchange exchange) throws IOException {
        URI uri = exchange.getRequestURI();
        return new VendorRequest(
                exchange.getRequestMethod(),
                uri.getPath(),
                Objects.requireNonNullElse(uri.getRawQuery(), ""),
                exchange.getRequestHeaders(),
                new String(
                        exchange.getRequestBody().readAllBytes(),
                        charset(Objects.requireNonNullElse(
                                exchange.getRequestHeaders().getFirst("Content-Type"), ""))));
    }

    /** What is no text is a character for each byte. */
    private static Charset charset(String contentType) {
        return contentType.matches("application/(java-archive|octet-stream)|binary/octet-stream")
                ? StandardCharsets.ISO_8859_1
                : StandardCharsets.UTF_8;
    }

    private static void await(VendorFault fault) throws IOException {
        try {
            fault.gate().orElseThrow().await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("closed while it was slow", e);
        }
    }

    private void record(VendorExchange exchange) {
        lock.lock();
        try {
            exchanges.add(exchange);
        } finally {
            lock.unlock();
        }
    }

    private void write(HttpExchange exchange, VendorAnswer answer) throws IOException {
        answer.headers().forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
        if (!answer.contentType().isEmpty()) {
            exchange.getResponseHeaders().set("Content-Type", answer.contentType());
        }
        // This server sends head and body apart; on a connection that stays, the second would wait for an
        // acknowledgement.
        exchange.getResponseHeaders().set("Connection", "close");
        byte[] body = exchange.getRequestMethod().equals("HEAD")
                ? new byte[0]
                : answer.body().getBytes(charset(answer.contentType()));
        if (answer.contentType().startsWith("text/event-stream")) {
            stream(exchange, answer.status(), body);
            return;
        }
        exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    /** Such a stream does not end by itself: comments follow until the client hangs up. */
    private void stream(HttpExchange exchange, int status, byte[] events) throws IOException {
        exchange.sendResponseHeaders(status, 0);
        OutputStream out = exchange.getResponseBody();
        out.write(events);
        out.flush();
        try {
            while (!closed.await(KEEP_ALIVE.toMillis(), TimeUnit.MILLISECONDS)) {
                out.write(":\n\n".getBytes(StandardCharsets.US_ASCII));
                out.flush();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whichever side goes takes the other along. */
    private void relay(HttpExchange exchange, VendorRequest request, VendorAnswer answer, URI target)
            throws IOException {
        HttpRequest.Builder onward = HttpRequest.newBuilder(target)
                .method(
                        request.method(),
                        request.body().isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(request.body()));
        request.headers().forEach((name, values) -> {
            if (!OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
                values.forEach(value -> onward.header(name, value));
            }
        });
        HttpResponse<InputStream> response;
        try {
            response = http.send(onward.build(), BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("closed while relaying", e);
        }
        record(new VendorExchange(
                request,
                response.statusCode(),
                response.headers().firstValue("Content-Type").orElse(""),
                "",
                false));
        response.headers().map().forEach((name, values) -> {
            if (!OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT)) && !name.startsWith(":")) {
                exchange.getResponseHeaders().put(name, values);
            }
        });
        answer.headers().forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
        exchange.sendResponseHeaders(response.statusCode(), 0);
        try (InputStream in = response.body()) {
            OutputStream out = exchange.getResponseBody();
            byte[] chunk = new byte[CHUNK];
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                out.write(chunk, 0, read);
                out.flush();
            }
            out.close();
        }
    }

    /** Stops listening, cuts what is open and ends its threads; may be called twice. */
    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
