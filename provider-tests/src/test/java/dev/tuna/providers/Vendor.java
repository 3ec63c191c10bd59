package dev.tuna.providers;

import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.InstanceView;
import dev.tuna.testkit.aws.SandboxInstances;
import dev.tuna.testkit.baseten.BasetenStandIn;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.crash.CallerFaults;
import dev.tuna.testkit.machine.MachineSandbox;
import dev.tuna.testkit.modal.ModalStandIn;
import dev.tuna.testkit.runpod.RunPodStandIn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * A vendor's stand-in, as far as all of them are alike. Thread-safe.
 *
 * @param name the provider's name
 * @param settings what an installation says about it and about whom it works with, by provider
 * @param credentials secrets that the providers need
 * @param callers takes who decides at which calls the caller dies
 * @param endpoints names of what takes requests
 * @param helpers names of what there is beside, as the store has them
 * @param rest names of what else must not be left
 * @param versions how many versions of an endpoint there are
 * @param machines what can be done to machines, if it rents any
 * @param stop stops it
 */
record Vendor(
        String name,
        Map<String, Map<String, String>> settings,
        Map<String, Secret> credentials,
        Consumer<CallerFaults> callers,
        Supplier<List<String>> endpoints,
        Supplier<List<String>> helpers,
        Supplier<List<String>> rest,
        ToIntFunction<String> versions,
        Optional<Machines> machines,
        Runnable stop)
        implements AutoCloseable {

    /** The provider's default. */
    private static final int MACHINE_PORT = 8443;

    static final List<String> ALL = List.of("runpod", "baseten", "cloudrun", "modal", "aws");

    /** Whether it can be played here: machines boot for real, with this system's own commands. */
    static boolean canStart(String name) {
        Optional<String> missing = name.equals("aws") ? MachineSandbox.missing() : Optional.empty();
        missing.ifPresent(why -> System.out.println("skipped: " + name + ", since " + why));
        return missing.isEmpty();
    }

    static Vendor start(String name) {
        return switch (name) {
            case "runpod" -> of(RunPodStandIn.builder().start());
            case "baseten" -> of(BasetenStandIn.builder().start());
            case "cloudrun" -> of(CloudRunStandIn.builder().start());
            case "modal" -> of(ModalStandIn.builder().start());
            case "aws" -> aws();
            default -> throw new IllegalArgumentException(name);
        };
    }

    static Vendor of(RunPodStandIn runpod) {
        return new Vendor(
                "runpod",
                Map.of("runpod", runpod.settings()),
                Map.of("runpod/api-key", runpod.key()),
                runpod::callers,
                runpod::endpoints,
                List::of,
                List::of,
                endpoint -> 1,
                Optional.empty(),
                runpod::close);
    }

    static Vendor of(BasetenStandIn baseten) {
        return new Vendor(
                "baseten",
                Map.of("baseten", baseten.settings()),
                Map.of("baseten/api-key", baseten.key()),
                baseten::callers,
                baseten::models,
                baseten::secrets,
                List::of,
                model -> baseten.deployments(model).size(),
                Optional.empty(),
                baseten::close);
    }

    static Vendor of(CloudRunStandIn cloudrun) {
        return new Vendor(
                "cloudrun",
                Map.of("cloudrun", cloudrun.settings()),
                Map.of("cloudrun/credentials", cloudrun.serviceAccountKey()),
                cloudrun::callers,
                cloudrun::services,
                List::of,
                List::of,
                cloudrun::revisions,
                Optional.empty(),
                cloudrun::close);
    }

    static Vendor of(ModalStandIn modal) {
        return new Vendor(
                "modal",
                Map.of("modal", modal.settings()),
                Map.of("modal/token-id", modal.tokenId(), "modal/token-secret", modal.tokenSecret()),
                modal::callers,
                modal::apps,
                modal::volumes,
                List::of,
                modal::version,
                Optional.empty(),
                modal::close);
    }

    /** What becomes of machines that are rented. */
    interface Machines {
        /** Announces that all will be taken, and takes them then. */
        void interrupt(Duration notice);

        /** Takes all at once. */
        void lose();
    }

    private static Vendor aws() {
        Path machines = temporary();
        return of(
                AwsStandIn.builder()
                        .runner(new SandboxInstances(machines, MACHINE_PORT))
                        .start(),
                RunPodStandIn.builder().start(),
                machines);
    }

    /** AWS rents machines, which boot for real in a directory; RunPod does what serverless is asked for meanwhile. */
    static Vendor of(AwsStandIn aws, RunPodStandIn runpod, Path machines) {
        return new Vendor(
                "aws",
                Map.of("aws", aws.settings(), "runpod", runpod.settings()),
                Map.of("aws/credentials", aws.credentials(), "runpod/api-key", runpod.key()),
                aws::callers,
                () -> aws.instances().stream().map(InstanceView::id).toList(),
                () -> Stream.of(aws.templates(), aws.groups(), runpod.endpoints())
                        .flatMap(List::stream)
                        .map(name -> name.substring(name.indexOf('/') + 1))
                        .toList(),
                () -> Stream.of(aws.things(), aws.fleets())
                        .flatMap(List::stream)
                        .toList(),
                instance -> 1,
                Optional.of(new Machines() {
                    @Override
                    public void interrupt(Duration notice) {
                        aws.instances().forEach(each -> aws.interrupt(each.id(), notice));
                    }

                    @Override
                    public void lose() {
                        aws.instances().forEach(each -> aws.reclaim(each.id()));
                    }
                }),
                () -> {
                    aws.close();
                    runpod.close();
                    delete(machines);
                });
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("tuna-machines");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Requests to models are no calls to the vendor. */
    static boolean isControl(String call) {
        return !call.matches("\\S+ /(lb/|model-|v2/[^/]+/openai/).*");
    }

    /** Whether a call to a vendor may change what there is. */
    static boolean isChange(String call) {
        return isControl(call)
                && call.matches("(POST|PUT|PATCH|DELETE) (?!/graphql|/token|\\S+:testIamPermissions).*"
                        + "|\\S+ ec2:(Create|Authorize|Run|Terminate|Delete|Modify|Revoke)\\w+"
                        + "|modal (deploy|app stop|volume delete|workspace proxy-tokens create) .*");
    }

    /** Everything that there is, sorted. */
    List<String> things() {
        return Stream.concat(endpoints.get().stream(), helpers.get().stream())
                .sorted()
                .toList();
    }

    void putCredentials(Path directory) {
        var store = new FileSecretStore(directory);
        credentials.forEach((ref, secret) -> store.put(new SecretRef(ref), secret));
    }

    /** As {@link Subject} takes them. */
    Stream<String> words() {
        return settings.entrySet().stream()
                .flatMap(of -> of.getValue().entrySet().stream()
                        .map(each -> of.getKey() + "." + each.getKey() + "=" + each.getValue()));
    }

    @Override
    public void close() {
        stop.run();
    }
}
