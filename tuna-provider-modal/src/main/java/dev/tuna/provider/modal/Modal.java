package dev.tuna.provider.modal;

import dev.tuna.api.Secret;
import dev.tuna.provider.support.Newest;
import dev.tuna.provider.support.Redaction;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What all apps of an installation share. Thread-safe. */
final class Modal {

    /** Prices have not changed in months, and asking takes a process. */
    private static final Duration FRESH = Duration.ofHours(6);

    private static final Duration REST = Duration.ofMinutes(10);

    private final ProviderContext context;
    private final ModalSettings settings;
    private final CliEnvironment environment;
    private final ModalApi api;
    private final AppList apps;
    private final Newest<GpuTable> rates;
    private final Deploys deploys;
    private final ProxyToken proxyToken;

    Modal(ProviderContext context, Map<String, String> inherited) {
        this.context = context;
        this.settings = ModalSettings.of(context.settings());
        this.environment = new CliEnvironment(settings, context.secrets(), inherited);
        this.api = new ModalCli(environment, settings);
        this.apps = new AppList(api, context.clock());
        this.rates = new Newest<>(
                "prices",
                GpuTable.BUILT_IN,
                now -> GpuTable.BUILT_IN.priced(api.rates(), now),
                FRESH,
                REST,
                context.clock());
        WorkDirectory directory = new WorkDirectory(settings.workDirectory()
                .orElseGet(() -> Path.of(System.getProperty("user.home"), ".tuna", "modal", context.ownerId())));
        this.deploys = new Deploys(api, directory);
        this.proxyToken = new ProxyToken(api, context.secrets(), settings.proxyToken(), directory);
    }

    ModalSettings settings() {
        return settings;
    }

    CliEnvironment environment() {
        return environment;
    }

    ModalApi api() {
        return api;
    }

    AppList apps() {
        return apps;
    }

    Newest<GpuTable> rates() {
        return rates;
    }

    GpuTable prices() {
        return rates.known();
    }

    Deploys deploys() {
        return deploys;
    }

    ProxyToken proxyToken() {
        return proxyToken;
    }

    InstantSource clock() {
        return context.clock();
    }

    /** Hides the account's secrets and some more. */
    Redaction redaction(Collection<Secret> more) {
        List<Secret> all = new ArrayList<>(environment.secrets());
        all.addAll(more);
        return Redaction.of(all);
    }

    // --- volumes ---

    static ResourceRef volume(String name) {
        return new ResourceRef(ModalProvider.NAME, AppPlanner.VOLUME_KIND, name);
    }

    /** Declares the volume that a script will make. */
    void declareVolume(String deployment, String name) {
        context.journal().intend(deployment, volume(name), "{\"volume\":\"" + name + "\",\"create_if_missing\":true}");
    }

    void deleteVolume(String name) {
        api.deleteVolume(name);
        context.journal().gone(volume(name));
    }

    /** There is no such app; what was declared for it must be gone too by the time that is said. */
    ServerlessObservation gone(String app) {
        Optional<AppName> name = AppName.parse(app);
        if (name.isPresent() && context.journal().open(name.get().deployment()).contains(volume(app))) {
            deleteVolume(app);
        }
        return ServerlessObservation.gone(Optional.empty());
    }
}
