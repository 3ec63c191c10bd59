package dev.tuna.testkit.cloudrun;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.vendor.VendorServer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A service, its revisions and its access policy. What time has done is worked out whenever somebody looks. Thread-safe.
 */
final class StandInService implements AutoCloseable {

    static final ObjectMapper JSON = JsonMapper.builder().build();

    private static final long LOOK_MILLIS = 5;
    private static final String INVOKER = "roles/run.invoker";
    private static final List<String> REVISION_FIELDS = List.of(
            "annotations",
            "scaling",
            "vpcAccess",
            "timeout",
            "serviceAccount",
            "containers",
            "volumes",
            "maxInstanceRequestConcurrency",
            "nodeSelector",
            "gpuZonalRedundancyDisabled");

    private final Project project;
    private final String name;
    private final VendorServer front;
    private final String uid = UUID.randomUUID().toString();
    private final String createdAt = now();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // All guarded by lock:
    private ObjectNode settings;
    private ObjectNode policy = JSON.createObjectNode();
    private long allowedAt;
    private int generation = 1;
    private String modifier;
    private final List<StandInRevision> revisions = new ArrayList<>();
    private @Nullable StandInRevision serving;
    private long deletedAt = Long.MAX_VALUE;
    private final List<ObjectNode> log = new ArrayList<>();
    private boolean closed;

    StandInService(Project project, String name, ObjectNode settings, String caller) {
        this.project = project;
        this.name = name;
        this.settings = settings.deepCopy();
        this.modifier = caller;
        this.front = VendorServer.start(new ServiceFront(project, this)::handle);
        revise();
    }

    private static String now() {
        return Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
    }

    private <T> T read(Supplier<T> reading) {
        lock.lock();
        try {
            return reading.get();
        } finally {
            lock.unlock();
        }
    }

    private void alone(Runnable change) {
        lock.lock();
        try {
            change.run();
        } finally {
            lock.unlock();
        }
    }

    String shortName() {
        return name.substring(name.lastIndexOf('/') + 1);
    }

    String region() {
        return name.split("/")[3];
    }

    /** What ID tokens for it must be made out to. */
    String uri() {
        return front.uri().toString();
    }

    boolean isGone() {
        boolean gone =
                read(() -> deletedAt != Long.MAX_VALUE && System.nanoTime() - deletedAt >= 0) && !project.config().held;
        if (gone) {
            close();
        }
        return gone;
    }

    int revisions() {
        return read(revisions::size);
    }

    int instances() {
        return read(() -> {
            look();
            return (int) revisions.stream().filter(StandInRevision::runs).count();
        });
    }

    void scaleToZero() {
        read(() -> {
            look();
            revisions.forEach(StandInRevision::sleep);
            return name;
        });
    }

    // --- what it is told ---

    /** What it would be after a change of some fields, or of all of them. */
    ObjectNode merged(ObjectNode change, Set<String> fields) {
        return read(() -> {
            ObjectNode merged = fields.isEmpty() ? JSON.createObjectNode() : settings.deepCopy();
            change.properties().forEach(field -> {
                if ((fields.isEmpty() || fields.contains(field.getKey()))
                        && !field.getKey().equals("etag")) {
                    merged.set(field.getKey(), field.getValue());
                }
            });
            fields.stream().filter(field -> !change.has(field)).forEach(merged::remove);
            return merged;
        });
    }

    void update(ObjectNode merged, String etag, String caller) {
        lock.lock();
        try {
            if (deletedAt != Long.MAX_VALUE) {
                throw GoogleError.aborted("Resource is being deleted.");
            }
            if (!etag.isEmpty() && !etag.equals(etag())) {
                throw GoogleError.aborted("Conflict: the etag does not match.");
            }
            boolean revised = !merged.path("template").equals(settings.path("template"));
            settings = merged;
            modifier = caller;
            generation++;
            if (revised) {
                revise();
            }
        } finally {
            lock.unlock();
        }
    }

    private String etag() {
        return "\"" + Base64.getEncoder().encodeToString((uid + generation).getBytes(StandardCharsets.UTF_8)) + "\"";
    }

    /** To be called with the lock. */
    private void revise() {
        String id = "%s-%05d-%s".formatted(shortName(), revisions.size() + 1, uid.substring(0, 3));
        revisions.add(new StandInRevision(
                id,
                (ObjectNode) settings.path("template").deepCopy(),
                project.config(),
                project.config().trouble(),
                this::write));
    }

    void delete() {
        read(() -> {
            if (deletedAt == Long.MAX_VALUE) {
                deletedAt = System.nanoTime() + project.config().deleteTime.toNanos();
            }
            return name;
        });
    }

    /** What its containers have written, oldest first. */
    List<ObjectNode> log() {
        return read(() -> List.copyOf(log));
    }

    /** To be called with the lock. */
    private void write(String line) {
        ObjectNode entry = JSON.createObjectNode();
        entry.put("timestamp", now()).put("textPayload", line).put("insertId", Integer.toString(log.size()));
        entry.put("logName", "projects/" + project.id() + "/logs/run.googleapis.com%2Fstdout");
        entry.putObject("labels").put("instanceId", uid.replace("-", ""));
        log.add(entry);
    }

    ObjectNode policy() {
        return read(() -> policy.deepCopy().put("etag", policyEtag()));
    }

    private String policyEtag() {
        return Base64.getEncoder()
                .encodeToString(Integer.toString(policy.hashCode()).getBytes(StandardCharsets.UTF_8));
    }

    ObjectNode setPolicy(JsonNode next) {
        lock.lock();
        try {
            if (next.has("etag") && !next.path("etag").asText().equals(policyEtag())) {
                throw GoogleError.aborted("There were concurrent policy changes.");
            }
            policy = next.deepCopy();
            policy.remove("etag");
            allowedAt = System.nanoTime() + project.config().accessDelay.toNanos();
            return policy();
        } finally {
            lock.unlock();
        }
    }

    Set<String> invokers() {
        return read(() -> {
            Set<String> members = new LinkedHashSet<>();
            for (JsonNode binding : policy.path("bindings")) {
                if (binding.path("role").asText().equals(INVOKER)) {
                    binding.path("members").forEach(member -> members.add(member.asText()));
                }
            }
            return members;
        });
    }

    // --- what time does ---

    private boolean isParked() {
        JsonNode scaling = settings.path("scaling");
        return scaling.path("scalingMode").asText("").equals("MANUAL")
                && scaling.path("manualInstanceCount").asInt() == 0;
    }

    private StandInRevision newest() {
        return revisions.get(revisions.size() - 1);
    }

    private void look() {
        for (StandInRevision revision : revisions) {
            revision.advance();
        }
        if (newest().isReady() && serving != newest()) {
            StandInRevision before = serving;
            serving = newest();
            if (before != null) {
                before.sleep();
            }
        }
        if (isParked()) {
            revisions.forEach(StandInRevision::sleep);
        }
    }

    // --- what it tells ---

    ObjectNode json() {
        return read(() -> {
            look();
            ObjectNode json = settings.deepCopy();
            json.put("name", name).put("uid", uid).put("etag", etag());
            json.put("generation", Integer.toString(generation));
            json.put("createTime", createdAt).put("updateTime", now());
            json.put("creator", modifier).put("lastModifier", modifier);
            if (!json.path("invokerIamDisabled").asBoolean()) {
                // False is not written out.
                json.remove("invokerIamDisabled");
            }
            if (deletedAt != Long.MAX_VALUE) {
                json.put("deleteTime", now());
            }
            if (serving != null) {
                json.put("uri", uri());
                json.putArray("urls").add(uri());
                json.put("latestReadyRevision", name + "/revisions/" + serving.id());
            }
            json.put("latestCreatedRevision", name + "/revisions/" + newest().id());
            boolean pending = newest().isPending();
            json.put("observedGeneration", Integer.toString(pending ? generation - 1 : generation));
            if (pending) {
                json.put("reconciling", true);
            }
            json.set("terminalCondition", newest().condition("Ready"));
            json.putArray("conditions").add(newest().condition("ConfigurationsReady"));
            return json;
        });
    }

    Optional<ObjectNode> revision(String id) {
        return read(() -> {
            look();
            return revisions.stream()
                    .filter(revision -> revision.id().equals(id))
                    .findFirst()
                    .map(this::describe);
        });
    }

    private ObjectNode describe(StandInRevision revision) {
        ObjectNode json = JSON.createObjectNode();
        json.put("name", name + "/revisions/" + revision.id()).put("uid", uid).put("generation", "1");
        json.put("createTime", createdAt).put("service", shortName()).put("etag", etag());
        REVISION_FIELDS.stream()
                .filter(revision.template()::has)
                .forEach(
                        field -> json.set(field, revision.template().path(field).deepCopy()));
        revision.describe(json.putArray("conditions"));
        return json;
    }

    /** How the newest change stands, as an operation. */
    ObjectNode operation(String type) {
        return read(() -> {
            look();
            ObjectNode operation = JSON.createObjectNode();
            operation.set("metadata", json().put("@type", type));
            if (newest().isPending()) {
                return operation;
            }
            operation.put("done", true);
            newest().error()
                    .ifPresentOrElse(
                            error -> operation.set("error", error),
                            () -> operation.set("response", json().put("@type", type)));
            return operation;
        });
    }

    ObjectNode deletion(String type) {
        boolean gone = isGone();
        return read(() -> {
            ObjectNode operation = JSON.createObjectNode();
            operation.putObject("metadata").put("@type", type).put("name", name);
            if (gone) {
                operation.put("done", true);
                operation.putObject("response").put("@type", type).put("name", name);
            }
            return operation;
        });
    }

    // --- what it serves ---

    boolean isOpenToAll() {
        return read(() -> settings.path("invokerIamDisabled").asBoolean());
    }

    boolean mayInvoke(String account) {
        return invokers().contains("serviceAccount:" + account) && read(() -> System.nanoTime() - allowedAt >= 0);
    }

    /** An instance for a request, once there is one; empty if there is none. */
    Optional<StandInRevision.Lease> lease() throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        lock.lock();
        try {
            while (!closed && System.nanoTime() - deadline < 0) {
                look();
                StandInRevision target = serving;
                if (target == null) {
                    return Optional.empty();
                }
                if (target.isFull() || isParked()) {
                    return Optional.empty();
                }
                target.wake();
                Optional<StandInRevision.Lease> lease = target.lease(this::alone);
                if (lease.isPresent()) {
                    return lease;
                }
                @SuppressWarnings("unused") // closing is a reason to look again, and so is time
                boolean told = changed.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            }
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            revisions.forEach(StandInRevision::sleep);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        front.close();
    }
}
