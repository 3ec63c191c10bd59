package dev.tuna.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectNestedMethod;

import dev.tuna.spi.EngineSpec;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.EventStatistics;
import org.junit.platform.testkit.engine.Events;

/** Each check of the contracts fails when the plugin has the flaw that the check is there for. */
class ContractsCanFailTest {

    private static final ThreadLocal<Optional<Flaw>> FLAW = ThreadLocal.withInitial(Optional::empty);

    static Optional<Flaw> flaw() {
        return FLAW.get();
    }

    static Map<Ability, String> cannot(Optional<Flaw> flaw) {
        return flaw.filter(Flaw.NOT_LOADABLE::equals).isPresent()
                ? Map.of()
                : Map.of(Ability.LOAD_AS_SERVICE, "a fake is made by hand");
    }

    static boolean eventually(Outside outside, BooleanSupplier condition) {
        for (int second = 0; second < 30; second++) {
            if (condition.getAsBoolean()) {
                return true;
            }
            outside.time.advance(Duration.ofSeconds(1));
        }
        return condition.getAsBoolean();
    }

    static EngineSpec withStrangeGpu(EngineSpec engine) {
        return new EngineSpec(
                engine.model(),
                engine.servedModelName(),
                "NO-SUCH-GPU",
                Optional.empty(),
                engine.gpuCount(),
                engine.tpSize(),
                engine.maxModelLen(),
                engine.quantization(),
                engine.fastBoot(),
                engine.version(),
                engine.arguments(),
                engine.containerImage(),
                engine.apiKey(),
                engine.secrets());
    }

    @ParameterizedTest(name = "{0} fails {1}.{2}")
    @MethodSource("serverless")
    void theServerlessContractFails(Flaw flaw, String group, String test) throws Exception {
        assertFails(flaw, FakeServerlessProviderTest.class, ServerlessProviderContract.class, group, test);
    }

    @ParameterizedTest(name = "{0} fails {1}.{2}")
    @MethodSource("spot")
    void theSpotContractFails(Flaw flaw, String group, String test) throws Exception {
        assertFails(flaw, FakeSpotProviderTest.class, SpotProviderContract.class, group, test);
    }

    @Test
    void everyFlawIsCaughtSomewhere() {
        Set<Flaw> caught = EnumSet.noneOf(Flaw.class);
        Stream.concat(serverless(), spot()).forEach(row -> caught.add((Flaw) row.get()[0]));
        assertThat(caught).isEqualTo(EnumSet.allOf(Flaw.class));
    }

    @Test
    void whatIsSkippedGivesItsReason() throws Exception {
        Events tests = run(
                Optional.empty(),
                FakeServerlessProviderTest.class,
                ServerlessProviderContract.class,
                "Loading",
                "theServiceLoaderFindsIt");
        assertThat(tests.aborted().list())
                .singleElement()
                .satisfies(event -> assertThat(event.getPayload().map(Object::toString))
                        .get()
                        .asString()
                        .contains("LOAD_AS_SERVICE: a fake is made by hand"));
    }

    private static void assertFails(Flaw flaw, Class<?> test, Class<?> contract, String group, String method)
            throws Exception {
        run(Optional.of(flaw), test, contract, group, method).assertStatistics(ContractsCanFailTest::oneFailed);
    }

    private static void oneFailed(EventStatistics statistics) {
        statistics.started(1).failed(1);
    }

    private static Events run(Optional<Flaw> flaw, Class<?> test, Class<?> contract, String group, String method)
            throws Exception {
        Class<?> nested = Class.forName(contract.getName() + "$" + group);
        FLAW.set(flaw);
        try {
            return EngineTestKit.engine("junit-jupiter")
                    .selectors(selectNestedMethod(List.of(test), nested, method))
                    .execute()
                    .testEvents();
        } finally {
            FLAW.remove();
        }
    }

    static Stream<Arguments> serverless() {
        return Stream.concat(
                both(),
                Stream.of(
                        Arguments.of(Flaw.OPEN_CONTACTS, "Opening", "contactsNobody"),
                        Arguments.of(Flaw.OPEN_DECLARES, "Opening", "makesNothing"),
                        Arguments.of(
                                Flaw.OFFERS_OF_ANOTHER, "Offers", "areItsOwnAndServerlessAndPricedOrOfUnknownPrice"),
                        Arguments.of(Flaw.OFFERS_IGNORE_QUERY, "Offers", "matchTheQuery"),
                        Arguments.of(Flaw.PLAN_TELLS_TIME, "Planning", "givesEqualPlansForEqualSpecs"),
                        Arguments.of(Flaw.PLAN_MIXES_UP, "Planning", "namesDeploymentProviderAndWhatItWillDo"),
                        Arguments.of(Flaw.MAKES_ANOTHER_EACH_TIME, "Beginning", "makesNothingTwice"),
                        Arguments.of(
                                Flaw.MAKES_ANOTHER_EACH_TIME, "Beginning", "makesNothingTwiceFromAPlanThatWasStored"),
                        Arguments.of(Flaw.MAKES_ANOTHER_EACH_TIME, "Beginning", "makesNothingTwiceFromSeveralThreads"),
                        Arguments.of(Flaw.MAKES_ANOTHER_EACH_TIME, "Beginning", "updatesWhatExistsUnderTheName"),
                        Arguments.of(Flaw.UNSEEN_AT_FIRST, "Beginning", "isSeenAtOnce"),
                        Arguments.of(Flaw.HELPER_UNDECLARED, "Beginning", "declaresEveryHelperBeforeItIsMade"),
                        Arguments.of(Flaw.HELPER_DECLARED_LATE, "Beginning", "declaresEveryHelperBeforeItIsMade"),
                        Arguments.of(Flaw.HELPER_DESPITE_JOURNAL, "Beginning", "makesNoHelperThatCannotBeDeclared"),
                        Arguments.of(Flaw.PHASE_GOES_BACK, "Observing", "becomesReadyAndServes"),
                        Arguments.of(Flaw.NEVER_READY, "Observing", "becomesReadyAndServes"),
                        Arguments.of(Flaw.NO_ADDRESS, "Observing", "becomesReadyAndServes"),
                        Arguments.of(Flaw.NOBODY_ANSWERS, "Observing", "becomesReadyAndServes"),
                        Arguments.of(Flaw.NOT_GUARDED, "Observing", "becomesReadyAndServes"),
                        Arguments.of(Flaw.UNKNOWN_IS_REQUESTED, "Observing", "whatWasNeverMadeIsGone"),
                        Arguments.of(Flaw.LOGS_ALL, "Logging", "tellsTheNewestLinesAndNoSecret"),
                        Arguments.of(Flaw.LOGS_NOTHING, "Logging", "tellsTheNewestLinesAndNoSecret"),
                        Arguments.of(Flaw.SECRET_IN_LOGS, "Logging", "tellsTheNewestLinesAndNoSecret"),
                        Arguments.of(Flaw.LOGS_OF_THE_UNKNOWN, "Logging", "whatWasNeverMadeHasWrittenNothing"),
                        Arguments.of(Flaw.CLEARS_TOO_MUCH, "ClearingTheCache", "leavesItAndOthersServing"),
                        Arguments.of(Flaw.CLEAR_UNKNOWN_FAILS, "ClearingTheCache", "whatWasNeverMadeIsFine"),
                        Arguments.of(Flaw.PARK_IS_FORGOTTEN, "Parking", "endsItsContainersUntilItIsUnparked"),
                        Arguments.of(Flaw.STAYS_PARKED, "Parking", "endsItsContainersUntilItIsUnparked"),
                        Arguments.of(Flaw.STAYS_PARKED, "Parking", "endsWithTheNextBeginning"),
                        Arguments.of(Flaw.PARKS_ALL, "Parking", "leavesOthersAlone"),
                        Arguments.of(Flaw.PARK_UNKNOWN_FAILS, "Parking", "whatWasNeverMadeIsFine"),
                        Arguments.of(Flaw.METER_RUNS_ON, "Destroying", "isConfirmedAndStaysSoAndTheMeterStops"),
                        Arguments.of(Flaw.COMES_BACK, "Destroying", "isConfirmedAndStaysSoAndTheMeterStops"),
                        Arguments.of(Flaw.END_TWICE_FAILS, "Destroying", "twiceIsFine"),
                        Arguments.of(Flaw.END_UNKNOWN_FAILS, "Destroying", "whatWasNeverMadeIsFine"),
                        Arguments.of(Flaw.HELPER_STAYS, "Destroying", "takesTheHelpersAlong"),
                        Arguments.of(Flaw.HELPER_STAYS_IN_JOURNAL, "Destroying", "takesTheHelpersAlong"),
                        Arguments.of(Flaw.FINDS_WHAT_IS_GONE, "Destroying", "takesTheHelpersAlong"),
                        Arguments.of(Flaw.ENDS_ALL, "Destroying", "leavesOtherDeploymentsAlone"),
                        Arguments.of(Flaw.NAME_IS_BURNT, "Destroying", "theNameCanBeUsedAgain"),
                        Arguments.of(Flaw.FOUND_WITHOUT_OWNER, "Finding", "tellsOwnerAndDeploymentToEveryone"),
                        Arguments.of(Flaw.FINDS_OWN_ONLY, "Finding", "tellsOwnerAndDeploymentToEveryone"),
                        Arguments.of(Flaw.CLOSE_ENDS_ALL, "Closing", "twiceIsFineAndLeavesResourcesAlone"),
                        Arguments.of(Flaw.CLOSE_TWICE_FAILS, "Closing", "twiceIsFineAndLeavesResourcesAlone")));
    }

    static Stream<Arguments> spot() {
        return Stream.concat(
                both(),
                Stream.of(
                        Arguments.of(Flaw.OPEN_CONTACTS, "Opening", "contactsNobodyAndMakesNothing"),
                        Arguments.of(Flaw.OPEN_DECLARES, "Opening", "contactsNobodyAndMakesNothing"),
                        Arguments.of(Flaw.OFFERS_OF_ANOTHER, "Pools", "fitTheSpecAndHaveAPriceOrAnUnknownOne"),
                        Arguments.of(Flaw.OFFERS_IGNORE_QUERY, "Pools", "areNoneForAGpuThatNobodyHas"),
                        Arguments.of(Flaw.POOLS_IGNORE_REGION, "Pools", "stayWithinTheRegionsAllowed"),
                        Arguments.of(Flaw.POOLS_TWICE, "Pools", "areAllInTheCatalogueOncePerPool"),
                        Arguments.of(Flaw.PLAN_TELLS_TIME, "Planning", "givesEqualPlansForEqualArguments"),
                        Arguments.of(Flaw.PLAN_MIXES_UP, "Planning", "keepsDeploymentTokenAndPools"),
                        Arguments.of(Flaw.MAKES_ANOTHER_EACH_TIME, "Launching", "makesOneReplicaForOneToken"),
                        Arguments.of(
                                Flaw.MAKES_ANOTHER_EACH_TIME,
                                "Launching",
                                "makesOneReplicaForOneTokenFromSeveralThreads"),
                        Arguments.of(Flaw.MAKES_ONE_FOR_ALL, "Launching", "makesAnotherReplicaForAnotherToken"),
                        Arguments.of(Flaw.UNSEEN_AT_FIRST, "Launching", "isSeenAtOnce"),
                        Arguments.of(Flaw.IGNORES_POOLS, "Launching", "takesOnlyPoolsThatAreAllowed"),
                        Arguments.of(
                                Flaw.DRY_LAUNCHES_ALL_THE_SAME,
                                "Launching",
                                "saysThatThereIsNoCapacityAndLaunchesNothing"),
                        Arguments.of(Flaw.DRY_IS_A_REFUSAL, "Launching", "saysThatThereIsNoCapacityAndLaunchesNothing"),
                        Arguments.of(Flaw.DRY_GIVES_UP, "Launching", "goesToTheNextPoolWhenTheBestIsDry"),
                        Arguments.of(Flaw.HELPER_UNDECLARED, "Launching", "declaresEveryHelperBeforeItIsMade"),
                        Arguments.of(Flaw.HELPER_DECLARED_LATE, "Launching", "declaresEveryHelperBeforeItIsMade"),
                        Arguments.of(Flaw.HELPER_DESPITE_JOURNAL, "Launching", "makesNoHelperThatCannotBeDeclared"),
                        Arguments.of(
                                Flaw.PHASE_GOES_BACK, "Observing", "becomesReadyAndServesAndTellsSinceWhenItIsBilled"),
                        Arguments.of(Flaw.NEVER_READY, "Observing", "becomesReadyAndServesAndTellsSinceWhenItIsBilled"),
                        Arguments.of(Flaw.NO_ADDRESS, "Observing", "becomesReadyAndServesAndTellsSinceWhenItIsBilled"),
                        Arguments.of(
                                Flaw.NOBODY_ANSWERS, "Observing", "becomesReadyAndServesAndTellsSinceWhenItIsBilled"),
                        Arguments.of(Flaw.NOT_GUARDED, "Observing", "becomesReadyAndServesAndTellsSinceWhenItIsBilled"),
                        Arguments.of(
                                Flaw.NO_LAUNCH_TIME, "Observing", "becomesReadyAndServesAndTellsSinceWhenItIsBilled"),
                        Arguments.of(Flaw.UNKNOWN_IS_LEFT_OUT, "Observing", "seesManyAtOnce"),
                        Arguments.of(Flaw.UNKNOWN_IS_REQUESTED, "Observing", "seesManyAtOnce"),
                        Arguments.of(Flaw.HIDES_NOTICE, "Observing", "seesTheInterruptionNotice"),
                        Arguments.of(
                                Flaw.HIDES_RECOMMENDATION,
                                "Observing",
                                "seesTheRebalanceRecommendationOfAReplicaThatGoesOn"),
                        Arguments.of(Flaw.HIDES_LOSS, "Observing", "seesThatAReplicaWasLost"),
                        Arguments.of(Flaw.METER_RUNS_ON, "Terminating", "isConfirmedAndStaysSoAndTheMeterStops"),
                        Arguments.of(Flaw.COMES_BACK, "Terminating", "isConfirmedAndStaysSoAndTheMeterStops"),
                        Arguments.of(Flaw.END_TWICE_FAILS, "Terminating", "twiceIsFine"),
                        Arguments.of(Flaw.END_UNKNOWN_FAILS, "Terminating", "whatWasNeverMadeIsFine"),
                        Arguments.of(Flaw.ENDS_ALL, "Terminating", "leavesOtherReplicasAlone"),
                        Arguments.of(Flaw.HELPER_STAYS, "CleaningUp", "removesWhatWasMadeBesideTheReplicas"),
                        Arguments.of(Flaw.HELPER_STAYS_IN_JOURNAL, "CleaningUp", "removesWhatWasMadeBesideTheReplicas"),
                        Arguments.of(Flaw.CLEAN_UP_ENDS_ALL, "CleaningUp", "whatWasNeverMadeIsFineAndOthersStay"),
                        Arguments.of(Flaw.FOUND_WITHOUT_OWNER, "Finding", "tellsOwnerAndDeploymentToEveryoneUntilGone"),
                        Arguments.of(Flaw.FINDS_OWN_ONLY, "Finding", "tellsOwnerAndDeploymentToEveryoneUntilGone"),
                        Arguments.of(Flaw.FINDS_WHAT_IS_GONE, "Finding", "tellsOwnerAndDeploymentToEveryoneUntilGone"),
                        Arguments.of(Flaw.CLOSE_ENDS_ALL, "Closing", "twiceIsFineAndLeavesReplicasAlone"),
                        Arguments.of(Flaw.CLOSE_TWICE_FAILS, "Closing", "twiceIsFineAndLeavesReplicasAlone")));
    }

    private static Stream<Arguments> both() {
        return Stream.of(
                Arguments.of(Flaw.NAME_CHANGES, "Loading", "itsNameIsPlainAndStable"),
                Arguments.of(Flaw.NOT_LOADABLE, "Loading", "theServiceLoaderFindsIt"),
                Arguments.of(Flaw.HOLDS_STATE, "Loading", "theLoadedClassHasNoStateThatChanges"),
                Arguments.of(Flaw.OPEN_NEEDS_SETTINGS, "Opening", "needsNoSettings"),
                Arguments.of(Flaw.PREFLIGHT_FAILS_ALWAYS, "Preflight", "passesWhereItWorks"),
                Arguments.of(Flaw.PREFLIGHT_PASSES_ALWAYS, "Preflight", "namesAFixForEachFailure"),
                Arguments.of(Flaw.PREFLIGHT_WITHOUT_FIX, "Preflight", "namesAFixForEachFailure"),
                Arguments.of(Flaw.PREFLIGHT_NEEDS_SETTINGS, "Preflight", "reportsMissingSettingsInsteadOfFailing"),
                Arguments.of(Flaw.PREFLIGHT_CREATES, "Preflight", "createsNothing"),
                Arguments.of(Flaw.PLAN_CONTACTS, "Planning", "contactsNobodyAndMakesNothing"),
                Arguments.of(Flaw.PLAN_ACCEPTS_ALL, "Planning", "refusesWhatItCannotHonour"),
                Arguments.of(Flaw.FORGETS_ON_RESTART, "Observing", "looksTheSameAfterARestart"),
                Arguments.of(Flaw.UNREACHABLE_IS_GONE, "Observing", "aCloudThatCannotBeAskedIsNotAnEmptyOne"),
                Arguments.of(Flaw.UNREACHABLE_IS_EMPTY, "Observing", "aCloudThatCannotBeAskedIsNotAnEmptyOne"),
                Arguments.of(Flaw.ONE_THREAD_ONLY, "Observing", "worksFromSeveralThreads"),
                Arguments.of(Flaw.THROWS_RAW, "Failing", "throwsOnlyKindsThatCoreKnows"),
                Arguments.of(Flaw.UNREACHABLE_IS_FINAL, "Failing", "throwsOnlyKindsThatCoreKnows"),
                Arguments.of(Flaw.SECRET_IN_ERROR, "Failing", "throwsOnlyKindsThatCoreKnows"),
                Arguments.of(Flaw.SECRET_IN_PLAN, "Secrecy", "noSecretIsEverShown"),
                Arguments.of(Flaw.SECRET_IN_DETAIL, "Secrecy", "noSecretIsEverShown"),
                Arguments.of(Flaw.SECRET_IN_JOURNAL, "Secrecy", "noSecretIsEverShown"),
                Arguments.of(Flaw.SECRET_IN_TEXT, "Secrecy", "noSecretIsEverShown"));
    }
}
