package dev.tuna.spot.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.GpuUse;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.vllm.VllmCommand;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spot.aws.channel.ChannelTimes;
import dev.tuna.spot.aws.channel.DeploymentTrust;
import dev.tuna.spot.aws.channel.ReplicaBoot;
import dev.tuna.spot.aws.channel.ReplicaChannel;
import dev.tuna.spot.aws.channel.ReplicaReport;
import dev.tuna.spot.aws.channel.UntrustedReplicaException;
import dev.tuna.spot.aws.channel.UserData;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Talks with the agent that Tuna's own boot script starts on a machine. Thread-safe. */
final class ChannelLink implements ReplicaLink {

    /** An agent that did not answer for a moment is as it was; one that is silent for longer is not known to be anything. */
    static final Duration MEMORY = Duration.ofSeconds(60);

    private static final Logger LOG = LoggerFactory.getLogger(ChannelLink.class);

    private final ProviderContext context;
    private final ChannelTimes times;
    private final Map<String, DeploymentTrust> trusts = new ConcurrentHashMap<>();
    /** By the instance's id. */
    private final Map<String, Talk> talks = new ConcurrentHashMap<>();

    ChannelLink(ProviderContext context) {
        this(context, ChannelTimes.DEFAULT);
    }

    ChannelLink(ProviderContext context, ChannelTimes times) {
        this.context = context;
        this.times = times;
    }

    /** What has been said with a machine. */
    private static final class Talk {
        private final Machine machine;
        private final ReplicaChannel channel;
        private volatile Optional<Report> last = Optional.empty();
        private volatile Instant lastAt = Instant.MIN;
        private volatile boolean silent;

        private Talk(Machine machine, ReplicaChannel channel) {
            this.machine = machine;
            this.channel = channel;
        }
    }

    private DeploymentTrust trust(String deployment) {
        return trusts.computeIfAbsent(
                deployment, name -> new DeploymentTrust(context.secrets(), name, context.clock()));
    }

    /** What a replica is called in certificates: its token where that is a name, so that people find it again. */
    static String replica(String token) {
        return token.matches("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?") ? token : Names.token("replica", token);
    }

    @Override
    public String bootText(ReplicaSpec spec, AwsOptions options, String ownerId) {
        VllmCommand command = VllmCommand.builder(spec.engine()).build();
        ObjectNode boot = SdkJson.JSON.createObjectNode().put("image", command.image());
        command.arguments().forEach(boot.putArray("arguments")::add);
        return boot.put("port", options.port())
                .put("orphanTimeoutSeconds", spec.orphanTimeout().toSeconds())
                .put("modelCache", options.modelCache().orElse(""))
                .toString();
    }

    @Override
    public byte[] userData(String bootText, String deployment, String token) {
        DeploymentTrust trust = trust(deployment);
        String replica = replica(token);
        try {
            JsonNode boot = SdkJson.JSON.readTree(bootText);
            return UserData.of(new ReplicaBoot(
                            replica,
                            boot.path("port").asInt(),
                            Duration.ofSeconds(boot.path("orphanTimeoutSeconds").asLong()),
                            boot.path("image").asText(),
                            boot.path("arguments")
                                    .valueStream()
                                    .map(JsonNode::asText)
                                    .toList(),
                            Optional.of(boot.path("modelCache").asText()).filter(cache -> !cache.isEmpty()),
                            trust.certificate(),
                            trust.token(replica)))
                    .bytes();
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "the plan is not one of provider aws: " + e.getMessage() + "; plan again",
                    e);
        }
    }

    @Override
    public Optional<Report> look(Machine machine) {
        Talk talk = talks.computeIfAbsent(machine.instanceId(), id -> new Talk(machine, channel(machine)));
        try {
            ReplicaReport said = talk.channel.look();
            LOG.debug("{} {}: {}", machine.deployment(), machine.instanceId(), said);
            Report report = report(machine, talk.channel, said);
            talk.silent = false;
            talk.lastAt = context.clock().instant();
            talk.last = Optional.of(report);
            return talk.last;
        } catch (UntrustedReplicaException e) {
            return Optional.of(Report.only(BackendPhase.FAILED, String.valueOf(e.getMessage())));
        } catch (ConfigurationException e) {
            // What one replica lacks holds up no look at the others.
            return Optional.of(Report.only(BackendPhase.IMAGE, String.valueOf(e.getMessage())));
        } catch (IOException e) {
            LOG.debug("{} {}: {}", machine.deployment(), machine.instanceId(), e.toString());
            talk.silent = true;
            return remembered(talk);
        }
    }

    @Override
    public boolean isSilent(String instanceId) {
        return Optional.ofNullable(talks.get(instanceId))
                .map(talk -> talk.silent)
                .orElse(false);
    }

    private Optional<Report> remembered(Talk talk) {
        return talk.last.map(said -> context.clock().instant().isBefore(talk.lastAt.plus(MEMORY))
                ? said
                : new Report(
                        BackendPhase.ENGINE,
                        "its agent has not answered since " + talk.lastAt,
                        said.address(),
                        said.interruptionAt(),
                        said.rebalanceAt(),
                        Optional.empty()));
    }

    private ReplicaChannel channel(Machine machine) {
        return new ReplicaChannel(
                trust(machine.deployment()),
                replica(machine.token()),
                new InetSocketAddress(machine.host(), machine.port()),
                () -> environment(machine),
                times);
    }

    /** What the engine gets once it is known who it is: its own key, and the request's secrets. */
    private Map<String, Secret> environment(Machine machine) {
        Map<String, SecretRef> refs = new HashMap<>(machine.secrets());
        machine.engineKey().ifPresent(key -> refs.put(VllmCommand.API_KEY_VARIABLE, key));
        return refs.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, variable -> secret(variable.getValue())));
    }

    private Secret secret(SecretRef ref) {
        return context.secrets()
                .get(ref)
                .orElseThrow(() -> new ConfigurationException(
                        ErrorCode.INVALID_REQUEST,
                        "secret '" + ref.name() + "' is not in the secret store; put it there first"));
    }

    private Report report(Machine machine, ReplicaChannel channel, ReplicaReport said) {
        BackendPhase phase = phase(said);
        BackendAddress address = channel.backend();
        return new Report(
                phase,
                detail(said),
                phase.compareTo(BackendPhase.READY) < 0 || phase == BackendPhase.FAILED
                        ? Optional.empty()
                        : Optional.of(machine.engineKey()
                                .flatMap(context.secrets()::get)
                                .map(Credential::bearer)
                                .map(address::withCredential)
                                .orElse(address)),
                said.interruption().map(ReplicaReport.Interruption::at),
                said.rebalanceAt(),
                gpu(said.gpus()));
    }

    /** All GPUs together. A machine may be taken over, so what it says is brought into range. */
    private static Optional<GpuUse> gpu(List<ReplicaReport.Gpu> gpus) {
        if (gpus.isEmpty()) {
            return Optional.empty();
        }
        double busy = 0;
        long used = 0;
        long total = 0;
        for (ReplicaReport.Gpu gpu : gpus) {
            busy += gpu.utilization();
            used += Math.max(0, gpu.usedMib());
            total += Math.max(0, gpu.totalMib());
        }
        long mean = Math.round(busy / gpus.size());
        return Optional.of(new GpuUse((int) Math.max(0, Math.min(100, mean)), used, total));
    }

    private static BackendPhase phase(ReplicaReport said) {
        if (said.phase() == ReplicaReport.Phase.READY && !said.draining().isEmpty()) {
            return BackendPhase.DRAINING;
        }
        return switch (said.phase()) {
            case BOOTED -> BackendPhase.BOOTING;
            case IMAGE -> BackendPhase.IMAGE;
            case WEIGHTS -> BackendPhase.WEIGHTS;
            case ENGINE -> BackendPhase.ENGINE;
            case READY -> BackendPhase.READY;
            case FAILED -> BackendPhase.FAILED;
        };
    }

    private static String detail(ReplicaReport said) {
        StringBuilder detail = new StringBuilder(said.detail());
        if (!said.draining().isEmpty()) {
            part(detail, "takes no new requests: " + said.draining());
        }
        said.rebalanceAt().ifPresent(at -> part(detail, "EC2 recommends to leave this machine"));
        return detail.toString();
    }

    private static void part(StringBuilder detail, String more) {
        detail.append(detail.isEmpty() ? "" : "; ").append(more);
    }

    @Override
    public void forget(String deployment, String token) {
        talks.values().stream()
                .filter(talk -> talk.machine.deployment().equals(deployment)
                        && talk.machine.token().equals(token))
                .toList()
                .forEach(this::hangUp);
        trust(deployment).forget(replica(token));
    }

    private void hangUp(Talk talk) {
        talks.remove(talk.machine.instanceId());
        talk.channel.close();
    }

    @Override
    public void forget(String deployment) {
        talks.values().stream()
                .filter(talk -> talk.machine.deployment().equals(deployment))
                .toList()
                .forEach(this::hangUp);
        trust(deployment).remove();
        trusts.remove(deployment);
    }

    @Override
    public void close() {
        talks.values().forEach(talk -> talk.channel.close());
        talks.clear();
    }
}
