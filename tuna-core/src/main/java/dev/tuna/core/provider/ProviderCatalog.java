package dev.tuna.core.provider;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderNotFoundException;
import dev.tuna.core.text.Suggestions;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.SpotProvider;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The provider plugins of one installation: those passed by hand and those on the class path, of which the former win
 * over found ones of the same name. Immutable and thread-safe.
 *
 * <p>A services entry that cannot be loaded hides no other: it is logged once, when the catalogue is made, and named in
 * the error of a later lookup that fails.
 */
public final class ProviderCatalog {

    private final Plugins<ServerlessProvider> serverless;
    private final Plugins<SpotProvider> spot;

    private ProviderCatalog(Plugins<ServerlessProvider> serverless, Plugins<SpotProvider> spot) {
        this.serverless = serverless;
        this.spot = spot;
    }

    /**
     * The plugins that the calling thread's context class loader sees; that of this class if the thread has none.
     *
     * @return the catalogue
     */
    public static ProviderCatalog discover() {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        return of(List.of(), List.of()).andFound(context == null ? ProviderCatalog.class.getClassLoader() : context);
    }

    /**
     * Plugins passed by hand and nothing else; the class path is not looked at.
     *
     * @param serverless plugins, possibly none
     * @param spot plugins, possibly none
     * @return the catalogue
     * @throws dev.tuna.api.ConfigurationException if one has no proper name
     * @throws ProviderNotFoundException {@code PROVIDER_AMBIGUOUS} if two of a kind have one name
     */
    public static ProviderCatalog of(List<? extends ServerlessProvider> serverless, List<? extends SpotProvider> spot) {
        return new ProviderCatalog(
                Plugins.passed("serverless provider", serverless, ServerlessProvider::name),
                Plugins.passed("spot provider", spot, SpotProvider::name));
    }

    /**
     * This catalogue and the plugins that a class loader finds.
     *
     * @param loader where services entries are looked for
     * @return a new catalogue
     */
    public ProviderCatalog andFound(ClassLoader loader) {
        Objects.requireNonNull(loader, "loader");
        return new ProviderCatalog(
                serverless.andFound(ServerlessProvider.class, loader, ServerlessProvider::name),
                spot.andFound(SpotProvider.class, loader, SpotProvider::name));
    }

    /**
     * The names of all serverless providers.
     *
     * @return sorted, each once, possibly empty
     */
    public List<String> serverlessNames() {
        return serverless.names();
    }

    /**
     * The names of all spot providers.
     *
     * @return sorted, each once, possibly empty
     */
    public List<String> spotNames() {
        return spot.names();
    }

    /**
     * The serverless provider of a name.
     *
     * @param name exact name
     * @return the plugin
     * @throws ProviderNotFoundException if there is none, naming what was found and the artifact to add, or if there are
     *     two, naming both classes
     */
    public ServerlessProvider serverless(String name) {
        return serverless.find(name).orElseThrow(() -> {
            String other = spot.names().contains(name) ? "; it is a spot provider, to be set as spotCloud" : "";
            return notFound(serverless.kind(), name, other, List.of(serverless), Artifacts.SERVERLESS);
        });
    }

    /**
     * The spot provider of a name.
     *
     * @param name exact name
     * @return the plugin
     * @throws ProviderNotFoundException if there is none, naming what was found and the artifact to add, or if there are
     *     two, naming both classes
     */
    public SpotProvider spot(String name) {
        return spot.find(name).orElseThrow(() -> {
            String other =
                    serverless.names().contains(name) ? "; it is a serverless provider, for serverlessProviders" : "";
            return notFound(spot.kind(), name, other, List.of(spot), Artifacts.SPOT);
        });
    }

    /**
     * The spot provider to use when none is named: the only one passed by hand or, if none was, the only one found.
     *
     * @return its name
     * @throws ProviderNotFoundException {@code PROVIDER_NOT_FOUND} if there is none, {@code PROVIDER_AMBIGUOUS} if
     *     there are several
     */
    public String onlySpot() {
        List<String> candidates = spot.preferredNames();
        if (candidates.isEmpty()) {
            throw failure(
                    ErrorCode.PROVIDER_NOT_FOUND,
                    "no spot provider is on the class path; add " + Artifacts.listed(Artifacts.SPOT)
                            + ", or set serverlessOnly to do without rented replicas",
                    List.of(spot));
        }
        if (candidates.size() > 1) {
            throw failure(
                    ErrorCode.PROVIDER_AMBIGUOUS,
                    "spotCloud is not set and several spot providers would do: " + spot.described()
                            + "; set it to one of them",
                    List.of(spot));
        }
        return candidates.get(0);
    }

    /**
     * Checks that a name, for instance one that options are given for, is that of a provider of either kind.
     *
     * @param name exact name
     * @throws ProviderNotFoundException if it is not
     */
    public void requireKnown(String name) {
        if (!serverlessNames().contains(name) && !spotNames().contains(name)) {
            var artifacts = new HashMap<>(Artifacts.SERVERLESS);
            artifacts.putAll(Artifacts.SPOT);
            throw notFound("provider", name, "", List.of(serverless, spot), artifacts);
        }
    }

    private static ProviderNotFoundException notFound(
            String kind, String name, String aside, List<Plugins<?>> searched, Map<String, String> artifacts) {
        var names = new TreeSet<>(artifacts.keySet());
        searched.forEach(plugins -> names.addAll(plugins.names()));
        names.remove(name);
        String found = String.join(
                ", ",
                searched.stream()
                        .map(Plugins::described)
                        .filter(text -> !text.isEmpty())
                        .toList());
        String meant = Suggestions.didYouMean(name, names).strip();
        String advice = Artifacts.advice(artifacts, name, Suggestions.nearest(name, names))
                .orElse("add the artifact of its plugin to the class path");
        return failure(
                ErrorCode.PROVIDER_NOT_FOUND,
                Stream.of(
                                "no " + kind + " is named '" + name + "'" + aside,
                                artifacts.containsKey(name) ? "" : meant,
                                found.isEmpty() ? "none was found" : "found are " + found,
                                advice)
                        .filter(part -> !part.isEmpty())
                        .reduce((left, right) -> left + (left.endsWith("?") ? " " : "; ") + right)
                        .orElseThrow(),
                searched);
    }

    /** The error with every services entry that could not be loaded, one of which may be what was looked for. */
    private static ProviderNotFoundException failure(ErrorCode code, String message, List<Plugins<?>> searched) {
        var broken = new ArrayList<Throwable>();
        searched.forEach(plugins -> broken.addAll(plugins.broken()));
        var text = new StringBuilder(message);
        broken.forEach(entry -> text.append("; could not be loaded: ").append(describe(entry)));
        var failure = new ProviderNotFoundException(code, text.toString());
        broken.forEach(failure::addSuppressed);
        return failure;
    }

    private static String describe(Throwable entry) {
        String cause = entry.getCause() == null ? "" : " (" + entry.getCause() + ")";
        return (entry instanceof LinkageError ? entry.toString() : entry.getMessage()) + cause;
    }
}
