package dev.tuna.testkit.aws;

import dev.tuna.testkit.vendor.VendorServer;
import dev.tuna.testkit.vllm.StdinWatch;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;

/**
 * The stand-in of AWS as a process of its own, which outlives a controller as a real cloud does.
 *
 * <pre>{@code
 * java -cp ... dev.tuna.testkit.aws.AwsStandInMain [--model NAME] [--machine-port 8000] [--pending-time PT0.1S]
 *     [--boot-time PT0.1S] [--shutdown-time PT0.1S] [--quota-release PT1M] [--machines DIRECTORY] [--bucket NAME]
 *     [--exit-on-stdin-eof]
 * }</pre>
 *
 * <p>With {@code --model}, machines serve that model on the port given, each on an address of its own; with
 * {@code --machines} they run their user data for real in that directory, see {@link SandboxInstances}, with that port open
 * (default 8443 then); without either, they do nothing. {@code --bucket} makes a bucket. The first line of output is {@code aws: URL ACCESS_KEY SECRET_KEY}, the second {@code control: URL}: by POST to a
 * path there, machines are interrupted, stocks emptied, faults injected and so on; an unknown path answers with all that there
 * are. The process ends on SIGTERM. Its state does not survive it.
 */
public final class AwsStandInMain {

    /** What the first line of output starts with. */
    public static final String SAYS = "aws: ";

    /** What the second line of output starts with. */
    public static final String CONTROL = "control: ";

    private AwsStandInMain() {}

    /**
     * Runs until SIGTERM.
     *
     * @param arguments options as above
     * @throws InterruptedException if the main thread is interrupted
     */
    public static void main(String[] arguments) throws InterruptedException {
        AwsStandIn aws;
        List<String> buckets = new ArrayList<>();
        try {
            aws = builder(List.of(arguments), buckets).start();
        } catch (IllegalArgumentException | DateTimeException e) {
            System.err.println(SAYS + e.getMessage());
            System.exit(2);
            return;
        }
        buckets.forEach(aws::bucket);
        VendorServer control = VendorServer.start(new AwsControl(aws)::handle);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            control.close();
                            aws.close();
                        },
                        "tuna-aws-shutdown"));
        System.out.println(SAYS + aws.uri() + " " + aws.accessKey().reveal() + " "
                + aws.secretKey().reveal());
        System.out.println(CONTROL + control.uri());
        System.out.flush();
        new CountDownLatch(1).await();
    }

    private static AwsStandIn.Builder builder(List<String> words, List<String> buckets) {
        AwsStandIn.Builder builder = AwsStandIn.builder();
        String model = "";
        Optional<Path> machines = Optional.empty();
        OptionalInt port = OptionalInt.empty();
        for (int at = 0; at < words.size(); at++) {
            String option = words.get(at);
            if (option.equals("--exit-on-stdin-eof")) {
                StdinWatch.onEof(() -> System.exit(0));
                continue;
            }
            if (++at == words.size()) {
                throw new IllegalArgumentException("option " + option + " needs a value");
            }
            String value = words.get(at);
            switch (option) {
                case "--model" -> model = value;
                case "--machine-port" -> port = OptionalInt.of(Integer.parseInt(value));
                case "--machines" -> machines = Optional.of(Path.of(value).toAbsolutePath());
                case "--bucket" -> buckets.add(value);
                case "--pending-time" -> builder.pendingTime(Duration.parse(value));
                case "--boot-time" -> builder.bootTime(Duration.parse(value));
                case "--shutdown-time" -> builder.shutdownTime(Duration.parse(value));
                case "--quota-release" -> builder.quotaRelease(Duration.parse(value));
                default ->
                    throw new IllegalArgumentException(
                            "unknown option '" + option
                                    + "'; allowed: --model, --machine-port, --machines, --bucket, --pending-time, --boot-time, --shutdown-time, --quota-release, --exit-on-stdin-eof");
            }
        }
        if (machines.isPresent()) {
            return builder.runner(new SandboxInstances(machines.get(), port.orElse(8443)));
        }
        String served = model;
        return served.isEmpty()
                ? builder
                : builder.runner(new VllmInstances(port.orElse(8000), (instance, engine) -> engine.model(served)));
    }
}
