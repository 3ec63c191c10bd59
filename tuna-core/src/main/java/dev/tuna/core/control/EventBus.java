package dev.tuna.core.control;

import dev.tuna.api.DeploymentEvent;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners what happened, in order and off the control loop. Thread-safe. */
final class EventBus {

    private static final Logger LOG = LoggerFactory.getLogger(EventBus.class);

    private final List<Subscriber> listeners = new CopyOnWriteArrayList<>();
    private final Mailbox mailbox;

    /** One subscription: a listener that subscribed twice can leave once. */
    private static final class Subscriber {
        private final Consumer<DeploymentEvent> listener;

        Subscriber(Consumer<DeploymentEvent> listener) {
            this.listener = listener;
        }
    }

    EventBus(Executor executor) {
        this.mailbox = new Mailbox(executor);
    }

    Runnable subscribe(Consumer<DeploymentEvent> listener) {
        var mine = new Subscriber(listener);
        listeners.add(mine);
        return () -> listeners.remove(mine);
    }

    void tell(List<DeploymentEvent> events) {
        if (!events.isEmpty()) {
            events.forEach(EventBus::log);
            if (!listeners.isEmpty()) {
                mailbox.execute(() -> events.forEach(this::tell));
            }
        }
    }

    /** Runs what outsiders may have hooked their own code to, in order with the events. */
    void run(Runnable task) {
        mailbox.execute(task);
    }

    private void tell(DeploymentEvent event) {
        for (Subscriber subscriber : listeners) {
            try {
                subscriber.listener.accept(event);
            } catch (RuntimeException | Error e) {
                LOG.warn("A listener failed on {} of {}", event.kind(), event.deployment(), e);
            }
        }
    }

    private static void log(DeploymentEvent event) {
        switch (event.kind()) {
            case WARNING, BUDGET, BACKEND_FAILED, ROLL_ABANDONED, FAILED ->
                LOG.warn("{}: {}", event.deployment(), event.message());
            case BACKEND_PROGRESS -> LOG.debug("{}: {}", event.deployment(), event.message());
            default -> LOG.info("{}: {}", event.deployment(), event.message());
        }
    }
}
