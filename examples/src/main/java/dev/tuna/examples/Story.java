package dev.tuna.examples;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CostReport;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentStatus.TrafficStats;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Tier;
import dev.tuna.core.Tuna;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.examples.terminal.BackendBoard;
import dev.tuna.examples.terminal.BillText;
import dev.tuna.examples.terminal.Display;
import dev.tuna.examples.terminal.Dollars;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.cloud.model.ReplicaView;
import java.math.BigDecimal;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** What {@link QuickStart} tells, chapter by chapter. Confined to one thread. */
final class Story {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final String GPU = "L4";
    private static final int CLIENTS = 12;
    private static final int REPLICAS = 2;
    /** Long enough for a first answer from serverless on a slow machine. */
    private static final Duration FIRST_BOOT = Duration.ofSeconds(8);

    private static final Duration LATER_BOOT = Duration.ofSeconds(3);
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration NOTICE = Duration.ofSeconds(6);

    private final Display display;
    private final LocalCloud cloud;
    private final Tuna tuna;
    private final HttpClient http = HttpClient.newHttpClient();

    Story(Display display, LocalCloud cloud, Tuna tuna) {
        this.display = display;
        this.cloud = cloud;
        this.tuna = tuna;
    }

    /** Machines boot in seconds instead of minutes; prices are those of large clouds. */
    static LocalCloud cloud() {
        return LocalCloud.builder()
                .coldStart(Duration.ofMillis(500))
                .bootDelay(FIRST_BOOT)
                .standInArguments("--standin-ttft", "100ms", "--standin-tokens-per-second", "100")
                .start();
    }

    /** Notices are seconds here, not two minutes, so the cloud is looked at more often. */
    static ControlTimings timings() {
        return ControlTimings.builder()
                .observeInterval(Duration.ofMillis(500))
                .busyInterval(Duration.ofMillis(500))
                .probeInterval(Duration.ofMillis(500))
                .build();
    }

    void tell() throws Exception {
        Deployment deployment = deploy();
        try (Chat chat = new Chat(deployment.endpoint(), deployment.apiKey(), MODEL)) {
            chatWhileSpotBoots(deployment, chat);
            try (Load load = Load.start(chat, CLIENTS)) {
                shiftToSpot(deployment, load);
                loseOneWithNotice(deployment, load);
                loseOneWithoutNotice(deployment, load);
                settle(deployment, load.stop(LONG));
            }
        }
        showTheBill(deployment.cost());
        destroy(deployment);
    }

    private Deployment deploy() {
        var scaling = new ScalingPolicy(
                ScalingPolicy.Spot.builder()
                        .minReplicas(REPLICAS)
                        .maxReplicas(3)
                        .targetQps(100)
                        .build(),
                ScalingPolicy.Serverless.builder()
                        .scaledownWindow(Duration.ofSeconds(2))
                        .build());
        var request = DeployRequest.builder(MODEL, GPU)
                .serviceName("quickstart")
                .serverlessProviders("local")
                .spotCloud("local-spot")
                .scaling(scaling)
                .build();
        Deployment deployment = tuna.deploy(request);
        display.board(() -> BackendBoard.lines(deployment.status(), Instant.now(), display.terminal()));
        display.say(
                "Deployed " + MODEL + " on " + GPU + ", serverless and two spot replicas: " + deployment.endpoint());
        return deployment;
    }

    private void chatWhileSpotBoots(Deployment deployment, Chat chat) throws Exception {
        display.say("The official OpenAI client asks at once, while spot boots.");
        // In a thread of its own, since the client's wait cannot be interrupted.
        var answer = new FutureTask<>(() -> chat.stream("Hello! Who answers while the spot machines boot?", 12));
        var asker = new Thread(answer, "tuna-first-question");
        asker.setDaemon(true);
        asker.start();
        display.say("  \"" + answer.get(LONG.toSeconds(), TimeUnit.SECONDS).strip() + "\" is the answer of "
                + answeredBy(deployment) + "; spot is "
                + word(deployment.status().spotState()) + ".");
    }

    private void shiftToSpot(Deployment deployment, Load load) throws Exception {
        cloud.snapshot().pools().forEach(pool -> cloud.setBootDelay(pool.id(), LATER_BOOT));
        display.say(CLIENTS + " clients begin to ask without a pause, every second answer streamed.");
        awaitReplicas("spot", deployment);
        display.say("Spot is ready after " + load.counts().answered() + " answers from serverless: traffic shifts.");
        long old = load.lastSent();
        Patience.await("answers under way", LONG, () -> load.allAnsweredUpTo(old));
        long before = serverlessRequests();
        long answered = load.counts().answered();
        Patience.await("answers from spot", LONG, () -> load.counts().answered() >= answered + 200);
        Patience.await("serverless at zero", LONG, () -> containers() == 0);
        long since = load.counts().answered() - answered;
        require(serverlessRequests() == before, "serverless got requests while spot served");
        display.say("  " + since + " answers later serverless has had no further request and scaled to zero.");
    }

    private void loseOneWithNotice(Deployment deployment, Load load) throws Exception {
        ReplicaView replica = readyReplicas().get(0);
        long answered = load.counts().answered();
        display.say("The cloud gives notice: " + replica.id() + " will be taken in " + NOTICE.toSeconds() + " s.");
        cloud.interrupt(replica.id(), NOTICE);
        Patience.await("the end of " + replica.id(), LONG, () -> phase(replica) == BackendPhase.GONE);
        require(load.counts().failed() == 0, "requests failed: " + load.counts().failures());
        display.say("  it drained and is gone; " + (load.counts().answered() - answered)
                + " answers meanwhile, none failed.");
        awaitReplicas("a replacement", deployment);
        display.say("  its replacement serves.");
    }

    /**
     * This version cannot go on with a stream whose replica is lost in the middle, and says so to the client. So the
     * replica is lost when it has requests, streams among them, but has not begun to answer any.
     */
    private void loseOneWithoutNotice(Deployment deployment, Load load) throws Exception {
        ReplicaView replica = readyReplicas().get(0);
        var machine = new StandIn(http, replica.address().orElseThrow());
        machine.fallSilent();
        Patience.await("silence", LONG, () -> machine.halfAnswered() == 0 && machine.held() >= 3);
        long held = machine.held();
        long failedOver = deployment.status().traffic().failedOver();
        display.say("Without notice " + replica.id() + " hangs and is lost, with " + held
                + " requests that it has not begun to answer.");
        cloud.lose(replica.id());
        long last = load.lastSent();
        Patience.await("answers from others", LONG, () -> load.allAnsweredUpTo(last));
        require(load.counts().failed() == 0, "requests failed: " + load.counts().failures());
        display.say("  " + (deployment.status().traffic().failedOver() - failedOver)
                + " requests were answered by others instead; no client noticed.");
        awaitReplicas("a replacement", deployment);
        display.say("  its replacement serves.");
    }

    private void settle(Deployment deployment, Load.Counts clients) throws Exception {
        // The chat at the beginning counts too.
        long sent = clients.sent() + 1;
        long answered = clients.answered() + 1;
        Patience.await(
                "the router's books", LONG, () -> deployment.status().traffic().inFlight() == 0);
        TrafficStats router = deployment.status().traffic();
        display.say("The books: clients sent " + sent + " and got " + answered + " answers, " + clients.streamed()
                + " of them streamed;");
        display.say("  the router counts " + router.requests() + " requests, " + router.succeeded() + " answered ("
                + router.byTier().getOrDefault(Tier.SPOT, 0L) + " by spot, "
                + router.byTier().getOrDefault(Tier.SERVERLESS, 0L) + " by serverless), " + router.failedOver()
                + " after failover, " + router.failed() + " failed.");
        require(clients.failed() == 0, "requests failed: " + clients.failures());
        require(
                router.requests() == sent && router.succeeded() == answered && router.failed() == 0,
                "the books do not agree");
    }

    private void showTheBill(CostReport bill) {
        display.say("The bill so far:");
        display.print(
                BillText.lines(bill).stream().map(line -> "         " + line).toList());
        // One container takes all clients at once: its concurrency is 32.
        display.say("  So short a run is mostly start-up. From here on an hour costs "
                + Dollars.text(bill.usdPerHourNow()) + "; serverless would be " + Dollars.text(price(Tier.SERVERLESS))
                + ", on-demand " + Dollars.text(price(Tier.ON_DEMAND).multiply(BigDecimal.valueOf(REPLICAS))) + ".");
    }

    private BigDecimal price(Tier tier) {
        return tuna.gpus(GpuQuery.gpu(GPU)).stream()
                .filter(offer -> offer.tier() == tier)
                .flatMap(offer -> offer.usdPerHour().stream())
                .min(Comparator.naturalOrder())
                .orElseThrow(() -> new IllegalStateException("no price for " + GPU + " " + word(tier)));
    }

    private void destroy(Deployment deployment) throws Exception {
        DestroyReport report = deployment.destroy().get(LONG.toSeconds(), TimeUnit.SECONDS);
        display.say("Destroyed: " + report.removed().size() + " resources removed, "
                + Dollars.text(report.cost().total()) + " in all.");
        require(cloud.snapshot().empty(), "the cloud still has: " + cloud.snapshot());
        display.say("  the cloud has no endpoint, no replica and no machine left.");
    }

    private static void awaitReplicas(String what, Deployment deployment) throws Exception {
        Patience.await(
                what,
                LONG,
                () -> deployment.status().backends().stream()
                                .filter(backend -> backend.tier() == Tier.SPOT && backend.phase() == BackendPhase.READY)
                                .count()
                        >= REPLICAS);
    }

    private List<ReplicaView> readyReplicas() {
        return cloud.snapshot().replicas().stream()
                .filter(replica -> replica.phase() == BackendPhase.READY
                        && replica.interruptionAt().isEmpty())
                .toList();
    }

    private BackendPhase phase(ReplicaView replica) {
        return cloud.snapshot().replica(replica.id()).phase();
    }

    private long serverlessRequests() {
        return cloud.snapshot().endpoints().stream()
                .mapToLong(endpoint -> endpoint.requests())
                .sum();
    }

    private int containers() {
        return cloud.snapshot().endpoints().stream()
                .mapToInt(endpoint -> endpoint.containers().size())
                .sum();
    }

    private static String answeredBy(Deployment deployment) {
        return deployment.status().traffic().byTier().entrySet().stream()
                .filter(tier -> tier.getValue() > 0)
                .map(tier -> word(tier.getKey()))
                .collect(Collectors.joining(" and "));
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }
}
