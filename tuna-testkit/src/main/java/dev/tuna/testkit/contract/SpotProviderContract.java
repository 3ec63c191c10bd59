package dev.tuna.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TunaException;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.CapacityPool;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.LaunchPlan;
import dev.tuna.spi.PoolOffer;
import dev.tuna.spi.ReplicaObservation;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * What every {@link SpotProvider} must hold to. Extend it in the plugin's tests and supply the provider, a context with
 * which it works and one with which it does not; each test launches replicas of its own and terminates them.
 *
 * <p>Where the test can steer the cloud, override {@link #runDry}, {@link #interrupt} and {@link #lose}; what the cloud
 * cannot do is said in {@link #cannot()}; a cloud on virtual time overrides {@link #eventually}.
 */
public abstract class SpotProviderContract extends ProviderContract {

    private final Set<ResourceRef> launched = new LinkedHashSet<>();
    private final Set<String> deployments = new LinkedHashSet<>();

    /** For subclasses. */
    protected SpotProviderContract() {}

    /**
     * The provider under test.
     *
     * @return any instance
     */
    protected abstract SpotProvider provider();

    /**
     * Specs that cannot be honoured.
     *
     * @return what is wrong, to the spec; empty only if {@link #cannot()} says why
     */
    protected abstract Map<String, ReplicaSpec> impossibleSpecs();

    /**
     * Takes all machines out of some pools until the test is over.
     *
     * @param pools pools of this cloud
     */
    protected void runDry(List<CapacityPool> pools) {
        throw steering(Ability.RUN_DRY);
    }

    /**
     * Has the cloud announce that it will take a replica.
     *
     * @param replica one that is READY
     */
    protected void interrupt(ResourceRef replica) {
        throw steering(Ability.GIVE_NOTICE);
    }

    /**
     * Has the cloud recommend to leave a replica, since the risk that it takes it is higher than usual.
     *
     * @param replica one that is READY
     */
    protected void recommendRebalance(ResourceRef replica) {
        throw steering(Ability.RECOMMEND_REBALANCE);
    }

    /**
     * Has the cloud lose a replica without notice.
     *
     * @param replica one that is READY
     */
    protected void lose(ResourceRef replica) {
        throw steering(Ability.LOSE_REPLICA);
    }

    /**
     * Something that can be launched; by default {@link #engine}, in any region, without options.
     *
     * @param deployment the deployment's name
     * @return an equal spec for an equal name
     */
    protected ReplicaSpec spec(String deployment) {
        return new ReplicaSpec(deployment, engine(deployment), List.of(), Duration.ofMinutes(15), Map.of());
    }

    /**
     * A replica that does not exist, named as this cloud names replicas.
     *
     * @param like one that exists
     * @return by default the same kind with an id of plain words
     */
    protected ResourceRef unknown(ResourceRef like) {
        return new ResourceRef(like.provider(), like.kind(), "never-made-" + newDeployment());
    }

    private static UnsupportedOperationException steering(Ability ability) {
        return new UnsupportedOperationException(
                "override the method, or say in cannot() why there is no way to " + ability);
    }

    @Override
    void removeEverything() {
        if (!deployments.isEmpty()) {
            SpotCloud cloud = open();
            launched.forEach(cloud::terminate);
            launched.forEach(replica -> awaitGone(cloud, replica));
            deployments.forEach(cloud::cleanUp);
        }
    }

    private SpotCloud open() {
        return open(here());
    }

    private SpotCloud open(ContractContext context) {
        return opened(provider().open(context));
    }

    private static String newToken() {
        return ContractContext.random();
    }

    private LaunchPlan plan(SpotCloud cloud, ReplicaSpec spec, String token) {
        deployments.add(spec.deployment());
        return cloud.plan(spec, pools(cloud, spec), token);
    }

    private LaunchPlan plan(SpotCloud cloud) {
        return plan(cloud, spec(newDeployment()), newToken());
    }

    private static List<CapacityPool> pools(SpotCloud cloud, ReplicaSpec spec) {
        return cloud.pools(spec).stream().map(PoolOffer::pool).toList();
    }

    private ResourceRef launch(SpotCloud cloud, LaunchPlan plan) {
        ResourceRef replica = cloud.launch(plan);
        launched.add(replica);
        return replica;
    }

    private ResourceRef launchReady(SpotCloud cloud) {
        ResourceRef replica = launch(cloud, plan(cloud));
        awaitReady(cloud, replica);
        return replica;
    }

    private static ReplicaObservation observe(SpotCloud cloud, ResourceRef replica) {
        Map<ResourceRef, ReplicaObservation> seen = cloud.observe(List.of(replica));
        assertThat(seen).as("observations").containsOnlyKeys(replica);
        return seen.values().iterator().next();
    }

    private static BackendPhase phase(SpotCloud cloud, ResourceRef replica) {
        return observe(cloud, replica).phase();
    }

    private ReplicaObservation awaitReady(SpotCloud cloud, ResourceRef replica) {
        List<BackendPhase> seen = new ArrayList<>();
        waitFor(replica + " is READY", () -> {
            BackendPhase now = phase(cloud, replica);
            checkOnTheWayUp(seen, now);
            return now == BackendPhase.READY;
        });
        return observe(cloud, replica);
    }

    private void awaitGone(SpotCloud cloud, ResourceRef replica) {
        waitFor(replica + " is GONE", () -> phase(cloud, replica) == BackendPhase.GONE);
    }

    private static void checkOffer(PoolOffer offer, String provider) {
        assertThat(offer.pool().provider()).isEqualTo(provider);
        assertThat(offer.gpu()).isNotBlank();
        assertThat(offer.gpuCount()).isPositive();
        assertThat(offer.source()).isNotBlank();
        checkPrice(offer.usdPerHour());
    }

    @Nested
    class Loading {

        @Test
        void itsNameIsPlainAndStable() {
            checkName(() -> provider().name());
        }

        @Test
        void theServiceLoaderFindsIt() {
            checkLoadable(SpotProvider.class, provider());
        }

        @Test
        void theLoadedClassHasNoStateThatChanges() {
            checkStateless(provider());
        }
    }

    @Nested
    class Opening {

        @Test
        void contactsNobodyAndMakesNothing() {
            open();
            assertThat(here().requests()).as("requests sent").isZero();
            assertThat(here().journal().intents()).isEmpty();
        }

        @Test
        void needsNoSettings() {
            ContractContext empty = ContractContext.create();
            assertThat(open(empty)).isNotNull();
            assertThat(empty.requests()).as("requests sent").isZero();
        }
    }

    @Nested
    class Preflight {

        @Test
        void passesWhereItWorks() {
            var report = open().preflight(spec(newDeployment()), false);
            checkReport(report, provider().name());
            assertThat(report.passed()).as("%s", report).isTrue();
        }

        @Test
        void namesAFixForEachFailure() {
            var report = open(broken(here())).preflight(spec(newDeployment()), false);
            checkReport(report, provider().name());
            assertThat(report.passed()).as("passed with a broken context").isFalse();
            checkNoSecret("a preflight report", report);
        }

        @Test
        void reportsMissingSettingsInsteadOfFailing() {
            checkReport(
                    open(ContractContext.create()).preflight(spec(newDeployment()), false),
                    provider().name());
        }

        @Test
        void createsNothing() {
            SpotCloud cloud = open();
            ReplicaSpec spec = spec(newDeployment());
            cloud.preflight(spec, false);
            cloud.preflight(spec, true);
            assertThat(here().journal().intents()).as("declared by preflight").isEmpty();
            assertThat(of(spec.deployment(), cloud.find()))
                    .as("made by preflight")
                    .isEmpty();
        }
    }

    @Nested
    class Pools {

        @Test
        void fitTheSpecAndHaveAPriceOrAnUnknownOne() {
            ReplicaSpec spec = spec(newDeployment());
            assertThat(open().pools(spec)).isNotEmpty().allSatisfy(offer -> {
                checkOffer(offer, provider().name());
                assertThat(offer.gpu()).isEqualToIgnoringCase(spec.engine().gpu());
                assertThat(offer.gpuCount())
                        .isGreaterThanOrEqualTo(spec.engine().gpuCount());
            });
        }

        @Test
        void stayWithinTheRegionsAllowed() {
            SpotCloud cloud = open();
            ReplicaSpec any = spec(newDeployment());
            String region = pools(cloud, any).get(0).region();
            ReplicaSpec one = new ReplicaSpec(
                    any.deployment(), any.engine(), List.of(region), any.orphanTimeout(), any.options());
            assertThat(pools(cloud, one))
                    .isNotEmpty()
                    .allMatch(pool -> pool.region().equals(region));
        }

        @Test
        void areNoneForAGpuThatNobodyHas() {
            ReplicaSpec spec = spec(newDeployment());
            EngineSpec engine = spec.engine();
            EngineSpec strange = new EngineSpec(
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
            assertThat(open().pools(new ReplicaSpec(
                            spec.deployment(), strange, spec.regions(), spec.orphanTimeout(), spec.options())))
                    .isEmpty();
        }

        @Test
        void areAllInTheCatalogueOncePerPool() {
            SpotCloud cloud = open();
            List<CapacityPool> all = cloud.pools().stream()
                    .peek(offer -> checkOffer(offer, provider().name()))
                    .map(PoolOffer::pool)
                    .toList();
            assertThat(all).doesNotHaveDuplicates().containsAll(pools(cloud, spec(newDeployment())));
        }
    }

    @Nested
    class Planning {

        @Test
        void contactsNobodyAndMakesNothing() {
            SpotCloud cloud = open();
            ReplicaSpec spec = spec(newDeployment());
            List<CapacityPool> pools = pools(cloud, spec);
            int before = here().requests();
            cloud.plan(spec, pools, newToken());
            assertThat(here().requests()).as("requests sent").isEqualTo(before);
            assertThat(here().journal().intents()).isEmpty();
        }

        @Test
        void givesEqualPlansForEqualArguments() {
            String deployment = newDeployment();
            String token = newToken();
            LaunchPlan plan = plan(open(), spec(deployment), token);
            letTimePass();
            assertThat(open().plan(spec(deployment), plan.pools(), token)).isEqualTo(plan);
        }

        @Test
        void keepsDeploymentTokenAndPools() {
            SpotCloud cloud = open();
            ReplicaSpec spec = spec(newDeployment());
            List<CapacityPool> pools = pools(cloud, spec);
            LaunchPlan plan = cloud.plan(spec, pools, "a-token-1");
            assertThat(plan.deployment()).isEqualTo(spec.deployment());
            assertThat(plan.token()).isEqualTo("a-token-1");
            assertThat(plan.pools()).isEqualTo(pools);
            assertThat(plan.summary()).isNotBlank();
            assertThat(plan.body()).isNotBlank();
        }

        @Test
        void refusesWhatItCannotHonour() {
            needs(Ability.REFUSE_SPEC);
            SpotCloud cloud = open();
            List<CapacityPool> pools = pools(cloud, spec(newDeployment()));
            assertThat(impossibleSpecs())
                    .as("impossible specs")
                    .isNotEmpty()
                    .allSatisfy((what, spec) -> assertThatThrownBy(() -> cloud.plan(spec, pools, newToken()))
                            .as(what)
                            .isInstanceOf(ConfigurationException.class));
        }
    }

    @Nested
    class Launching {

        @Test
        void makesOneReplicaForOneToken() {
            SpotCloud cloud = open();
            LaunchPlan plan = plan(cloud);
            ResourceRef replica = launch(cloud, plan);
            assertThat(replica.provider()).isEqualTo(provider().name());
            assertThat(launch(cloud, plan)).isEqualTo(replica);
            assertThat(launch(open(), PlanText.storedAndReadBack(plan)))
                    .as("launched again after a restart")
                    .isEqualTo(replica);
            checkFoundOnce(cloud, plan, replica);
        }

        @Test
        void makesOneReplicaForOneTokenFromSeveralThreads() {
            SpotCloud cloud = open();
            LaunchPlan plan = plan(cloud);
            List<ResourceRef> replicas = atOnce(() -> cloud.launch(plan));
            launched.addAll(replicas);
            assertThat(replicas).containsOnly(replicas.get(0));
            checkFoundOnce(cloud, plan, replicas.get(0));
        }

        @Test
        void makesAnotherReplicaForAnotherToken() {
            SpotCloud cloud = open();
            ReplicaSpec spec = spec(newDeployment());
            ResourceRef one = launch(cloud, plan(cloud, spec, newToken()));
            ResourceRef two = launch(cloud, plan(cloud, spec, newToken()));
            assertThat(two).isNotEqualTo(one);
        }

        @Test
        void isSeenAtOnce() {
            SpotCloud cloud = open();
            ResourceRef replica = launch(cloud, plan(cloud));
            assertThat(phase(cloud, replica)).isLessThanOrEqualTo(BackendPhase.READY);
        }

        @Test
        void takesOnlyPoolsThatAreAllowed() {
            SpotCloud cloud = open();
            ReplicaSpec spec = spec(newDeployment());
            deployments.add(spec.deployment());
            List<CapacityPool> pools = pools(cloud, spec);
            CapacityPool last = pools.get(pools.size() - 1);
            ResourceRef replica = launch(cloud, cloud.plan(spec, List.of(last), newToken()));
            assertThat(awaitReady(cloud, replica).pool()).contains(last);
        }

        @Test
        void saysThatThereIsNoCapacityAndLaunchesNothing() {
            needs(Ability.RUN_DRY);
            SpotCloud cloud = open();
            LaunchPlan plan = plan(cloud);
            runDry(plan.pools());
            Optional<TunaException> failure = failure(() -> launch(cloud, plan));
            assertThat(failure).get().isInstanceOf(CapacityException.class);
            assertThat(failure).get().extracting(TunaException::code).isEqualTo(ErrorCode.CAPACITY);
            assertThat(of(plan.deployment(), cloud.find()))
                    .extracting(FoundResource::resource)
                    .as("found after a launch that failed")
                    .allMatch(here().journal().open(plan.deployment())::contains);
        }

        @Test
        void goesToTheNextPoolWhenTheBestIsDry() {
            needs(Ability.RUN_DRY);
            SpotCloud cloud = open();
            LaunchPlan plan = plan(cloud);
            assertThat(plan.pools()).as("pools to choose from").hasSizeGreaterThan(1);
            runDry(plan.pools().subList(0, 1));
            ResourceRef replica = launch(cloud, plan);
            assertThat(awaitReady(cloud, replica).pool())
                    .hasValueSatisfying(pool -> assertThat(pool)
                            .isIn(plan.pools())
                            .isNotEqualTo(plan.pools().get(0)));
        }

        @Test
        void declaresEveryHelperBeforeItIsMade() {
            needs(Ability.FIND_RESOURCES);
            SpotCloud cloud = open();
            LaunchPlan plan = plan(cloud);
            List<ResourceRef> late = watchForLateIntents(open()::find);
            ResourceRef replica = launch(cloud, plan);
            awaitReady(cloud, replica);
            assertThat(late).as("made before it was declared").isEmpty();
            List<ResourceRef> declared = here().journal().open(plan.deployment());
            assertThat(of(plan.deployment(), cloud.find()))
                    .extracting(FoundResource::resource)
                    .as("made for %s, of which the journal knows %s", plan.deployment(), declared)
                    .allMatch(found -> found.equals(replica) || declared.contains(found));
        }

        @Test
        void makesNoHelperThatCannotBeDeclared() {
            needs(Ability.FIND_RESOURCES);
            SpotCloud cloud = open();
            LaunchPlan plan = plan(cloud);
            here().journal().fail();
            failure(() -> launch(cloud, plan));
            assertThat(of(plan.deployment(), cloud.find()))
                    .extracting(FoundResource::resource)
                    .as("made although the journal failed")
                    .allMatch(launched::contains);
        }

        private void checkFoundOnce(SpotCloud cloud, LaunchPlan plan, ResourceRef replica) {
            if (!cannot().containsKey(Ability.FIND_RESOURCES)) {
                assertThat(of(plan.deployment(), cloud.find()))
                        .extracting(FoundResource::resource)
                        .filteredOn(found -> found.kind().equals(replica.kind()))
                        .containsExactly(replica);
            }
        }
    }

    @Nested
    class Observing {

        @Test
        void becomesReadyAndServesAndTellsSinceWhenItIsBilled() {
            SpotCloud cloud = open();
            ReplicaSpec spec = spec(newDeployment());
            LaunchPlan plan = plan(cloud, spec, newToken());
            ReplicaObservation ready = awaitReady(cloud, launch(cloud, plan));
            assertThat(ready.pool()).hasValueSatisfying(pool -> assertThat(pool).isIn(plan.pools()));
            assertThat(ready.launchedAt()).as("when billing began").isPresent();
            assertThat(ready.endedAt()).isEmpty();
            assertThat(ready.interruptionAt()).isEmpty();
            checkPrice(ready.usdPerHour());
            checkServes(ready.address(), spec.engine().servedModelName(), false);
        }

        @Test
        void seesManyAtOnce() {
            SpotCloud cloud = open();
            ReplicaSpec spec = spec(newDeployment());
            ResourceRef one = launch(cloud, plan(cloud, spec, newToken()));
            ResourceRef two = launch(cloud, plan(cloud, spec, newToken()));
            ResourceRef none = unknown(one);
            Map<ResourceRef, ReplicaObservation> seen = cloud.observe(List.of(one, none, two));
            assertThat(seen).containsOnlyKeys(one, two, none);
            assertThat(seen.get(none)).extracting(ReplicaObservation::phase).isEqualTo(BackendPhase.GONE);
            assertThat(List.of(one, two))
                    .allSatisfy(replica -> assertThat(seen.get(replica))
                            .extracting(ReplicaObservation::phase)
                            .isNotEqualTo(BackendPhase.GONE));
            assertThat(cloud.observe(List.of())).isEmpty();
        }

        @Test
        void looksTheSameAfterARestart() {
            SpotCloud cloud = open();
            ResourceRef replica = launch(cloud, plan(cloud));
            ReplicaObservation ready = awaitReady(cloud, replica);
            ReplicaObservation again = observe(open(), replica);
            assertThat(again.phase()).isEqualTo(BackendPhase.READY);
            assertThat(again.address().map(this::place))
                    .isEqualTo(ready.address().map(this::place));
            assertThat(again.launchedAt()).isEqualTo(ready.launchedAt());
        }

        /** Without the certificate that callers show, which may be made anew by each process. */
        private List<Object> place(BackendAddress address) {
            return List.of(
                    address.url(),
                    address.credential(),
                    address.healthPath(),
                    address.hardLimit(),
                    address.maxInFlight(),
                    address.unserved(),
                    address.tls().map(tls -> List.of(tls.name(), tls.authority())));
        }

        @Test
        void seesTheInterruptionNotice() {
            needs(Ability.GIVE_NOTICE);
            SpotCloud cloud = open();
            ResourceRef replica = launchReady(cloud);
            Instant asked = here().clock().instant();
            interrupt(replica);
            Set<BackendPhase> meanwhile = new HashSet<>();
            waitFor("the interruption notice is seen", () -> {
                ReplicaObservation now = observe(cloud, replica);
                meanwhile.add(now.phase());
                now.interruptionAt()
                        .ifPresent(
                                at -> assertThat(at).as("when it will be taken").isAfterOrEqualTo(asked));
                return now.interruptionAt().isPresent();
            });
            assertThat(meanwhile).as("phases until the notice").doesNotContain(BackendPhase.GONE);
        }

        @Test
        void seesTheRebalanceRecommendationOfAReplicaThatGoesOn() {
            needs(Ability.RECOMMEND_REBALANCE);
            SpotCloud cloud = open();
            ResourceRef replica = launchReady(cloud);
            assertThat(observe(cloud, replica).rebalanceAt()).isEmpty();
            recommendRebalance(replica);
            waitFor(
                    "the recommendation is seen",
                    () -> observe(cloud, replica).rebalanceAt().isPresent());
            ReplicaObservation after = observe(cloud, replica);
            assertThat(after.phase()).isEqualTo(BackendPhase.READY);
            assertThat(after.rebalanceAt()).as("once told it stays").isPresent();
            assertThat(after.interruptionAt())
                    .as("a recommendation is no notice")
                    .isEmpty();
        }

        @Test
        void seesThatAReplicaWasLost() {
            needs(Ability.LOSE_REPLICA);
            SpotCloud cloud = open();
            ResourceRef replica = launchReady(cloud);
            ReplicaObservation ready = observe(cloud, replica);
            lose(replica);
            awaitGone(cloud, replica);
            checkEnded(cloud, replica, ready);
        }

        @Test
        void aCloudThatCannotBeAskedIsNotAnEmptyOne() {
            SpotCloud cloud = open();
            ResourceRef replica = launch(cloud, plan(cloud));
            SpotCloud cut = open(broken(here()));
            failure(() -> assertThat(phase(cut, replica))
                    .as("phase told without knowing")
                    .isNotEqualTo(BackendPhase.GONE));
            if (!cannot().containsKey(Ability.FIND_RESOURCES)) {
                failure(() -> assertThat(cut.find())
                        .as("resources listed without knowing")
                        .anyMatch(found -> found.resource().equals(replica)));
            }
        }

        @Test
        void worksFromSeveralThreads() {
            SpotCloud cloud = open();
            ResourceRef replica = launchReady(cloud);
            List<BackendPhase> phases = atOnce(() -> {
                cloud.find();
                cloud.pools();
                return phase(cloud, replica);
            });
            assertThat(phases).containsOnly(BackendPhase.READY);
        }
    }

    private void checkEnded(SpotCloud cloud, ResourceRef replica, ReplicaObservation ready) {
        ReplicaObservation gone = observe(cloud, replica);
        letTimePass();
        ReplicaObservation later = observe(open(), replica);
        assertThat(later.phase()).isEqualTo(BackendPhase.GONE);
        assertThat(later.endedAt()).as("when billing ended").isEqualTo(gone.endedAt());
        needs(Ability.TELL_END);
        assertThat(gone.endedAt())
                .hasValueSatisfying(end -> assertThat(end)
                        .as("when billing ended")
                        .isAfterOrEqualTo(ready.launchedAt().orElse(Instant.MIN))
                        .isBeforeOrEqualTo(here().clock().instant()));
    }

    @Nested
    class Terminating {

        @Test
        void isConfirmedAndStaysSoAndTheMeterStops() {
            SpotCloud cloud = open();
            ResourceRef replica = launchReady(cloud);
            ReplicaObservation ready = observe(cloud, replica);
            cloud.terminate(replica);
            awaitGone(cloud, replica);
            checkEnded(cloud, replica, ready);
        }

        @Test
        void twiceIsFine() {
            SpotCloud cloud = open();
            ResourceRef replica = launch(cloud, plan(cloud));
            cloud.terminate(replica);
            cloud.terminate(replica);
            open().terminate(replica);
            awaitGone(cloud, replica);
            cloud.terminate(replica);
        }

        @Test
        void whatWasNeverMadeIsFine() {
            SpotCloud cloud = open();
            ResourceRef never = unknown(launch(cloud, plan(cloud)));
            cloud.terminate(never);
            assertThat(phase(cloud, never)).isEqualTo(BackendPhase.GONE);
        }

        @Test
        void leavesOtherReplicasAlone() {
            SpotCloud cloud = open();
            ReplicaSpec spec = spec(newDeployment());
            ResourceRef kept = launch(cloud, plan(cloud, spec, newToken()));
            ResourceRef removed = launch(cloud, plan(cloud, spec, newToken()));
            awaitReady(cloud, kept);
            cloud.terminate(removed);
            awaitGone(cloud, removed);
            assertThat(phase(cloud, kept)).isEqualTo(BackendPhase.READY);
        }
    }

    @Nested
    class CleaningUp {

        @Test
        void removesWhatWasMadeBesideTheReplicas() {
            SpotCloud cloud = open();
            LaunchPlan plan = plan(cloud);
            ResourceRef replica = launch(cloud, plan);
            cloud.terminate(replica);
            awaitGone(cloud, replica);
            waitFor("nothing is left", () -> {
                cloud.cleanUp(plan.deployment());
                return of(plan.deployment(), cloud.find()).isEmpty()
                        && here().journal().open(plan.deployment()).stream().allMatch(replica::equals);
            });
            cloud.cleanUp(plan.deployment());
        }

        @Test
        void whatWasNeverMadeIsFineAndOthersStay() {
            SpotCloud cloud = open();
            ResourceRef replica = launchReady(cloud);
            cloud.cleanUp(newDeployment());
            assertThat(phase(cloud, replica)).isEqualTo(BackendPhase.READY);
        }
    }

    @Nested
    class Finding {

        @Test
        void tellsOwnerAndDeploymentToEveryoneUntilGone() {
            needs(Ability.FIND_RESOURCES);
            SpotCloud cloud = open();
            LaunchPlan plan = plan(cloud);
            ResourceRef replica = launch(cloud, plan);
            waitFor("it is found", () -> !of(plan.deployment(), cloud.find()).isEmpty());
            assertThat(of(plan.deployment(), cloud.find()))
                    .allMatch(found -> found.ownerId().equals(here().ownerId()), "carries the owner id");
            SpotCloud stranger = open(here().withOwner("stranger"));
            assertThat(of(plan.deployment(), stranger.find()))
                    .as("what another installation finds")
                    .anyMatch(found ->
                            found.resource().equals(replica) && found.ownerId().equals(here().ownerId()));
            cloud.terminate(replica);
            awaitGone(cloud, replica);
            waitFor(
                    "it is found no more",
                    () -> cloud.find().stream()
                            .noneMatch(found -> found.resource().equals(replica)));
        }
    }

    @Nested
    class Failing {

        @Test
        void throwsOnlyKindsThatCoreKnows() {
            LaunchPlan plan = plan(open());
            ReplicaSpec spec = spec(plan.deployment());
            ResourceRef replica = launch(open(), plan);
            SpotCloud cut = open(broken(here()));
            List<Optional<TunaException>> failures = List.of(
                    failure(() -> cut.pools(spec)),
                    failure(cut::pools),
                    failure(() -> cut.plan(spec, plan.pools(), plan.token())),
                    failure(() -> cut.launch(plan)),
                    failure(() -> cut.observe(List.of(replica))),
                    failure(() -> cut.terminate(replica)),
                    failure(() -> cut.cleanUp(newDeployment())),
                    failure(cut::find));
            assertThat(failures)
                    .allSatisfy(error -> error.ifPresent(
                            thrown -> assertThat(thrown).message().isNotBlank()));
        }
    }

    @Nested
    class Secrecy {

        @Test
        void noSecretIsEverShown() {
            SpotProvider provider = provider();
            SpotCloud cloud = open();
            LaunchPlan plan = plan(cloud);
            ResourceRef replica = launch(cloud, plan);
            ReplicaObservation ready = awaitReady(cloud, replica);
            checkNoSecretIn(Map.of(
                    "the plan", plan,
                    "the replica", replica,
                    "the observation", ready,
                    "the cloud", cloud,
                    "the provider", provider,
                    "found resources", cloud.find(),
                    "pools", cloud.pools()));
        }
    }

    @Nested
    class Closing {

        @Test
        void twiceIsFineAndLeavesReplicasAlone() {
            SpotCloud cloud = open();
            ResourceRef replica = launchReady(cloud);
            cloud.close();
            cloud.close();
            assertThat(phase(open(), replica)).isEqualTo(BackendPhase.READY);
        }
    }
}
