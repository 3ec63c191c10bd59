package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotProvider;
import dev.tuna.testkit.aws.AwsStandInMain;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.machine.MachineSandbox;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same with nothing replaced: the provider as users have it, a stand-in of AWS that is a process of its own, and machines
 * that run the real boot script and agent.
 */
@Tag("full")
@SuppressWarnings("NullAway.Init") // set before the first test
class AwsProcessContractTest extends AwsContract {

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static Process process;
    private static URI aws;
    private static Secret keys;
    private static URI control;

    private final List<CapacityPool> dry = new ArrayList<>();

    @BeforeAll
    static void start(@TempDir Path machines) throws IOException {
        assumeTrue(
                MachineSandbox.missing().isEmpty(),
                () -> MachineSandbox.missing().orElse(""));
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        AwsStandInMain.class.getName(),
                        "--exit-on-stdin-eof",
                        "--machines",
                        machines.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader output = process.inputReader();
        String[] words =
                output.readLine().substring(AwsStandInMain.SAYS.length()).split(" ");
        aws = URI.create(words[0]);
        keys = Aws.keys(Secret.of(words[1]), Secret.of(words[2]));
        control = URI.create(output.readLine().substring(AwsStandInMain.CONTROL.length()));
    }

    @AfterAll
    static void stop() throws IOException, InterruptedException {
        if (process != null) {
            process.getOutputStream().close();
            assertThat(process.waitFor(60, TimeUnit.SECONDS))
                    .as("ends with its input")
                    .isTrue();
        }
    }

    @AfterEach
    void restock() {
        dry.forEach(pool -> stock(pool, 1000));
    }

    private static void order(String what) {
        try {
            HttpResponse<String> answer = HTTP.send(
                    HttpRequest.newBuilder(URI.create(control + "/" + what))
                            .POST(HttpRequest.BodyPublishers.noBody())
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(204);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static void stock(CapacityPool pool, int machines) {
        order("stock?zone=%s&type=%s&market=%s&instances=%d"
                .formatted(pool.zone(), pool.machineType(), pool.tier() == Tier.SPOT ? "spot" : "on-demand", machines));
    }

    @Override
    protected SpotProvider provider() {
        return new AwsProvider();
    }

    @Override
    protected ContractContext context() {
        return ContractContext.create()
                .withSetting("endpoint", aws.toString())
                .withSetting("credentials_secret", "aws/credentials")
                .withSetting("ingress_url", aws + "/")
                .withSetting("hub_url", aws + "/hub")
                .withSecret("aws/credentials", keys);
    }

    /** Machines that boot for real take their time. */
    @Override
    protected Duration patience() {
        return Duration.ofMinutes(3);
    }

    @Override
    protected void runDry(List<CapacityPool> pools) {
        dry.addAll(pools);
        pools.stream().distinct().forEach(pool -> stock(pool, 0));
    }

    @Override
    protected void interrupt(ResourceRef replica) {
        order("interrupt?instance=" + Names.id(replica));
    }

    @Override
    protected void recommendRebalance(ResourceRef replica) {
        order("rebalance?instance=" + Names.id(replica));
    }

    @Override
    protected void lose(ResourceRef replica) {
        order("reclaim?instance=" + Names.id(replica));
    }
}
