package dev.tuna.core.machine;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Budget;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.core.control.Custody;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.ResourceRecord.State;
import dev.tuna.spi.RouterVmObservation;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A router VM while this process knows it, and the connection to it. Written by whoever has begun a look; may be read by any. */
final class RouterVm implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RouterVm.class);

    private volatile VmRecord record;
    private volatile Optional<RouterVmObservation> seen = Optional.empty();
    private volatile Optional<Link> link = Optional.empty();
    private volatile Optional<BigDecimal> usdPerHour = Optional.empty();
    private volatile String problem = "";
    private volatile boolean refused;
    private volatile Tries tries = Tries.NONE;
    private volatile long answeredAt = System.nanoTime();
    private volatile boolean stored;
    private final AtomicLong housed = new AtomicLong();
    private final ReentrantLock changing = new ReentrantLock();
    private final Residents residents = new Residents();
    private final AtomicBoolean looking = new AtomicBoolean();
    private volatile boolean heard;

    /** How many are about to hand something over to it. Guarded by the lock of {@link Roster}. */
    int expected;

    /** Who lives there and was not handed over from here, as of the so-manieth look. */
    record Guests(long look, Set<String> names) {}

    private volatile Optional<Told> told = Optional.empty();

    /**
     * What makes it worth to speak of money at once.
     *
     * @param limits what all deployments together may cost
     * @param there what is there, or on its way
     * @param rent what it costs an hour, as its cloud last told
     */
    record News(Optional<Budget> limits, Set<Custody> there, Optional<BigDecimal> rent) {}

    private record Told(News news, long at) {}

    /** A connection holds for as long as the address does. */
    private record Link(BackendAddress address, RemoteControlPlane plane, Feed events) {
        void close() {
            events.close();
            plane.close();
        }
    }

    /** The events of a machine, until it, or the program that ran there then, tells no more. */
    private static final class Feed {

        private final ControlPlane.Subscription subscription;
        private volatile boolean ended;

        Feed(String vm, RemoteControlPlane plane, Consumer<DeploymentEvent> listener) {
            subscription = plane.events(listener, why -> {
                LOG.info("router VM '{}' tells of no more events for now: {}", vm, why);
                ended = true;
            });
        }

        boolean hasEnded() {
            return ended;
        }

        void close() {
            subscription.close();
        }
    }

    /** One that nothing may be done for yet. */
    RouterVm(VmRecord record) {
        this.record = record;
    }

    /** The store has it, so that it may be made. */
    RouterVm stored() {
        stored = true;
        return this;
    }

    boolean isStored() {
        return stored;
    }

    /** Whether nobody looks after it at the moment: then the caller may, and says so when it is done. */
    boolean beginLook() {
        return looking.compareAndSet(false, true);
    }

    void endLook() {
        heard = heard || isReady() || phase() == BackendPhase.FAILED || phase() == BackendPhase.GONE;
        looking.set(false);
    }

    Residents residents() {
        return residents;
    }

    /**
     * Whether it was launched, maybe by an earlier process, and this one does not know yet what has become of it: one look may
     * be too quick for it.
     */
    boolean isUnseen() {
        return !heard && record.resource().isPresent() && record.state() != State.ENDING;
    }

    /** The record has by now who lives there. */
    void housed() {
        housed.incrementAndGet();
    }

    Guests guests() {
        return new Guests(housed.get(), record.guests());
    }

    VmRecord record() {
        return record;
    }

    /** One change at a time, and what failed before is another matter then. */
    void become(UnaryOperator<VmRecord> stored) {
        changing.lock();
        try {
            record = stored.apply(record);
            tries = Tries.NONE;
            refused = false;
        } finally {
            changing.unlock();
        }
    }

    String name() {
        return record.name();
    }

    /** Takes note, and connects when it can be talked to. */
    void see(RouterVmObservation now, Consumer<DeploymentEvent> listener) {
        seen = Optional.of(now);
        usdPerHour = now.usdPerHour().or(() -> usdPerHour);
        problem = now.phase() == BackendPhase.FAILED ? now.detail() : "";
        if (now.phase() == BackendPhase.READY) {
            answeredAt = System.nanoTime();
            now.control().filter(address -> !isTo(address)).ifPresent(address -> connect(address, listener));
            link.filter(open -> open.events().hasEnded()).ifPresent(open -> followAgain(open, listener));
        }
    }

    /** After the program there was started again, or another one instead, under the same address. */
    private void followAgain(Link open, Consumer<DeploymentEvent> listener) {
        link = Optional.of(new Link(open.address(), open.plane(), new Feed(name(), open.plane(), listener)));
    }

    private boolean isTo(BackendAddress address) {
        return link.filter(open -> open.address().equals(address)).isPresent();
    }

    private void connect(BackendAddress address, Consumer<DeploymentEvent> listener) {
        close();
        told = Optional.empty();
        RemoteControlPlane plane = RemoteControlPlane.of(name(), address);
        try {
            link = Optional.of(new Link(address, plane, new Feed(name(), plane, listener)));
        } catch (RuntimeException e) {
            plane.close();
            throw e;
        }
    }

    /** Empty if money has not been spoken of since then. */
    Optional<Duration> sinceToldOf(News news) {
        return told.filter(last -> last.news().equals(news))
                .map(last -> Duration.ofNanos(System.nanoTime() - last.at()));
    }

    void toldOf(News news) {
        told = Optional.of(new Told(news, System.nanoTime()));
    }

    /**
     * Takes note of what went wrong.
     *
     * @param forGood whether it stays so until somebody changes something
     */
    void failed(String why, boolean forGood) {
        problem = why;
        refused = forGood;
        tries = tries.failed(System.nanoTime());
    }

    /** Whether to be looked after now: while there is no machine, less and less often. */
    boolean isDue() {
        return record.resource().isPresent() || tries.areDue(System.nanoTime());
    }

    /** How long nobody there has answered. */
    Duration silence() {
        return Duration.ofNanos(System.nanoTime() - answeredAt);
    }

    BackendPhase phase() {
        return seen.map(RouterVmObservation::phase).orElse(refused ? BackendPhase.FAILED : BackendPhase.REQUESTED);
    }

    boolean isReady() {
        return phase() == BackendPhase.READY && link.isPresent();
    }

    Optional<RemoteControlPlane> plane() {
        return link.map(Link::plane);
    }

    /** As its cloud last told, and not as it was planned. */
    Optional<BigDecimal> usdPerHour() {
        return usdPerHour;
    }

    Optional<URI> endpoint() {
        return seen.flatMap(RouterVmObservation::endpoint);
    }

    String problem() {
        return problem.isEmpty() ? seen.map(RouterVmObservation::detail).orElse("") : problem;
    }

    @Override
    public void close() {
        link.ifPresent(Link::close);
        link = Optional.empty();
    }
}
