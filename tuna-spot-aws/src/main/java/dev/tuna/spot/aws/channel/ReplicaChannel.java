package dev.tuna.spot.aws.channel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Secret;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.UnservedAnswer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.URI;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host's end of the one port of a replica. The first look enrols the machine: it proves that it is the one that was
 * launched, gets a certificate and then the keys that its engine needs. From then on only that certificate is believed. Every
 * look is a sign of life, without which the machine ends itself.
 *
 * <p>Calls block for seconds at most, and may be repeated at will; one follows the other. The host connects to the replica
 * and never the other way round. Thread-safe; holds one connection and no thread.
 */
public final class ReplicaChannel implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaChannel.class);
    private static final String LOOK = "/agent/look";

    /** By these the agent says that a request has not reached the engine. */
    private static final List<UnservedAnswer> UNSERVED = List.of(
            new UnservedAnswer(503, "tuna-replica-draining", Duration.ofSeconds(5)),
            new UnservedAnswer(503, "tuna-replica-engine-not-ready", Duration.ofSeconds(5)));

    private final DeploymentTrust trust;
    private final String replica;
    private final InetSocketAddress address;
    private final Supplier<Map<String, Secret>> environment;
    private final ChannelTimes times;
    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by the lock.
    private @Nullable AgentConnection open;

    /**
     * A channel to one replica; connects when it is used.
     *
     * @param trust of the replica's deployment
     * @param replica as in {@link DeploymentTrust#name}
     * @param address where it listens, resolved
     * @param environment what its engine needs and nobody else may see: variables by name; asked when they are sent
     * @param times how long it is waited for
     */
    public ReplicaChannel(
            DeploymentTrust trust,
            String replica,
            InetSocketAddress address,
            Supplier<Map<String, Secret>> environment,
            ChannelTimes times) {
        this.trust = Objects.requireNonNull(trust, "trust");
        this.replica = Objects.requireNonNull(replica, "replica");
        this.address = Objects.requireNonNull(address, "address");
        this.environment = Objects.requireNonNull(environment, "environment");
        this.times = Objects.requireNonNull(times, "times");
    }

    /**
     * How the router reaches the engine. The engine's key is for the caller to add.
     *
     * @return an address that no other machine can take over
     */
    public BackendAddress backend() {
        String host = address.getHostString();
        String bracketed = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        return BackendAddress.of(URI.create("https://" + bracketed + ":" + address.getPort()))
                .withUnserved(UNSERVED)
                .withTls(trust.router(replica));
    }

    /**
     * Asks the replica how it is, and does what it still needs from the host: vouches for it, brings its engine's keys.
     *
     * @return its answer
     * @throws UntrustedReplicaException if somebody else answers there, or the deployment's authority is lost
     * @throws IOException if it does not answer (it may be booting), or not as an agent would
     */
    public ReplicaReport look() throws IOException {
        lock.lock();
        try {
            JsonNode seen = ask("GET", LOOK, NullNode.instance);
            if (!seen.path("secrets").asBoolean()) {
                bring();
                seen = ask("GET", LOOK, NullNode.instance);
            }
            return ReportReader.read(seen);
        } finally {
            lock.unlock();
        }
    }

    private void bring() throws IOException {
        ObjectNode body = AgentConnection.JSON.createObjectNode();
        ObjectNode variables = body.putObject("environment");
        environment.get().forEach((name, value) -> variables.put(name, value.reveal()));
        ask("PUT", "/agent/secrets", body);
    }

    /** Asks whom the authority vouches for. A connection that was kept may have ended meanwhile; every question may be repeated. */
    private JsonNode ask(String method, String path, JsonNode body) throws IOException {
        AgentConnection kept = open;
        if (kept != null) {
            try {
                return told(method + " " + path, kept.ask(method, path, body, times.exchange()));
            } catch (IOException e) {
                hangUp();
            }
        }
        AgentConnection made = connect();
        open = made;
        try {
            return told(method + " " + path, made.ask(method, path, body, times.exchange()));
        } catch (IOException e) {
            hangUp();
            throw e;
        }
    }

    private static JsonNode told(String question, AgentConnection.Answer answer) throws IOException {
        if (answer.status() != 200) {
            throw new ProtocolException("the agent answered " + question + " with HTTP " + answer.status());
        }
        return answer.body();
    }

    private AgentConnection connect() throws IOException {
        Optional<String> lost = trust.lost();
        if (lost.isPresent()) {
            throw new UntrustedReplicaException(lost.get());
        }
        Optional<Secret> token = trust.openToken(replica);
        try {
            AgentConnection connection = enrolled();
            if (token.isPresent()) {
                forgetToken(connection); // an enrolment of which the host's end was lost
            }
            return connection;
        } catch (SSLException e) {
            if (!isDistrust(e)) {
                throw e;
            }
            if (token.isEmpty()) {
                throw untrusted("it does not show the certificate of replica '" + replica + "'", e);
            }
            enrol(token.get());
            AgentConnection connection = enrolled();
            forgetToken(connection);
            return connection;
        }
    }

    private void forgetToken(AgentConnection connection) {
        try {
            trust.forget(replica);
        } catch (RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    private AgentConnection enrolled() throws IOException {
        return AgentConnection.open(address, trust.controller(replica).sslContext(), times);
    }

    /** Nothing but a random number is told before the machine has proved itself, and the proof holds for this connection. */
    private void enrol(Secret token) throws IOException {
        try (AgentConnection connection =
                AgentConnection.open(address, trust.controller(replica).sslContext(new ProvenLater()), times)) {
            X509Certificate shown = connection.shown();
            Enrolment enrolment = new Enrolment();
            ObjectNode nonce = AgentConnection.JSON.createObjectNode().put("nonce", enrolment.nonce());
            AgentConnection.Answer proof = connection.ask("POST", "/agent/enrol", nonce, times.exchange());
            if (proof.status() != 200
                    || !enrolment.isProvedBy(proof.body().path("proof").asText(), shown, token)) {
                throw untrusted("it does not know the token that replica '" + replica + "' was launched with", null);
            }
            ObjectNode certificate = AgentConnection.JSON.createObjectNode();
            certificate.put("certificate", trust.vouch(replica, shown.getPublicKey()));
            told("PUT /agent/certificate", connection.ask("PUT", "/agent/certificate", certificate, times.exchange()));
            LOG.info("replica {} at {} is enrolled", replica, address.getHostString());
        } catch (SSLException e) {
            throw isDistrust(e) ? untrusted("it shows no certificate that replica '" + replica + "' could have", e) : e;
        }
    }

    /** As opposed to a handshake that was cut, or took too long. */
    private static boolean isDistrust(SSLException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException) {
                return true;
            }
        }
        return false;
    }

    private UntrustedReplicaException untrusted(String why, @Nullable Throwable cause) {
        String message =
                "what answers at " + address.getHostString() + ":" + address.getPort() + " is not believed: " + why;
        return cause == null ? new UntrustedReplicaException(message) : new UntrustedReplicaException(message, cause);
    }

    private void hangUp() {
        if (open != null) {
            open.close();
            open = null;
        }
    }

    /** Hangs up; the replica goes on, until it has heard nothing for its orphan time-out. The channel may be used again. */
    @Override
    public void close() {
        lock.lock();
        try {
            hangUp();
        } finally {
            lock.unlock();
        }
    }
}
