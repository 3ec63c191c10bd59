package dev.tuna.testkit.contract;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.SpotProvider;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Optional;
import java.util.Set;

/** A plugin for a cloud in memory, of either kind, right but for the flaw it is made with. */
class FakeProvider implements ServerlessProvider, SpotProvider {

    private final Outside outside;
    private final Optional<Flaw> flaw;

    FakeProvider(Outside outside, Optional<Flaw> flaw) {
        this.outside = outside;
        this.flaw = flaw;
    }

    @Override
    public String name() {
        return has(Flaw.NAME_CHANGES) ? "fake-" + System.nanoTime() : "fake";
    }

    @Override
    public FakeCloud open(ProviderContext context) {
        if (has(Flaw.OPEN_CONTACTS)) {
            contact(context);
        }
        if (has(Flaw.OPEN_DECLARES)) {
            context.journal().intend("any", new ResourceRef("fake", "helper", "early"), "");
        }
        if (has(Flaw.OPEN_NEEDS_SETTINGS) && context.settings().isEmpty()) {
            throw ProviderException.of("fake", "open")
                    .code(ErrorCode.CREDENTIALS)
                    .build();
        }
        return new FakeCloud(outside, context, flaw.map(Set::of).orElse(Set.of()));
    }

    private boolean has(Flaw asked) {
        return flaw.filter(asked::equals).isPresent();
    }

    static void contact(ProviderContext context) {
        try {
            context.http()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:1"))
                                    .build(),
                            BodyHandlers.discarding());
        } catch (IOException e) {
            // Nobody is there, but it was tried.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Keeps something between calls. */
    static final class WithState extends FakeProvider {
        private int calls;

        WithState(Outside outside) {
            super(outside, Optional.empty());
        }

        @Override
        public FakeCloud open(ProviderContext context) {
            calls++;
            return super.open(context);
        }

        @Override
        public String toString() {
            return "opened " + calls + " times";
        }
    }
}
