package dev.tuna.testkit.aws;

import dev.tuna.testkit.vllm.VllmStandIn;
import dev.tuna.testkit.vllm.VllmStandInBuilder;
import java.util.Objects;
import java.util.function.BiFunction;

/**
 * Machines that serve a model without reading their user data: each runs a {@link VllmStandIn} on its own address. Immutable
 * and thread-safe.
 */
public final class VllmInstances implements InstanceRunner {

    private final int port;
    private final BiFunction<InstanceView, VllmStandInBuilder, VllmStandInBuilder> settings;

    /**
     * Describes them.
     *
     * @param port where each listens, the same for all
     * @param settings what each serves; host and port are set already
     */
    public VllmInstances(int port, BiFunction<InstanceView, VllmStandInBuilder, VllmStandInBuilder> settings) {
        this.port = port;
        this.settings = Objects.requireNonNull(settings, "settings");
    }

    @Override
    public AutoCloseable boot(Machine machine) {
        InstanceView view = machine.view();
        VllmStandIn engine = settings.apply(
                        view, VllmStandIn.builder().host(view.privateAddress()).port(port))
                .start();
        machine.print("serving at " + engine.uri());
        return engine;
    }
}
