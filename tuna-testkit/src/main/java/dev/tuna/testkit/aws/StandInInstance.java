package dev.tuna.testkit.aws;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One instance. What it is doing follows from its instants and the clock. Confined to the account's lock. */
final class StandInInstance {

    private final String id;
    private final String reservation;
    private final LaunchOrder order;
    private final Images.Image image;
    private final String address;
    private final boolean isPublic;
    private final List<String> groups;
    private final Optional<String> spotRequest;
    private final Instant launched;
    private final Instant running;
    private final Map<String, String> tags;
    private final Map<String, String> spotTags;
    private final StringBuilder console = new StringBuilder();
    private final List<String> volumes = new ArrayList<>();
    private Instant ends = Instant.MAX;
    private Instant ended = Instant.MAX;
    private boolean stopped;
    private boolean booted;
    private boolean settled;
    private int hiddenAnswers;
    private String reasonCode = "";
    private String reason = "";
    private Optional<Instant> notice = Optional.empty();
    private Optional<Instant> rebalance = Optional.empty();
    private boolean cancelledRequest;

    /**
     * What is decided for it at launch.
     *
     * @param id {@code i-...}
     * @param reservation {@code r-...}
     * @param spotRequest {@code sir-...}; empty for list price
     * @param address its address
     * @param isPublic whether it can be reached from outside
     * @param groups ids of its security groups
     * @param spotTags tags of its spot request
     * @param hiddenAnswers how many answers it is missing from
     */
    record Given(
            String id,
            String reservation,
            Optional<String> spotRequest,
            String address,
            boolean isPublic,
            List<String> groups,
            Map<String, String> spotTags,
            int hiddenAnswers) {}

    StandInInstance(Given given, LaunchOrder order, Images.Image image, Instant launched, Duration pending) {
        this.id = given.id();
        this.reservation = given.reservation();
        this.order = order;
        this.image = image;
        this.address = given.address();
        this.isPublic = given.isPublic();
        this.groups = List.copyOf(given.groups());
        this.spotRequest = given.spotRequest();
        this.spotTags = new LinkedHashMap<>(given.spotTags());
        this.hiddenAnswers = given.hiddenAnswers();
        this.launched = launched;
        this.running = launched.plus(pending);
        this.tags = new LinkedHashMap<>(order.tags());
    }

    InstanceState state(Instant now) {
        if (!now.isBefore(ended)) {
            return InstanceState.TERMINATED;
        }
        if (!now.isBefore(ends)) {
            return stopped ? InstanceState.STOPPED : InstanceState.SHUTTING_DOWN;
        }
        return now.isBefore(running) ? InstanceState.PENDING : InstanceState.RUNNING;
    }

    /** Begins to end, unless it has already. */
    void end(Instant now, Duration takes, String code, String words) {
        if (ends.equals(Instant.MAX)) {
            ends = now;
            reasonCode = code;
            reason = words;
            ended = now.plus(takes);
        } else if (stopped && ended.equals(Instant.MAX)) {
            ended = now.plus(takes);
        }
    }

    void stop(Instant now, String code, String words) {
        if (ends.equals(Instant.MAX)) {
            ends = now;
            reasonCode = code;
            reason = words;
            stopped = true;
        }
    }

    boolean isEnding(Instant now) {
        return !now.isBefore(ends);
    }

    /** True once, when what it runs is to be started. */
    boolean boots(Instant now, Duration bootTime) {
        boolean first = !booted && state(now) == InstanceState.RUNNING && !now.isBefore(running.plus(bootTime));
        booted |= first;
        return first;
    }

    /** True once, when it has ended. */
    boolean settles(Instant now) {
        boolean first = !settled && isEnding(now);
        settled |= first;
        return first;
    }

    boolean isBooted() {
        return booted;
    }

    /** Whether an answer leaves it out; asking counts. */
    boolean hides(Instant now, Duration hidden) {
        if (hiddenAnswers > 0) {
            hiddenAnswers--;
            return true;
        }
        return now.isBefore(launched.plus(hidden));
    }

    String id() {
        return id;
    }

    String reservation() {
        return reservation;
    }

    LaunchOrder order() {
        return order;
    }

    Form spec() {
        return order.spec();
    }

    MachineType type() {
        return order.type();
    }

    Zone zone() {
        return order.zone();
    }

    boolean isSpot() {
        return order.market() == Market.SPOT;
    }

    Images.Image image() {
        return image;
    }

    String address() {
        return address;
    }

    boolean isPublic() {
        return isPublic;
    }

    List<String> groups() {
        return groups;
    }

    Optional<String> spotRequest() {
        return spotRequest;
    }

    Map<String, String> spotTags() {
        return spotTags;
    }

    Instant launched() {
        return launched;
    }

    Instant running() {
        return running;
    }

    /** When it began to end; empty while it has not. */
    Optional<Instant> ends() {
        return ends.equals(Instant.MAX) ? Optional.empty() : Optional.of(ends);
    }

    Instant ended() {
        return ended;
    }

    Map<String, String> tags() {
        return tags;
    }

    List<String> volumes() {
        return volumes;
    }

    String reasonCode() {
        return reasonCode;
    }

    String reason() {
        return reason;
    }

    /** When it will be taken. */
    Optional<Instant> notice() {
        return notice;
    }

    void notice(Instant at) {
        notice = Optional.of(at);
    }

    Optional<Instant> rebalance() {
        return rebalance;
    }

    void rebalance(Instant at) {
        rebalance = Optional.of(at);
    }

    boolean isRequestCancelled() {
        return cancelledRequest;
    }

    void cancelRequest() {
        cancelledRequest = true;
    }

    void print(String line) {
        console.append(line).append('\n');
    }

    String console() {
        return console.toString();
    }
}
