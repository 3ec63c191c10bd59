package dev.tuna.spot.aws.channel;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * One connection to an agent, on which one question follows the other: who answers is known for all of them. It has no thread
 * and no pool, and every exchange ends in bounded time. Confined to one thread at a time.
 */
final class AgentConnection implements AutoCloseable {

    static final JsonMapper JSON = new JsonMapper();

    private static final int MOST_HEAD = 8 << 10;
    private static final int MOST_BODY = 256 << 10;
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3})( .*)?");
    private static final Pattern LENGTH = Pattern.compile("content-length: *(\\d{1,9}) *");

    /** What an agent says. */
    record Answer(int status, JsonNode body) {}

    private final DeadlineSocket plain;
    private final SSLSocket socket;

    private AgentConnection(DeadlineSocket plain, SSLSocket socket) {
        this.plain = plain;
        this.socket = socket;
    }

    /**
     * Connects, and finds out who is there.
     *
     * @throws javax.net.ssl.SSLException if the other side is not whom the context believes, or does not believe this one
     */
    static AgentConnection open(InetSocketAddress address, SSLContext context, ChannelTimes times) throws IOException {
        DeadlineSocket plain = DeadlineSocket.connect(address, times.connect(), times.ticker());
        try {
            SSLSocket socket = (SSLSocket)
                    context.getSocketFactory().createSocket(plain, address.getHostString(), address.getPort(), true);
            socket.setEnabledProtocols(new String[] {"TLSv1.3"});
            plain.within(times.exchange());
            socket.startHandshake();
            return new AgentConnection(plain, socket);
        } catch (IOException | RuntimeException e) {
            plain.close();
            throw e;
        }
    }

    /** The certificate that the other side has shown and whose key it has. */
    X509Certificate shown() throws IOException {
        return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }

    /**
     * Asks.
     *
     * @param body null node if there is none
     */
    Answer ask(String method, String path, JsonNode body, Duration limit) throws IOException {
        byte[] content = body.isNull() ? new byte[0] : JSON.writeValueAsBytes(body);
        String head =
                method + " " + path + " HTTP/1.1\r\nHost: agent\r\nContent-Length: " + content.length + "\r\n\r\n";
        byte[] request = head.getBytes(StandardCharsets.US_ASCII);
        plain.within(limit);
        byte[] whole = Arrays.copyOf(request, request.length + content.length);
        System.arraycopy(content, 0, whole, request.length, content.length);
        socket.getOutputStream().write(whole);
        socket.getOutputStream().flush();
        return answer(socket.getInputStream());
    }

    private static Answer answer(InputStream in) throws IOException {
        String[] lines = head(in).split("\r\n", -1);
        Matcher status = STATUS.matcher(lines[0]);
        if (!status.matches()) {
            throw new ProtocolException("what answers is no agent");
        }
        int length = 0;
        for (String line : lines) {
            Matcher told = LENGTH.matcher(line.toLowerCase(Locale.ROOT));
            length = told.matches() ? Integer.parseInt(told.group(1)) : length;
        }
        if (length > MOST_BODY) {
            throw new ProtocolException("an agent's answer of " + length + " bytes");
        }
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new EOFException("the agent hung up");
        }
        try {
            return new Answer(Integer.parseInt(status.group(1)), JSON.readTree(body));
        } catch (JsonProcessingException e) {
            throw new ProtocolException("what an agent answers is no JSON");
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.length() < MOST_HEAD) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException("the agent hung up");
            }
            head.append((char) next);
            if (next == '\n' && head.toString().endsWith("\r\n\r\n")) {
                return head.toString();
            }
        }
        throw new ProtocolException("what answers is no agent");
    }

    @Override
    public void close() {
        try {
            plain.close(); // no farewell that could take time
        } catch (IOException e) {
            return; // closed all the same
        }
    }
}
