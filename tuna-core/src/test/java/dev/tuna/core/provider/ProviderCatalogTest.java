package dev.tuna.core.provider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderNotFoundException;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.SpotProvider;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProviderCatalogTest {

    @TempDir
    Path directory;

    /** Found by name through services files that the tests write. */
    public static final class Alpha extends FakeServerless {
        public Alpha() {
            super("alpha");
        }
    }

    public static final class OtherAlpha extends FakeServerless {
        public OtherAlpha() {
            super("alpha");
        }
    }

    public static final class Zeta extends FakeServerless {
        public Zeta() {
            super("zeta");
        }
    }

    public static final class Shouting extends FakeServerless {
        public Shouting() {
            super("Shouting!");
        }
    }

    public static final class Broken extends FakeServerless {
        public Broken() {
            super("broken");
            throw new IllegalStateException("no native library");
        }
    }

    public static final class Unlinked extends FakeServerless {
        public Unlinked() {
            super("unlinked");
            throw new NoClassDefFoundError("com/vendor/Client");
        }
    }

    public static final class Spare extends FakeSpot {
        public Spare() {
            super("spare");
        }
    }

    @Test
    void findsWhatTheClassLoaderHasSortedByName() throws IOException {
        ProviderCatalog catalog = catalog(List.of(Zeta.class, Alpha.class), List.of(Spare.class));

        assertThat(catalog.serverlessNames()).containsExactly("alpha", "zeta");
        assertThat(catalog.spotNames()).containsExactly("spare");
        assertThat(catalog.serverless("zeta")).isInstanceOf(Zeta.class);
        assertThat(catalog.spot("spare")).isInstanceOf(Spare.class);
    }

    @Test
    void aPluginPassedByHandWinsOverAFoundOne() throws IOException {
        var mine = new FakeServerless("alpha");

        try (var loader = loader(List.of(Alpha.class, Zeta.class), List.of())) {
            ProviderCatalog catalog =
                    ProviderCatalog.of(List.of(mine), List.of()).andFound(loader);

            assertThat(catalog.serverless("alpha")).isSameAs(mine);
            assertThat(catalog.serverless("zeta")).isInstanceOf(Zeta.class);
        }
    }

    @Test
    void aMissingProviderIsToldWithWhatWasFound() throws IOException {
        ProviderCatalog catalog = catalog(List.of(Zeta.class, Alpha.class), List.of());

        assertThatThrownBy(() -> catalog.serverless("alphq"))
                .isInstanceOfSatisfying(
                        ProviderNotFoundException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.PROVIDER_NOT_FOUND))
                .hasMessage("no serverless provider is named 'alphq'; did you mean 'alpha'? found are alpha ("
                        + Alpha.class.getName() + "), zeta (" + Zeta.class.getName()
                        + "); add the artifact of its plugin to the class path");
    }

    @Test
    void namesAreComparedExactly() throws IOException {
        ProviderCatalog catalog = catalog(List.of(Alpha.class), List.of());

        assertThatThrownBy(() -> catalog.serverless("Alpha")).hasMessageContaining("did you mean 'alpha'?");
    }

    @ParameterizedTest
    @CsvSource({
        "modal, dev.tuna:tuna-provider-modal",
        "runpod, dev.tuna:tuna-provider-runpod",
        "cloudrun, dev.tuna:tuna-provider-cloudrun",
        "baseten, dev.tuna:tuna-provider-baseten",
        "local, dev.tuna:tuna-testkit"
    })
    void namesTheArtifactOfAServerlessProvider(String name, String artifact) {
        ProviderCatalog catalog = ProviderCatalog.of(List.of(), List.of());

        assertThatThrownBy(() -> catalog.serverless(name))
                .hasMessage("no serverless provider is named '" + name + "'; none was found; add " + artifact
                        + " to the class path");
        assertThatThrownBy(() -> catalog.requireKnown(name)).hasMessageContaining(artifact);
    }

    @ParameterizedTest
    @CsvSource({"aws, dev.tuna:tuna-spot-aws", "local-spot, dev.tuna:tuna-testkit"})
    void namesTheArtifactOfASpotProvider(String name, String artifact) {
        ProviderCatalog catalog = ProviderCatalog.of(List.of(), List.of());

        assertThatThrownBy(() -> catalog.spot(name)).hasMessageContaining("add " + artifact + " to the class path");
        assertThatThrownBy(() -> catalog.requireKnown(name)).hasMessageContaining(artifact);
    }

    @Test
    void namesTheArtifactOfWhatWasMeant() {
        assertThatThrownBy(() -> ProviderCatalog.of(List.of(), List.of()).serverless("runpood"))
                .hasMessageContaining("did you mean 'runpod'?")
                .hasMessageContaining("'runpod' is in dev.tuna:tuna-provider-runpod");
    }

    @Test
    void saysWhenAProviderIsOfTheOtherKind() {
        ProviderCatalog catalog =
                ProviderCatalog.of(List.of(new FakeServerless("alpha")), List.of(new FakeSpot("spare")));

        assertThatThrownBy(() -> catalog.serverless("spare")).hasMessageContaining("it is a spot provider");
        assertThatThrownBy(() -> catalog.spot("alpha")).hasMessageContaining("it is a serverless provider");
    }

    @Test
    void knowsProvidersOfBothKinds() {
        ProviderCatalog catalog =
                ProviderCatalog.of(List.of(new FakeServerless("alpha")), List.of(new FakeSpot("spare")));

        catalog.requireKnown("alpha");
        catalog.requireKnown("spare");
        assertThatThrownBy(() -> catalog.requireKnown("beta"))
                .isInstanceOf(ProviderNotFoundException.class)
                .hasMessageContaining("no provider is named 'beta'")
                .hasMessageContaining("alpha (")
                .hasMessageContaining("spare (");
    }

    @Test
    void twoFoundOnesOfOneNameAreToldWithBothClassesAndHideNoOther() throws IOException {
        ProviderCatalog catalog = catalog(List.of(Alpha.class, OtherAlpha.class, Zeta.class), List.of());

        assertThatThrownBy(() -> catalog.serverless("alpha"))
                .isInstanceOfSatisfying(
                        ProviderNotFoundException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.PROVIDER_AMBIGUOUS))
                .hasMessageContaining(Alpha.class.getName())
                .hasMessageContaining(OtherAlpha.class.getName());
        assertThat(catalog.serverlessNames()).containsExactly("alpha", "zeta");
        assertThat(catalog.serverless("zeta")).isInstanceOf(Zeta.class);
    }

    @Test
    void twoPassedByHandUnderOneNameAreRefusedAtOnce() {
        List<FakeSpot> twice = List.of(new FakeSpot("spare"), new FakeSpot("spare"));

        assertThatThrownBy(() -> ProviderCatalog.of(List.of(), twice))
                .isInstanceOfSatisfying(
                        ProviderNotFoundException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.PROVIDER_AMBIGUOUS));
    }

    @Test
    void aBrokenEntryHidesNoOtherAndIsNamedWhenALookupFails() throws IOException {
        ProviderCatalog catalog = catalogOf(
                """
                no.such.Provider
                %s
                dev.tuna.core.provider.ProviderCatalogTest
                %s
                %s
                """.formatted(Broken.class.getName(), Unlinked.class.getName(), Shouting.class.getName()),
                "not a class name",
                """
                %s
                """.formatted(Alpha.class.getName()));

        assertThat(catalog.serverless("alpha")).isInstanceOf(Alpha.class);
        var failure = catchThrowableOfType(ProviderNotFoundException.class, () -> catalog.serverless("broken"));
        assertThat(failure)
                .hasMessageContaining("found are alpha")
                .hasMessageContaining("could not be loaded: ")
                .hasMessageContaining("no.such.Provider")
                .hasMessageContaining("ProviderCatalogTest not a subtype")
                .hasMessageContaining("Illegal configuration-file syntax")
                .hasMessageContaining("no native library")
                .hasMessageContaining("com/vendor/Client")
                .hasMessageContaining("'Shouting!' but it must be");
        assertThat(failure.getSuppressed()).hasSize(6);
    }

    @Test
    void servicesFilesThatCannotBeListedEndInAnErrorNotInALoop() {
        var unreadable = new ClassLoader(getClass().getClassLoader()) {
            @Override
            public Enumeration<URL> getResources(String name) throws IOException {
                throw new IOException("disk on fire");
            }
        };

        ProviderCatalog catalog = ProviderCatalog.of(List.of(), List.of()).andFound(unreadable);

        assertThat(catalog.serverlessNames()).isEmpty();
        assertThatThrownBy(() -> catalog.serverless("alpha")).hasMessageContaining("disk on fire");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Alpha", "1st", "a b", "a_b", "-a", "a-", "a23456789012345678901234567890123"})
    void aPluginPassedByHandMustHaveAProperName(String name) {
        assertThatThrownBy(() -> ProviderCatalog.of(List.of(new FakeServerless(name)), List.of()))
                .isInstanceOfSatisfying(
                        ConfigurationException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                .hasMessageContaining(FakeServerless.class.getName())
                .hasMessageContaining("'" + name + "'")
                .hasMessageContaining(Plugins.NAME_RULE);
    }

    @Test
    void theOnlySpotProviderIsUsedWhenNoneIsNamed() {
        assertThat(ProviderCatalog.of(List.of(), List.of(new FakeSpot("spare"))).onlySpot())
                .isEqualTo("spare");
    }

    @Test
    void aSpotProviderPassedByHandIsPreferredToFoundOnes() throws IOException {
        try (var loader = loader(List.of(), List.of(Spare.class))) {
            assertThat(ProviderCatalog.of(List.of(), List.of(new FakeSpot("mine")))
                            .andFound(loader)
                            .onlySpot())
                    .isEqualTo("mine");
        }
    }

    @Test
    void severalSpotProvidersMustBeToldApart() {
        ProviderCatalog catalog = ProviderCatalog.of(List.of(), List.of(new FakeSpot("spare"), new FakeSpot("other")));

        assertThatThrownBy(catalog::onlySpot)
                .isInstanceOfSatisfying(
                        ProviderNotFoundException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.PROVIDER_AMBIGUOUS))
                .hasMessageContaining("spotCloud")
                .hasMessageContaining("other (")
                .hasMessageContaining("spare (");
    }

    @Test
    void noSpotProviderIsToldWithTheArtifactsToAdd() {
        assertThatThrownBy(() -> ProviderCatalog.of(List.of(), List.of()).onlySpot())
                .isInstanceOfSatisfying(
                        ProviderNotFoundException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.PROVIDER_NOT_FOUND))
                .hasMessageContaining("dev.tuna:tuna-spot-aws for 'aws'")
                .hasMessageContaining("serverlessOnly");
    }

    @Test
    void looksWhereTheContextClassLoaderLooksUnlessToldOtherwise() throws IOException {
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        try (var loader = loader(List.of(Zeta.class), List.of())) {
            Thread.currentThread().setContextClassLoader(loader);

            assertThat(ProviderCatalog.discover().serverlessNames()).containsExactly("zeta");
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
    }

    private ProviderCatalog catalog(
            List<Class<? extends ServerlessProvider>> serverless, List<Class<? extends SpotProvider>> spot)
            throws IOException {
        try (var loader = loader(serverless, spot)) {
            return ProviderCatalog.of(List.of(), List.of()).andFound(loader);
        }
    }

    private URLClassLoader loader(
            List<Class<? extends ServerlessProvider>> serverless, List<Class<? extends SpotProvider>> spot)
            throws IOException {
        return loader(List.of(Map.of(
                ServerlessProvider.class, names(serverless),
                SpotProvider.class, names(spot))));
    }

    /** One class path entry for each services file of serverless providers. */
    private ProviderCatalog catalogOf(String... servicesFiles) throws IOException {
        List<Map<Class<?>, String>> entries = List.of(servicesFiles).stream()
                .map(content -> Map.<Class<?>, String>of(ServerlessProvider.class, content))
                .toList();
        try (var loader = loader(entries)) {
            return ProviderCatalog.of(List.of(), List.of()).andFound(loader);
        }
    }

    private static String names(List<? extends Class<?>> types) {
        return String.join("\n", types.stream().map(Class::getName).toList());
    }

    private URLClassLoader loader(List<Map<Class<?>, String>> entries) throws IOException {
        var urls = new URL[entries.size()];
        for (int i = 0; i < urls.length; i++) {
            Path entry = Files.createTempDirectory(directory, "entry");
            Path services = Files.createDirectories(entry.resolve("META-INF/services"));
            for (var file : entries.get(i).entrySet()) {
                Files.writeString(services.resolve(file.getKey().getName()), file.getValue());
            }
            urls[i] = entry.toUri().toURL();
        }
        // Plugins on the class path of the tests themselves are none of these tests' business.
        return new URLClassLoader(urls, getClass().getClassLoader()) {
            @Override
            public Enumeration<URL> getResources(String name) throws IOException {
                return findResources(name);
            }
        };
    }
}
