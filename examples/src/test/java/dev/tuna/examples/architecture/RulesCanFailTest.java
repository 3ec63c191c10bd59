package dev.tuna.examples.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.EvaluationResult;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each rule is broken by a class planted for it, and only there. */
class RulesCanFailTest {

    private static final String ROOT = "dev.tuna.examples.architecture.planted";
    private static final Rules RULES = new Rules(ROOT);
    private static final JavaClasses PLANTED = new ClassFileImporter().importPackages(ROOT);

    static Stream<Arguments> broken() {
        return Stream.of(
                Arguments.of(RULES.apiStandsAlone(), "api.SeesCoreAndSpi"),
                Arguments.of(RULES.apiDoesNotSeeSpi(), "api.SeesCoreAndSpi"),
                Arguments.of(RULES.routerSeesNoCoreAndNoCloud(), "router.SeesCore"),
                Arguments.of(RULES.coreSeesNoProvider(), "core.one.SeesProviderAndSleeps"),
                Arguments.of(RULES.providersSeeNeitherCoreNorRouter(), "provider.acme.SeesRouterAndOther"),
                Arguments.of(RULES.providersDoNotSeeEachOther(), "provider.acme.SeesRouterAndOther"),
                Arguments.of(RULES.testkitSeesNeitherCoreNorRouter(), "testkit.SeesRouter"),
                Arguments.of(RULES.onlyLibrariesOfTheDesign("router", "org.slf4j.."), "router.SeesCore"),
                Arguments.of(RULES.noPackageCycles("core"), "core.one.SeesProviderAndSleeps"),
                Arguments.of(RULES.noPackageCycles("spot"), "spot.inner.Room"),
                Arguments.of(RULES.noPackageCycles("router", "Engine"), "router.proxy.SeesEngine"),
                Arguments.of(RULES.pureCodeDoesNoInputOrOutput(), "core.ledger.ReadsFiles"),
                Arguments.of(RULES.pureCodeDoesNoInputOrOutput(), "router.state.LogsAndAsksTheClock"),
                Arguments.of(RULES.pureCodeAsksNoClockAndLeavesNothingToChance(), "router.state.LogsAndAsksTheClock"),
                Arguments.of(RULES.timeIsInjected(), "core.one.SeesProviderAndSleeps"),
                Arguments.of(RULES.nobodySleeps(), "core.one.SeesProviderAndSleeps"),
                Arguments.of(RULES.onlyProgramsExit(), "core.two.ExitsPrintsAndLogs"),
                Arguments.of(RULES.librariesPrintNothing(), "core.two.ExitsPrintsAndLogs"),
                Arguments.of(RULES.noJavaUtilLogging(), "core.two.ExitsPrintsAndLogs"),
                Arguments.of(RULES.everyPackageIsNullMarked(), "testkit.SeesRouter"));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("broken")
    void isBrokenByThePlantedClass(ArchRule rule, String planted) {
        EvaluationResult result = rule.evaluate(PLANTED);
        assertThat(result.getFailureReport().getDetails())
                .as("violations of: %s", rule.getDescription())
                .isNotEmpty()
                .anySatisfy(violation -> assertThat(violation).contains(ROOT + "." + planted));
    }

    @Test
    void everyRuleHasAPlantedViolation() {
        List<String> planted =
                broken().map(row -> ((ArchRule) row.get()[0]).getDescription()).toList();
        assertThat(ArchitectureTest.rules(RULES).map(ArchRule::getDescription))
                // Made for each module by one method each, of which one module is enough.
                .filteredOn(rule -> !rule.contains("no libraries but") && !rule.contains("free of cycles"))
                .isNotEmpty()
                .allMatch(planted::contains, "has a planted violation");
    }

    @Test
    void anEntryPointMaySeeWhatSeesItsNeighbours() {
        assertThat(details(RULES.noPackageCycles("spot", "Door"))).isEmpty();
    }

    @Test
    void aProgramMayExitAndAnExceptionMayPassThroughPureCode() {
        assertThat(details(RULES.onlyProgramsExit())).noneMatch(line -> line.contains("ExitsAsAProgram"));
        assertThat(details(RULES.pureCodeDoesNoInputOrOutput()))
                .noneMatch(line -> line.contains("PassesOnAnException"));
    }

    @Test
    void seesAPackageInTwoPlaces() {
        // The examples' own package exists among the tests and among the programs.
        JavaClasses both = new ClassFileImporter().importPackages("dev.tuna.examples");
        assertThat(Modules.splitPackages(both)).containsKey("dev.tuna.examples");
    }

    @Test
    void seesAModuleWithoutAName() {
        Map<String, String> poms = Map.of(
                "good", "<module.name>dev.tuna.a</module.name>",
                "same", "<module.name>dev.tuna.a</module.name>",
                "bad", "<artifactId>x</artifactId>");
        assertThat(Modules.withoutModuleName(poms)).containsExactly("bad");
        assertThat(Modules.sharedModuleNames(poms)).containsExactly("dev.tuna.a");
        assertThat(Modules.of("<modules><module>a</module> <module>b/c</module></modules>"))
                .containsExactly("a", "b/c");
    }

    @Test
    void seesMonitorsInCodeAndNotInComments() {
        assertThat(Sources.usesMonitor("void a() { synchronized (this) {} }")).isTrue();
        assertThat(Sources.usesMonitor("public synchronized void a() {}")).isTrue();
        assertThat(Sources.usesMonitor("/* synchronized */ // synchronized\n String a = \"synchronized\";"))
                .isFalse();
    }

    private static List<String> details(ArchRule rule) {
        return rule.evaluate(PLANTED).getFailureReport().getDetails();
    }
}
