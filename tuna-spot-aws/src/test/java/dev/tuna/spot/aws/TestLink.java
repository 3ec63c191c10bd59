package dev.tuna.spot.aws;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.vllm.VllmCommand;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.testkit.aws.AwsStandIn;
import dev.tuna.testkit.aws.InstanceView;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Instead of the agent: asks the engine's health path and the stand-in's metadata service. */
final class TestLink implements ReplicaLink {

    private static final Pattern TIME = Pattern.compile("\"(?:time|noticeTime)\":\"([^\"]+)\"");

    /** Replicas forgotten, by any link. */
    static final Set<String> FORGOTTEN = ConcurrentHashMap.newKeySet();

    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    private final Set<String> silent = ConcurrentHashMap.newKeySet();
    private final ProviderContext context;
    private final AwsStandIn cloud;
    private final Set<String> spokenTo;

    /** A link that notes the ids of the machines that it speaks to. */
    TestLink(ProviderContext context, AwsStandIn cloud, Set<String> spokenTo) {
        this.context = context;
        this.cloud = cloud;
        this.spokenTo = spokenTo;
    }

    @Override
    public String bootText(ReplicaSpec spec, AwsOptions options, String ownerId) {
        return String.join(" ", VllmCommand.builder(spec.engine()).build().words());
    }

    @Override
    public byte[] userData(String bootText, String deployment, String token) {
        SecretRef ref = new SecretRef("aws/enrolment/" + token);
        if (context.secrets().get(ref).isEmpty()) {
            context.secrets().put(ref, Secret.of("enrol-" + UUID.randomUUID()));
        }
        String secret = context.secrets().get(ref).orElseThrow().reveal();
        return ("#!/bin/sh\n# " + secret + "\n" + bootText + "\n").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean isSilent(String instanceId) {
        return silent.contains(instanceId);
    }

    @Override
    public Optional<Report> look(Machine machine) {
        spokenTo.add(machine.instanceId());
        Optional<Report> report = ask(machine);
        if (report.isEmpty()) {
            silent.add(machine.instanceId());
        } else {
            silent.remove(machine.instanceId());
        }
        return report;
    }

    private Optional<Report> ask(Machine machine) {
        URI engine = URI.create("http://" + machine.host() + ":" + machine.port());
        try {
            int status = HTTP.send(
                            HttpRequest.newBuilder(engine.resolve("/health"))
                                    .timeout(Duration.ofSeconds(2))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
            if (status != 200) {
                return Optional.empty();
            }
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
        BackendAddress address = BackendAddress.of(engine);
        Optional<Credential> credential =
                machine.engineKey().flatMap(context.secrets()::get).map(Credential::bearer);
        return Optional.of(new Report(
                BackendPhase.READY,
                "",
                Optional.of(credential.map(address::withCredential).orElse(address)),
                told(machine.instanceId(), "spot/instance-action"),
                told(machine.instanceId(), "events/recommendations/rebalance"),
                Optional.empty()));
    }

    private Optional<Instant> told(String instance, String document) {
        return cloud.instance(instance).map(InstanceView::id).flatMap(id -> {
            URI metadata = cloud.metadata(id).uri();
            Matcher time = TIME.matcher(read(metadata, document));
            return time.find() ? Optional.of(Instant.parse(time.group(1))) : Optional.empty();
        });
    }

    private static String read(URI metadata, String document) {
        try {
            String token = HTTP.send(
                            HttpRequest.newBuilder(metadata.resolve("/latest/api/token"))
                                    .header("X-aws-ec2-metadata-token-ttl-seconds", "60")
                                    .PUT(HttpRequest.BodyPublishers.noBody())
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
            return HTTP.send(
                            HttpRequest.newBuilder(metadata.resolve("/latest/meta-data/" + document))
                                    .header("X-aws-ec2-metadata-token", token)
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        } catch (IOException e) {
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
    }

    @Override
    public void forget(String deployment, String token) {
        FORGOTTEN.add(token);
    }

    @Override
    public void forget(String deployment) {
        FORGOTTEN.add(deployment);
    }

    @Override
    public void close() {}
}
