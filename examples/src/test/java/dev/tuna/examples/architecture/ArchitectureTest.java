package dev.tuna.examples.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The design's rules hold for everything that is shipped. */
class ArchitectureTest {

    /** The tests run in the module's directory. */
    private static final Path REPOSITORY = Path.of("..").toAbsolutePath().normalize();

    private static final JavaClasses SHIPPED = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.tuna");

    @TestFactory
    Stream<DynamicTest> holdsForWhatIsShipped() {
        return rules(new Rules("dev.tuna"))
                .map(rule -> DynamicTest.dynamicTest(rule.getDescription(), () -> rule.check(SHIPPED)));
    }

    static Stream<ArchRule> rules(Rules rules) {
        Stream<ArchRule> arrows = Stream.of(
                rules.apiStandsAlone(),
                rules.apiDoesNotSeeSpi(),
                rules.routerSeesNoCoreAndNoCloud(),
                rules.coreSeesNoProvider(),
                rules.providersSeeNeitherCoreNorRouter(),
                rules.providersDoNotSeeEachOther(),
                rules.testkitSeesNeitherCoreNorRouter(),
                rules.onlyLibrariesOfTheDesign("api"),
                rules.onlyLibrariesOfTheDesign("spi"),
                rules.onlyLibrariesOfTheDesign("provider.support", "org.slf4j..", "com.fasterxml.jackson.."),
                rules.onlyLibrariesOfTheDesign(
                        "router", "org.slf4j..", "io.netty..", "com.fasterxml.jackson.core..", "io.micrometer.core.."),
                rules.onlyLibrariesOfTheDesign(
                        "core",
                        "org.slf4j..",
                        "com.fasterxml.jackson..",
                        "org.yaml.snakeyaml..",
                        "com.github.benmanes.caffeine..",
                        "org.sqlite..",
                        "com.sun.net.httpserver.."),
                rules.onlyLibrariesOfTheDesign("examples.plugin"));
        Stream<ArchRule> cycles = Stream.concat(
                Stream.of("api", "spi", "core", "provider", "spot", "testkit")
                        .map(module -> rules.noPackageCycles(module)),
                Stream.of(
                        rules.noPackageCycles("router", "RouterEngine", "UrlRoutes"),
                        rules.noPackageCycles("examples", "TunaCommand")));
        Stream<ArchRule> behaviour = Stream.of(
                rules.pureCodeDoesNoInputOrOutput(),
                rules.pureCodeAsksNoClockAndLeavesNothingToChance(),
                rules.timeIsInjected(),
                rules.nobodySleeps(),
                rules.onlyProgramsExit(),
                rules.librariesPrintNothing(),
                rules.noJavaUtilLogging(),
                rules.everyPackageIsNullMarked());
        return Stream.of(arrows, cycles, behaviour).flatMap(part -> part);
    }

    @Test
    void everyModuleIsSeen() {
        assertThat(List.of(
                        "dev.tuna.api",
                        "dev.tuna.spi",
                        "dev.tuna.router",
                        "dev.tuna.router.state",
                        "dev.tuna.core.ledger",
                        "dev.tuna.provider.support",
                        "dev.tuna.testkit.vllm",
                        "dev.tuna.examples",
                        "dev.tuna.examples.plugin"))
                .allMatch(SHIPPED::containPackage, "has been imported");
    }

    @Test
    void noPackageIsSplitOverTwoModules() {
        assertThat(Modules.splitPackages(SHIPPED)).isEmpty();
    }

    @Test
    void everyModuleHasANameOfItsOwn() throws IOException {
        List<String> modules = Modules.of(Files.readString(REPOSITORY.resolve("pom.xml")));
        assertThat(modules).contains("tuna-api", "examples/plugin");
        Map<String, String> poms = Modules.poms(REPOSITORY, modules);
        assertThat(Modules.withoutModuleName(poms)).isEmpty();
        assertThat(Modules.sharedModuleNames(poms)).isEmpty();
    }

    @Test
    void theParentPutsTheModuleNameIntoEveryJar() throws IOException {
        assertThat(Files.readString(REPOSITORY.resolve("pom.xml")))
                .contains("<Automatic-Module-Name>${module.name}</Automatic-Module-Name>");
    }

    @Test
    void blockingCodeOfTheLibrariesUsesNoMonitors() throws IOException {
        for (String module : List.of("tuna-core", "tuna-router", "tuna-provider-support")) {
            assertThat(Sources.withMonitors(REPOSITORY.resolve(module).resolve("src/main/java")))
                    .as("classes of %s that use synchronized", module)
                    .isEmpty();
        }
    }
}
