package dev.tuna.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.GpuQuery;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Secret;
import dev.tuna.api.Tier;
import dev.tuna.api.TunaException;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * What every {@link ServerlessProvider} must hold to. Extend it in the plugin's tests and supply the provider, a context
 * with which it works and one with which it does not; each test begins an endpoint of its own and removes it.
 *
 * <p>What the cloud cannot do is said in {@link #cannot()}; a cloud on virtual time overrides {@link #eventually}.
 */
public abstract class ServerlessProviderContract extends ProviderContract {

    private static final int MANY_LINES = 1000;

    private final Set<ResourceRef> begun = new LinkedHashSet<>();

    /** For subclasses. */
    protected ServerlessProviderContract() {}

    /**
     * The provider under test.
     *
     * @return any instance
     */
    protected abstract ServerlessProvider provider();

    /**
     * Specs that cannot be honoured: a GPU the cloud has not, a region it does not know.
     *
     * @return what is wrong, to the spec; empty only if {@link #cannot()} says why
     */
    protected abstract Map<String, ServerlessSpec> impossibleSpecs();

    /**
     * Something that can be deployed; by default {@link #engine}, no region, no options, guarded.
     *
     * @param deployment the deployment's name
     * @return an equal spec for an equal name
     */
    protected ServerlessSpec spec(String deployment) {
        return new ServerlessSpec(
                deployment,
                engine(deployment),
                ScalingPolicy.Serverless.builder().build(),
                Optional.empty(),
                false,
                Map.of());
    }

    @Override
    void removeEverything() {
        if (!begun.isEmpty()) {
            ServerlessCloud cloud = open();
            begun.forEach(cloud::destroy);
            begun.forEach(resource -> awaitGone(cloud, resource));
        }
    }

    private ServerlessCloud open() {
        return open(here());
    }

    private ServerlessCloud open(ContractContext context) {
        return opened(provider().open(context));
    }

    private ResourceRef begin(ServerlessCloud cloud, ServerlessPlan plan) {
        ResourceRef resource = cloud.begin(plan);
        begun.add(resource);
        return resource;
    }

    private ResourceRef begin(ServerlessCloud cloud, String deployment) {
        return begin(cloud, cloud.plan(spec(deployment)));
    }

    private ServerlessObservation awaitReady(ServerlessCloud cloud, ResourceRef resource) {
        List<BackendPhase> seen = new ArrayList<>();
        List<Duration> metered = new ArrayList<>(List.of(Duration.ZERO));
        waitFor(resource + " is READY", () -> {
            ServerlessObservation now = cloud.observe(resource);
            checkOnTheWayUp(seen, now.phase());
            checkMeter(metered.get(metered.size() - 1), now);
            now.containerTime().ifPresent(metered::add);
            return now.phase() == BackendPhase.READY;
        });
        return cloud.observe(resource);
    }

    private void awaitGone(ServerlessCloud cloud, ResourceRef resource) {
        waitFor(resource + " is GONE", () -> cloud.observe(resource).phase() == BackendPhase.GONE);
    }

    private static void checkMeter(Duration before, ServerlessObservation now) {
        now.containerTime()
                .ifPresent(time -> assertThat(time).as("billed container time").isGreaterThanOrEqualTo(before));
    }

    @Nested
    class Loading {

        @Test
        void itsNameIsPlainAndStable() {
            checkName(() -> provider().name());
        }

        @Test
        void theServiceLoaderFindsIt() {
            checkLoadable(ServerlessProvider.class, provider());
        }

        @Test
        void theLoadedClassHasNoStateThatChanges() {
            checkStateless(provider());
        }
    }

    @Nested
    class Opening {

        @Test
        void contactsNobody() {
            open();
            assertThat(here().requests()).as("requests sent").isZero();
        }

        @Test
        void needsNoSettings() {
            ContractContext empty = ContractContext.create();
            assertThat(open(empty)).isNotNull();
            assertThat(empty.requests()).as("requests sent").isZero();
        }

        @Test
        void makesNothing() {
            open();
            assertThat(here().journal().intents()).isEmpty();
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
            ServerlessCloud cloud = open();
            ServerlessSpec spec = spec(newDeployment());
            cloud.preflight(spec, false);
            cloud.preflight(spec, true);
            assertThat(here().journal().intents()).as("declared by preflight").isEmpty();
            assertThat(cloud.observe(cloud.plan(spec).resource()).phase()).isEqualTo(BackendPhase.GONE);
            assertThat(of(spec.deployment(), cloud.find()))
                    .as("made by preflight")
                    .isEmpty();
        }
    }

    @Nested
    class Offers {

        @Test
        void areItsOwnAndServerlessAndPricedOrOfUnknownPrice() {
            assertThat(open().offers(GpuQuery.ALL)).allSatisfy(offer -> {
                assertThat(offer.provider()).isEqualTo(provider().name());
                assertThat(offer.tier()).isEqualTo(Tier.SERVERLESS);
                checkPrice(offer.usdPerHour());
            });
        }

        @Test
        void matchTheQuery() {
            ServerlessCloud cloud = open();
            assertThat(cloud.offers(GpuQuery.gpu("NO-SUCH-GPU"))).isEmpty();
            cloud.offers(GpuQuery.ALL).stream()
                    .map(offer -> GpuQuery.gpu(offer.gpu()))
                    .distinct()
                    .limit(3)
                    .forEach(query ->
                            assertThat(cloud.offers(query)).isNotEmpty().allMatch(query::matches, "matches " + query));
        }
    }

    @Nested
    class Planning {

        @Test
        void contactsNobodyAndMakesNothing() {
            open().plan(spec(newDeployment()));
            assertThat(here().requests()).as("requests sent").isZero();
            assertThat(here().journal().intents()).isEmpty();
        }

        @Test
        void givesEqualPlansForEqualSpecs() {
            String deployment = newDeployment();
            ServerlessPlan plan = open().plan(spec(deployment));
            letTimePass();
            assertThat(open().plan(spec(deployment))).isEqualTo(plan);
        }

        @Test
        void namesDeploymentProviderAndWhatItWillDo() {
            String deployment = newDeployment();
            ServerlessPlan plan = open().plan(spec(deployment));
            assertThat(plan.deployment()).isEqualTo(deployment);
            assertThat(plan.resource().provider()).isEqualTo(provider().name());
            assertThat(plan.resource().kind()).isNotBlank();
            assertThat(plan.summary()).isNotBlank();
            assertThat(plan.body()).isNotBlank();
            assertThat(open().plan(spec(newDeployment())).resource()).isNotEqualTo(plan.resource());
        }

        @Test
        void refusesWhatItCannotHonour() {
            needs(Ability.REFUSE_SPEC);
            ServerlessCloud cloud = open();
            assertThat(impossibleSpecs())
                    .as("impossible specs")
                    .isNotEmpty()
                    .allSatisfy((what, spec) -> assertThatThrownBy(() -> cloud.plan(spec))
                            .as(what)
                            .isInstanceOf(ConfigurationException.class));
        }
    }

    @Nested
    class Beginning {

        @Test
        void makesNothingTwice() {
            ServerlessCloud cloud = open();
            ServerlessPlan plan = cloud.plan(spec(newDeployment()));
            ResourceRef resource = begin(cloud, plan);
            assertThat(begin(cloud, plan)).isEqualTo(resource);
            assertThat(begin(open(), plan)).as("begun again after a restart").isEqualTo(resource);
            checkFoundOnce(cloud, plan, resource);
        }

        @Test
        void makesNothingTwiceFromAPlanThatWasStored() {
            ServerlessCloud cloud = open();
            ServerlessPlan plan = cloud.plan(spec(newDeployment()));
            ServerlessPlan stored = PlanText.storedAndReadBack(plan);
            assertThat(stored).isEqualTo(plan);
            ResourceRef resource = begin(cloud, stored);
            assertThat(begin(cloud, plan)).isEqualTo(resource);
            checkFoundOnce(cloud, plan, resource);
        }

        @Test
        void makesNothingTwiceFromSeveralThreads() {
            ServerlessCloud cloud = open();
            ServerlessPlan plan = cloud.plan(spec(newDeployment()));
            List<ResourceRef> resources = atOnce(() -> cloud.begin(plan));
            begun.addAll(resources);
            assertThat(resources).containsOnly(resources.get(0));
            checkFoundOnce(cloud, plan, resources.get(0));
        }

        @Test
        void updatesWhatExistsUnderTheName() {
            ServerlessCloud cloud = open();
            ServerlessSpec first = spec(newDeployment());
            ScalingPolicy.Serverless more = first.scaling().toBuilder()
                    .workersMax(first.scaling().workersMax() + 1)
                    .build();
            ServerlessPlan changed = cloud.plan(new ServerlessSpec(
                    first.deployment(), first.engine(), more, first.region(), first.publicAccess(), first.options()));
            ResourceRef resource = begin(cloud, cloud.plan(first));
            assertThat(begin(cloud, changed)).isEqualTo(resource);
            checkFoundOnce(cloud, changed, resource);
            awaitReady(cloud, resource);
        }

        @Test
        void isSeenAtOnce() {
            ServerlessCloud cloud = open();
            ResourceRef resource = begin(cloud, newDeployment());
            assertThat(cloud.observe(resource).phase()).isLessThanOrEqualTo(BackendPhase.READY);
        }

        @Test
        void declaresEveryHelperBeforeItIsMade() {
            needs(Ability.FIND_RESOURCES);
            ServerlessCloud cloud = open();
            ServerlessPlan plan = cloud.plan(spec(newDeployment()));
            List<ResourceRef> late = watchForLateIntents(open()::find);
            ResourceRef resource = begin(cloud, plan);
            awaitReady(cloud, resource);
            assertThat(late).as("made before it was declared").isEmpty();
            List<ResourceRef> declared = here().journal().open(plan.deployment());
            assertThat(of(plan.deployment(), cloud.find()))
                    .extracting(FoundResource::resource)
                    .as("made for %s, of which the journal knows %s", plan.deployment(), declared)
                    .allMatch(found -> found.equals(resource) || declared.contains(found));
        }

        @Test
        void makesNoHelperThatCannotBeDeclared() {
            needs(Ability.FIND_RESOURCES);
            ServerlessCloud cloud = open();
            ServerlessPlan plan = cloud.plan(spec(newDeployment()));
            begun.add(plan.resource());
            here().journal().fail();
            failure(() -> begin(cloud, plan));
            assertThat(of(plan.deployment(), cloud.find()))
                    .extracting(FoundResource::resource)
                    .as("made although the journal failed")
                    .allMatch(begun::contains);
        }

        private void checkFoundOnce(ServerlessCloud cloud, ServerlessPlan plan, ResourceRef resource) {
            if (!cannot().containsKey(Ability.FIND_RESOURCES)) {
                assertThat(of(plan.deployment(), cloud.find()))
                        .extracting(FoundResource::resource)
                        .filteredOn(found -> found.kind().equals(resource.kind()))
                        .containsExactly(resource);
            }
        }
    }

    @Nested
    class Observing {

        @Test
        void becomesReadyAndServes() {
            ServerlessCloud cloud = open();
            ServerlessSpec spec = spec(newDeployment());
            ResourceRef resource = begin(cloud, cloud.plan(spec));
            ServerlessObservation ready = awaitReady(cloud, resource);
            checkPrice(ready.usdPerHour());
            checkServes(ready.address(), spec.engine().servedModelName(), spec.publicAccess());
        }

        @Test
        void looksTheSameAfterARestart() {
            ServerlessCloud cloud = open();
            ResourceRef resource = begin(cloud, newDeployment());
            ServerlessObservation ready = awaitReady(cloud, resource);
            ServerlessObservation again = open().observe(resource);
            assertThat(again.phase()).isEqualTo(BackendPhase.READY);
            assertThat(again.address().map(this::butForTheCredential))
                    .isEqualTo(ready.address().map(this::butForTheCredential));
        }

        /** One that ends after a while may be another at every look. */
        private BackendAddress butForTheCredential(BackendAddress address) {
            return address.credential()
                    .map(credential -> address.withCredential(new Credential(credential.header(), Secret.of("any"))))
                    .orElse(address);
        }

        @Test
        void whatWasNeverMadeIsGone() {
            ServerlessCloud cloud = open();
            ResourceRef unknown = cloud.plan(spec(newDeployment())).resource();
            assertThat(cloud.observe(unknown).phase()).isEqualTo(BackendPhase.GONE);
        }

        @Test
        void aCloudThatCannotBeAskedIsNotAnEmptyOne() {
            ResourceRef resource = begin(open(), newDeployment());
            ServerlessCloud cut = open(broken(here()));
            failure(() -> assertThat(cut.observe(resource).phase())
                    .as("phase told without knowing")
                    .isNotEqualTo(BackendPhase.GONE));
            if (!cannot().containsKey(Ability.FIND_RESOURCES)) {
                failure(() -> assertThat(cut.find())
                        .as("resources listed without knowing")
                        .anyMatch(found -> found.resource().equals(resource)));
            }
        }

        @Test
        void worksFromSeveralThreads() {
            ServerlessCloud cloud = open();
            ResourceRef resource = begin(cloud, newDeployment());
            awaitReady(cloud, resource);
            List<BackendPhase> phases = atOnce(() -> {
                cloud.find();
                cloud.offers(GpuQuery.ALL);
                return cloud.observe(resource).phase();
            });
            assertThat(phases).containsOnly(BackendPhase.READY);
        }
    }

    @Nested
    class Logging {

        @Test
        void tellsTheNewestLinesAndNoSecret() {
            ServerlessCloud cloud = open();
            ServerlessSpec spec = spec(newDeployment());
            ResourceRef resource = begin(cloud, cloud.plan(spec));
            ServerlessObservation ready = awaitReady(cloud, resource);
            unlessRefused(() -> cloud.logs(resource, 1));
            checkServes(ready.address(), spec.engine().servedModelName(), spec.publicAccess());
            waitFor(
                    "its containers have written something",
                    () -> cloud.logs(resource, MANY_LINES).size() > 1);
            assertThat(cloud.logs(resource, 1)).as("one line").hasSize(1);
            checkNoSecret("the logs", cloud.logs(resource, MANY_LINES));
        }

        @Test
        void whatWasNeverMadeHasWrittenNothing() {
            ServerlessCloud cloud = open();
            ResourceRef unknown = cloud.plan(spec(newDeployment())).resource();
            unlessRefused(() ->
                    assertThat(cloud.logs(unknown, MANY_LINES)).as("its logs").isEmpty());
        }
    }

    @Nested
    class ClearingTheCache {

        @Test
        void leavesItAndOthersServing() {
            ServerlessCloud cloud = open();
            ServerlessSpec spec = spec(newDeployment());
            ResourceRef cleared = begin(cloud, cloud.plan(spec));
            ResourceRef other = begin(cloud, newDeployment());
            awaitReady(cloud, cleared);
            awaitReady(cloud, other);
            cloud.clearCache(cleared);
            cloud.clearCache(cleared);
            assertThat(cloud.observe(other).phase()).isEqualTo(BackendPhase.READY);
            checkServes(awaitReady(cloud, cleared).address(), spec.engine().servedModelName(), spec.publicAccess());
        }

        @Test
        void whatWasNeverMadeIsFine() {
            ServerlessCloud cloud = open();
            cloud.clearCache(cloud.plan(spec(newDeployment())).resource());
        }
    }

    @Nested
    class Parking {

        @Test
        void endsItsContainersUntilItIsUnparked() {
            ServerlessCloud cloud = open();
            ServerlessSpec spec = spec(newDeployment());
            ResourceRef resource = begin(cloud, cloud.plan(spec));
            awaitReady(cloud, resource);
            park(cloud, resource);
            cloud.park(resource);
            assertThat(open().observe(resource).phase())
                    .as("phase of what is parked, after a restart")
                    .isEqualTo(BackendPhase.DRAINING);
            open().unpark(resource);
            ServerlessObservation again = awaitReady(open(), resource);
            open().unpark(resource);
            checkServes(again.address(), spec.engine().servedModelName(), spec.publicAccess());
        }

        @Test
        void endsWithTheNextBeginning() {
            ServerlessCloud cloud = open();
            ServerlessPlan plan = cloud.plan(spec(newDeployment()));
            ResourceRef resource = begin(cloud, plan);
            awaitReady(cloud, resource);
            park(cloud, resource);
            begin(open(), plan);
            awaitReady(open(), resource);
        }

        @Test
        void leavesOthersAlone() {
            ServerlessCloud cloud = open();
            ResourceRef parked = begin(cloud, newDeployment());
            ResourceRef other = begin(cloud, newDeployment());
            awaitReady(cloud, parked);
            awaitReady(cloud, other);
            park(cloud, parked);
            assertThat(cloud.observe(other).phase()).isEqualTo(BackendPhase.READY);
            cloud.destroy(parked);
            awaitGone(cloud, parked);
        }

        @Test
        void whatWasNeverMadeIsFine() {
            ServerlessCloud cloud = open();
            ResourceRef unknown = cloud.plan(spec(newDeployment())).resource();
            unlessRefused(() -> cloud.park(unknown));
            unlessRefused(() -> cloud.unpark(unknown));
            assertThat(cloud.observe(unknown).phase()).isEqualTo(BackendPhase.GONE);
        }

        private void park(ServerlessCloud cloud, ResourceRef resource) {
            unlessRefused(() -> cloud.park(resource));
            waitFor(resource + " is parked", () -> {
                ServerlessObservation now = cloud.observe(resource);
                return now.phase() == BackendPhase.DRAINING && now.containers().orElse(0) == 0;
            });
        }
    }

    @Nested
    class Destroying {

        @Test
        void isConfirmedAndStaysSoAndTheMeterStops() {
            ServerlessCloud cloud = open();
            ResourceRef resource = begin(cloud, newDeployment());
            Duration before = awaitReady(cloud, resource).containerTime().orElse(Duration.ZERO);
            cloud.destroy(resource);
            awaitGone(cloud, resource);
            ServerlessObservation gone = cloud.observe(resource);
            checkMeter(gone.containerTime().isPresent() ? before : Duration.ZERO, gone);
            letTimePass();
            ServerlessObservation later = open().observe(resource);
            assertThat(later.phase()).isEqualTo(BackendPhase.GONE);
            assertThat(later.containerTime()).as("the final meter reading").isEqualTo(gone.containerTime());
        }

        @Test
        void twiceIsFine() {
            ServerlessCloud cloud = open();
            ResourceRef resource = begin(cloud, newDeployment());
            cloud.destroy(resource);
            cloud.destroy(resource);
            open().destroy(resource);
            awaitGone(cloud, resource);
            cloud.destroy(resource);
        }

        @Test
        void whatWasNeverMadeIsFine() {
            ServerlessCloud cloud = open();
            ResourceRef unknown = cloud.plan(spec(newDeployment())).resource();
            cloud.destroy(unknown);
            assertThat(cloud.observe(unknown).phase()).isEqualTo(BackendPhase.GONE);
        }

        @Test
        void takesTheHelpersAlong() {
            ServerlessCloud cloud = open();
            String deployment = newDeployment();
            ResourceRef resource = begin(cloud, deployment);
            awaitReady(cloud, resource);
            cloud.destroy(resource);
            awaitGone(cloud, resource);
            waitFor(
                    "nothing is found any more",
                    () -> of(deployment, cloud.find()).isEmpty());
            waitFor("the journal knows that helpers are gone", () -> {
                cloud.observe(resource);
                return here().journal().open(deployment).stream().allMatch(resource::equals);
            });
        }

        @Test
        void leavesOtherDeploymentsAlone() {
            ServerlessCloud cloud = open();
            ResourceRef kept = begin(cloud, newDeployment());
            ResourceRef removed = begin(cloud, newDeployment());
            awaitReady(cloud, kept);
            cloud.destroy(removed);
            awaitGone(cloud, removed);
            assertThat(cloud.observe(kept).phase()).isEqualTo(BackendPhase.READY);
        }

        @Test
        void theNameCanBeUsedAgain() {
            ServerlessCloud cloud = open();
            String deployment = newDeployment();
            ResourceRef resource = begin(cloud, deployment);
            cloud.destroy(resource);
            awaitGone(cloud, resource);
            awaitReady(cloud, begin(cloud, deployment));
        }
    }

    @Nested
    class Finding {

        @Test
        void tellsOwnerAndDeploymentToEveryone() {
            needs(Ability.FIND_RESOURCES);
            ServerlessCloud cloud = open();
            String deployment = newDeployment();
            ResourceRef resource = begin(cloud, deployment);
            waitFor("it is found", () -> !of(deployment, cloud.find()).isEmpty());
            assertThat(of(deployment, cloud.find()))
                    .allMatch(found -> found.ownerId().equals(here().ownerId()), "carries the owner id");
            ServerlessCloud stranger = open(here().withOwner("stranger"));
            assertThat(of(deployment, stranger.find()))
                    .as("what another installation finds")
                    .anyMatch(found ->
                            found.resource().equals(resource) && found.ownerId().equals(here().ownerId()));
        }
    }

    @Nested
    class Failing {

        @Test
        void throwsOnlyKindsThatCoreKnows() {
            ServerlessPlan plan = open().plan(spec(newDeployment()));
            begun.add(plan.resource());
            ServerlessCloud cut = open(broken(here()));
            List<Optional<TunaException>> failures = List.of(
                    failure(() -> cut.plan(spec(plan.deployment()))),
                    failure(() -> cut.begin(plan)),
                    failure(() -> cut.observe(plan.resource())),
                    failure(() -> cut.offers(GpuQuery.ALL)),
                    failure(() -> cut.destroy(plan.resource())),
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
            ServerlessProvider provider = provider();
            ServerlessCloud cloud = open();
            ServerlessPlan plan = cloud.plan(spec(newDeployment()));
            ResourceRef resource = begin(cloud, plan);
            ServerlessObservation ready = awaitReady(cloud, resource);
            checkNoSecretIn(Map.of(
                    "the plan", plan,
                    "the resource", resource,
                    "the observation", ready,
                    "the cloud", cloud,
                    "the provider", provider,
                    "found resources", cloud.find(),
                    "offers", cloud.offers(GpuQuery.ALL)));
        }
    }

    @Nested
    class Closing {

        @Test
        void twiceIsFineAndLeavesResourcesAlone() {
            ServerlessCloud cloud = open();
            ResourceRef resource = begin(cloud, newDeployment());
            awaitReady(cloud, resource);
            cloud.close();
            cloud.close();
            assertThat(open().observe(resource).phase()).isEqualTo(BackendPhase.READY);
        }
    }
}
