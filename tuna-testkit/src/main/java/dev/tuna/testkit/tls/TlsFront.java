package dev.tuna.testkit.tls;

import dev.tuna.provider.support.tls.CertificateAuthority;
import dev.tuna.provider.support.tls.CertificateAuthority.Use;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * A loopback port that puts TLS in front of a plain server: it shows a certificate of an authority and lets in only who
 * has another one of it. Thread-safe; its threads are daemons and end when it is closed.
 */
public final class TlsFront implements AutoCloseable {

    private static final char[] NO_PASSWORD = {};

    private final SSLServerSocket listening;
    private final URI behind;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger handshakes = new AtomicInteger();
    private final ExecutorService threads = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "tuna-tls-front");
        thread.setDaemon(true);
        return thread;
    });

    private TlsFront(SSLServerSocket listening, URI behind) {
        this.listening = listening;
        this.behind = behind;
    }

    /**
     * Starts one.
     *
     * @param authority signs its certificate and those of its clients
     * @param name the DNS name in its certificate
     * @param behind the plain server
     * @return a listening front
     */
    public static TlsFront start(CertificateAuthority authority, String name, URI behind) {
        try {
            SSLServerSocket listening = (SSLServerSocket) context(authority, name)
                    .getServerSocketFactory()
                    .createServerSocket(0, 128, InetAddress.getLoopbackAddress());
            listening.setNeedClientAuth(true);
            TlsFront front = new TlsFront(listening, behind);
            front.threads.execute(front::accept);
            return front;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("no certificate for a TLS front", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Where it listens.
     *
     * @return {@code https://127.0.0.1:port}
     */
    public URI uri() {
        return URI.create("https://127.0.0.1:" + listening.getLocalPort());
    }

    /**
     * How many connections were made whose client had a certificate of the authority.
     *
     * @return the count so far
     */
    public int handshakes() {
        return handshakes.get();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                SSLSocket client = (SSLSocket) listening.accept();
                open.add(client);
                threads.execute(() -> relay(client));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void relay(SSLSocket client) {
        try (client;
                Socket server = new Socket(behind.getHost(), behind.getPort())) {
            open.add(server);
            client.startHandshake();
            handshakes.incrementAndGet();
            threads.execute(() -> pipe(client, server));
            pipe(server, client);
            open.remove(server);
        } catch (IOException e) {
            // Refused, or one side hung up.
        } finally {
            open.remove(client);
        }
    }

    /** Relays until one side ends, and then ends both. */
    private static void pipe(Socket from, Socket to) {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[16 << 10];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                out.write(buffer, 0, read);
                out.flush();
            }
        } catch (IOException e) {
            // One side hung up.
        }
    }

    private static SSLContext context(CertificateAuthority authority, String name)
            throws GeneralSecurityException, IOException {
        KeyPair pair = KeyPairGenerator.getInstance("EC").generateKeyPair();
        String own = authority.sign(pair.getPublic(), name, Use.SERVER, Instant.now(), Duration.ofDays(1));
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry("own", pair.getPrivate(), NO_PASSWORD, new Certificate[] {certificate(own)});
        keys.setCertificateEntry("authority", certificate(authority.certificate()));
        KeyManagerFactory presented = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        presented.init(keys, NO_PASSWORD);
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(presented.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }

    private static Certificate certificate(String pem) throws GeneralSecurityException {
        return CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)));
    }

    /** Cuts every connection and stops listening. May be called twice. */
    @Override
    public void close() {
        threads.shutdownNow();
        try {
            listening.close();
            for (Socket each : open) {
                each.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
