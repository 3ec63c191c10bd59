package dev.tuna.core.remote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane.Subscription;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.api.TimedOutException;
import dev.tuna.api.TunaException;
import dev.tuna.core.config.Wire;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Questions to a {@link ControlServer} and their {@link Answer}s. What goes wrong on the way is told as a
 * {@link TunaException} that names the process. Thread-safe.
 */
final class Connection implements AutoCloseable {

    /** How long the other process may take to begin with an answer that it has at hand. */
    static final Duration PATIENCE = Duration.ofSeconds(10);

    /** How much longer it may take when it has to ask others, such as every provider for orphans. */
    private static final int PATIENCE_WITH_OTHERS = 12;

    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

    private static final TypeReference<Answer<String>> NOTHING = new TypeReference<>() {};

    private final Peer peer;
    private final Duration patience;
    private final ExecutorService threads = Workers.named("tuna-remote");
    private final HttpClient client;
    private final Set<InputStream> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    Connection(Peer peer, Duration patience) {
        this.peer = peer;
        this.patience = patience;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .executor(threads)
                .connectTimeout(patience)
                .version(HttpClient.Version.HTTP_1_1)
                .proxy(HttpClient.Builder.NO_PROXY);
        peer.tls().ifPresent(tls -> builder.sslContext(tls.sslContext()));
        this.client = builder.build();
    }

    /** Who is at the other end, for people. */
    String name() {
        return peer.name();
    }

    /** Asks for what is at hand there. */
    <T> T ask(String path, TypeReference<Answer<T>> type) {
        return only(send("GET", path, "", patience), type);
    }

    /** Asks for what is looked up elsewhere first. */
    <T> T askOthers(String path, TypeReference<Answer<T>> type) {
        return only(send("GET", path, "", patience.multipliedBy(PATIENCE_WITH_OTHERS)), type);
    }

    /** Hands something over; others may have to be asked about it. */
    <T> T hand(String path, Object what, TypeReference<Answer<T>> type) {
        return only(send("POST", path, Wire.write(what), patience.multipliedBy(PATIENCE_WITH_OTHERS)), type);
    }

    /** Returns when the other process has taken it on; completes when that has come to its end. */
    <T> CompletableFuture<T> begin(String method, String path, TypeReference<Answer<T>> type) {
        InputStream stream = send(method, path, "", patience);
        return CompletableFuture.supplyAsync(() -> only(stream, type), threads);
    }

    /**
     * Hands on everything that comes, from when it returns on, one after the other.
     *
     * @param ended told why nothing more comes, if nobody here wanted that
     */
    <T> Subscription follow(String path, TypeReference<Answer<T>> type, Consumer<T> listener, Consumer<String> ended) {
        InputStream stream = send("GET", path, "", patience);
        threads.execute(() -> each(stream, type, listener, ended));
        return () -> close(stream);
    }

    private <T> T only(InputStream stream, TypeReference<Answer<T>> type) {
        Pulse pulse = pulse(stream);
        try (pulse;
                BufferedReader lines = reader(stream)) {
            String line = next(lines, pulse);
            if (line.isEmpty()) {
                throw new EOFException("no answer came");
            }
            return read(line, type);
        } catch (IOException e) {
            throw pulse.isSilent() ? silent(patience) : gone(e);
        } finally {
            open.remove(stream);
        }
    }

    /** A process that hangs sends no heartbeats either: then its stream is ended here. */
    private Pulse pulse(InputStream stream) {
        return Pulse.watch(patience, threads, () -> end(stream));
    }

    private <T> void each(
            InputStream stream, TypeReference<Answer<T>> type, Consumer<T> listener, Consumer<String> ended) {
        String why;
        try (Pulse pulse = pulse(stream);
                BufferedReader lines = reader(stream)) {
            for (String line = next(lines, pulse); !line.isEmpty(); line = next(lines, pulse)) {
                tell(listener, read(line, type));
            }
            why = pulse.isSilent() ? "it hangs" : "it closed, or the listener was too slow for it";
        } catch (IOException | TunaException e) {
            why = e.toString();
        }
        if (open.remove(stream)) {
            ended.accept(why);
        }
    }

    private <T> void tell(Consumer<T> listener, T what) {
        try {
            listener.accept(what);
        } catch (RuntimeException | Error e) {
            LOG.warn("A listener failed on what {} told", peer.name(), e);
        }
    }

    private static BufferedReader reader(InputStream stream) {
        return new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
    }

    /** The next line with something in it; empty at the end. */
    private static String next(BufferedReader lines, Pulse pulse) throws IOException {
        String line = lines.readLine();
        pulse.beat();
        while (line != null && line.isEmpty()) {
            line = lines.readLine();
            pulse.beat();
        }
        return line == null ? "" : line;
    }

    private <T> T read(String line, TypeReference<Answer<T>> type) {
        try {
            Answer<T> answer = Wire.MAPPER.readValue(line, type);
            if (answer.isNone()) {
                throw noAnswer("what it was asked");
            }
            return answer.orThrow();
        } catch (JsonProcessingException e) {
            throw otherVersion(e);
        }
    }

    private InputStream send(String method, String path, String body, Duration limit) {
        CompletableFuture<HttpResponse<InputStream>> sent =
                client.sendAsync(request(method, path, body), BodyHandlers.ofInputStream());
        try {
            return body(sent.get(limit.toMillis(), TimeUnit.MILLISECONDS), path);
        } catch (TimeoutException e) {
            throw silent(limit);
        } catch (ExecutionException e) {
            throw gone(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimedOutException("interrupted while " + peer.name() + " was asked for " + path);
        } finally {
            // For nothing, unless nobody waits for it any more.
            sent.cancel(true);
        }
    }

    private HttpRequest request(String method, String path, String body) {
        if (closed) {
            throw closed();
        }
        return HttpRequest.newBuilder(peer.uri().resolve("/" + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .header("Authorization", "Bearer " + peer.token().reveal())
                .build();
    }

    private InputStream body(HttpResponse<InputStream> response, String path) {
        InputStream body = response.body();
        open.add(body);
        if (response.statusCode() == ControlServer.OK && !closed) {
            return body;
        }
        if (response.statusCode() == ControlServer.REFUSED) {
            only(body, NOTHING);
        }
        close(body);
        throw switch (response.statusCode()) {
            case ControlServer.OK -> closed();
            case ControlServer.FORBIDDEN -> gone(new IOException("another process answers at " + peer.uri()));
            case ControlServer.NOT_FOUND -> otherVersion(null);
            default -> noAnswer("'" + path + "'");
        };
    }

    private IllegalStateException noAnswer(String what) {
        return new IllegalStateException(peer.name() + " could not answer " + what + "; see its log");
    }

    private void close(InputStream stream) {
        open.remove(stream);
        end(stream);
    }

    private void end(InputStream stream) {
        try {
            stream.close();
        } catch (IOException e) {
            LOG.debug("A stream of {} did not close: {}", peer.name(), e.toString());
        }
    }

    StoreException otherVersion(@Nullable Throwable cause) {
        return new StoreException(
                ErrorCode.STORE_TOO_NEW,
                peer.full() + ", runs a version of Tuna that this one cannot talk to; " + peer.ifOtherVersion(),
                cause);
    }

    private TimedOutException silent(Duration limit) {
        return new TimedOutException(
                peer.full() + ", does not answer within " + limit.toSeconds() + " s; " + peer.ifSilent());
    }

    private ConfigurationException gone(Throwable cause) {
        return closed ? closed() : new ConfigurationException(ErrorCode.CLOSED, peer.ifGone(), cause);
    }

    private static ConfigurationException closed() {
        return new ConfigurationException(
                ErrorCode.CLOSED, "the connection to the controlling process is closed; open another one");
    }

    /** Ends what is under way, and leaves the other process alone. Idempotent. */
    @Override
    public void close() {
        closed = true;
        Set.copyOf(open).forEach(this::close);
        threads.shutdown();
    }
}
