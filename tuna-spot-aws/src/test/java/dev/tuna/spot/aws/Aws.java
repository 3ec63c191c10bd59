package dev.tuna.spot.aws;

import com.sun.net.httpserver.HttpServer;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.ProviderContext;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.InstanceRunner;
import dev.tuna.testkit.aws.InstanceView;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/** A stand-in of AWS whose machines run a stand-in of vLLM, and what the provider needs to work with it. */
final class Aws implements AutoCloseable {

    private static final String CREDENTIALS = "aws/credentials";

    private final AwsStandIn cloud;
    private final HttpServer outside;
    private volatile String seenFrom = "203.0.113.7";
    /** Owner to the context whose secrets its machines get. */
    private final Map<String, ProviderContext> owners = new ConcurrentHashMap<>();
    /** Ids of machines that somebody tried to speak to. */
    private final Set<String> spokenTo = ConcurrentHashMap.newKeySet();

    private Aws(UnaryOperator<AwsStandIn.Builder> config, boolean serving) {
        InstanceRunner runner = machine -> serving ? engine(machine.view()) : () -> {};
        cloud = config.apply(AwsStandIn.builder().runner(runner)).start();
        try {
            outside = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        outside.createContext("/", exchange -> {
            byte[] answer = exchange.getRequestURI().getPath().equals("/ip")
                    ? (seenFrom + "\n").getBytes(StandardCharsets.UTF_8)
                    : "{}".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        outside.start();
    }

    static Aws start() {
        return new Aws(config -> config, false);
    }

    static Aws start(UnaryOperator<AwsStandIn.Builder> config) {
        return new Aws(config, false);
    }

    /** Whose machines answer requests. */
    static Aws serving() {
        return new Aws(config -> config, true);
    }

    private VllmStandIn engine(InstanceView machine) {
        ProviderContext owner =
                Optional.ofNullable(owners.get(tag(machine, Names.OWNER))).orElseThrow();
        Secret key = owner.secrets()
                .get(new SecretRef(tag(machine, Names.ENGINE_KEY)))
                .orElseThrow();
        return VllmStandIn.builder()
                .host(machine.publicAddress().orElse(machine.privateAddress()))
                .port(Integer.parseInt(tag(machine, Names.PORT)))
                .servedModelNames(tag(machine, Names.DEPLOYMENT))
                .apiKeys(key)
                .bootTime(Duration.ofMillis(50))
                .start();
    }

    private static String tag(InstanceView machine, String key) {
        return machine.tags().getOrDefault(key, "");
    }

    /** From now on the host has another address. */
    void seeFrom(String address) {
        seenFrom = address;
    }

    AwsStandIn cloud() {
        return cloud;
    }

    AwsProvider provider() {
        return new AwsProvider(context -> new TestLink(context, cloud, spokenTo));
    }

    Set<String> spokenTo() {
        return spokenTo;
    }

    /** A new installation that can use the stand-in. */
    ContractContext context() {
        return known(ContractContext.create());
    }

    ContractContext known(ContractContext context) {
        String host = "http://127.0.0.1:" + outside.getAddress().getPort();
        ContractContext made = context.withSetting("endpoint", cloud.uri().toString())
                .withSetting("credentials_secret", CREDENTIALS)
                .withSetting("ingress_url", host + "/ip")
                .withSetting("hub_url", host)
                .withSecret(CREDENTIALS, keys(cloud.accessKey(), cloud.secretKey()))
                .withSecret("aws/key-itself", cloud.secretKey());
        owners.put(made.ownerId(), made);
        return made;
    }

    static Secret keys(Secret id, Secret key) {
        return Secret.of(
                "{\"Version\":1,\"AccessKeyId\":\"" + id.reveal() + "\",\"SecretAccessKey\":\"" + key.reveal() + "\"}");
    }

    @Override
    public void close() {
        cloud.close();
        outside.stop(0);
    }
}
