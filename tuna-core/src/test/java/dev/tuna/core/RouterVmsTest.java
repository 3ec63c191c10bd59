package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployPlan;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentEvent;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DestroyReport;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Orphan;
import dev.tuna.api.ProviderException;
import dev.tuna.api.RouterPlacement;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.SpotState;
import dev.tuna.api.StoreException;
import dev.tuna.api.TunaException;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.control.Allowance;
import dev.tuna.core.control.Bundle;
import dev.tuna.core.machine.RouterVmOptions;
import dev.tuna.core.remote.Lodging;
import dev.tuna.spi.ResourceRef;
import dev.tuna.testkit.cloud.model.ReplicaView;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a host does with its router VMs when one of them hangs, is lost, or has other guests. */
class RouterVmsTest {

    private static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final String OTHER_MODEL = "Qwen/Qwen3-1.7B";

    private final RouterVmWorld world = new RouterVmWorld();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void close() {
        threads.shutdownNow();
        world.close();
    }

    private Deployment away(String name, String model) throws Exception {
        world.host.deploy(RouterVmWorld.request(name, model).build());
        soon(CompletableFuture.supplyAsync(() -> world.host.routerVms().awaitArrived(name), threads));
        return world.host.deployment(name).orElseThrow();
    }

    private Deployment here(String name, String model) {
        return world.host.deploy(RouterVmWorld.request(name, model)
                .routerPlacement(RouterPlacement.EMBEDDED)
                .build());
    }

    private void untilKnown(String guest) throws InterruptedException {
        RouterVmWorld.until(
                () -> world.stored().stream()
                        .anyMatch(record -> record.details().contains("\"" + guest + "\"")),
                "the guest is known");
    }

    private static <T> T soon(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    @Test
    void aPlanShowsTheMachineThatWouldBeMadeAndTheOneThatIsShared() throws Exception {
        Tuna host = world.start();
        assertThat(host.plan(RouterVmWorld.request("first", MODEL).build()).router())
                .contains(new DeployPlan.RouterMachine(
                        "local-spot",
                        "shared",
                        false,
                        "small",
                        "here",
                        Optional.of(BigDecimal.ONE),
                        "in this process",
                        "{}"));
        assertThat(host.routerVms().status()).isEmpty();
        away("first", MODEL);
        assertThat(host.plan(RouterVmWorld.request("second", OTHER_MODEL).build())
                        .router())
                .hasValueSatisfying(router -> assertThat(router.shared()).isTrue());
        assertThat(host.plan(RouterVmWorld.request("second", OTHER_MODEL)
                                .routerPlacement(RouterPlacement.EMBEDDED)
                                .build())
                        .router())
                .isEmpty();
    }

    @Test
    void aMachineWhoseProgramKnowsNothingOfMoneyYetIsUsedAllTheSame() throws Exception {
        world.program = RouterVmsTest::ofAnOlderVersion;
        world.start();

        away("chat", MODEL);

        assertThat(soon(world.host.destroy("chat")).deployment()).isEqualTo("chat");
        assertThat(world.hasMachine()).isFalse();
    }

    @Test
    void theNextProcessKnowsWhetherItHasLookedAtTheMachineYet() throws Exception {
        world.start();
        away("first", MODEL);
        Tuna next = world.restart();
        RouterVmWorld.until(next::hasSeenAll, "it has looked");
        assertThat(next.status("first").problems()).isEmpty();
        assertThat(next.status("first").endpoint())
                .hasPort(world.machine().address().getPort());
    }

    @Test
    void whoIsTakenBackWhileAnotherOneHangsNeedNotWaitForThat() throws Exception {
        var hangs = new CountDownLatch(1);
        var asked = new CountDownLatch(1);
        world.program = beforeTake("slow", () -> {
            asked.countDown();
            await(hangs);
        });
        world.start();
        away("slow", MODEL);
        away("quick", OTHER_MODEL);

        CompletableFuture<Deployment> slow = world.host.routerVms().takeBack("slow");
        await(asked);
        Deployment quick = soon(world.host.routerVms().takeBack("quick"));

        assertThat(quick.endpoint()).hasPort(world.host.address().getPort());
        assertThat(world.host.routerVms().status())
                .singleElement()
                .satisfies(vm -> assertThat(vm.deployments()).containsExactly("slow"));
        assertThat(slow).isNotDone();
        hangs.countDown();
        soon(slow);
    }

    @Test
    void aDeploymentWhoseCloudHangsHoldsUpNoOtherOnItsWay() throws Exception {
        var hangs = new CountDownLatch(1);
        CountDownLatch launching = launchesHangUntil(hangs);
        world.start();
        here("slow", MODEL);
        await(launching);
        CompletableFuture<Deployment> slow = CompletableFuture.supplyAsync(
                () -> world.host.routerVms().give("slow").join(), threads);
        world.beforeLaunch = plan -> {};

        here("quick", OTHER_MODEL);
        Deployment quick = soon(world.host.routerVms().give("quick"));

        assertThat(quick.endpoint()).hasPort(world.machine().address().getPort());
        assertThat(slow).isNotDone();
        hangs.countDown();
        soon(slow);
    }

    @Test
    void destroyingTheLastOneFromHereLeavesTheMachineToItsOtherGuests() throws Exception {
        world.start();
        away("chat", MODEL);
        Deployment guest = world.machine()
                .deploy(RouterVmWorld.request("guest", OTHER_MODEL).build());

        DestroyReport report = soon(world.host.destroy("chat"));

        assertThat(report.removed()).noneMatch(resource -> resource.contains("router-vm"));
        assertThat(world.hasMachine()).isTrue();
        assertThat(guest.status().name()).isEqualTo("guest");
        soon(guest.destroy());
        RouterVmWorld.until(() -> !world.hasMachine(), "the machine goes with the last guest");
    }

    @Test
    void whoDeploysOnAMachineJustBeforeItWouldEndKeepsIt() throws Exception {
        var guest = new CompletableFuture<Deployment>();
        world.program = vacating(lodging -> {
            if (!guest.isDone()) {
                guest.complete(world.machine()
                        .deploy(RouterVmWorld.request("guest", OTHER_MODEL).build()));
            }
            return lodging.vacate();
        });
        world.start();
        away("chat", MODEL);

        soon(world.host.destroy("chat"));

        untilKnown("guest");
        assertThat(world.machine().deployment("guest")).isPresent();
        soon(soon(guest).destroy());
        RouterVmWorld.until(() -> !world.hasMachine(), "the machine goes with the guest");
    }

    @Test
    void whoDeploysOnAMachineThatIsAboutToEndIsRefused() throws Exception {
        var tried = new CompletableFuture<Deployment>();
        world.program = vacating(lodging -> {
            boolean empty = lodging.vacate();
            try {
                tried.complete(world.machine()
                        .deploy(RouterVmWorld.request("guest", OTHER_MODEL).build()));
            } catch (TunaException e) {
                tried.completeExceptionally(e);
            }
            return empty;
        });
        world.start();
        away("chat", MODEL);

        soon(world.host.destroy("chat"));

        assertThat(world.hasMachine()).isFalse();
        assertThatThrownBy(() -> soon(tried))
                .hasMessageContaining("is being removed")
                .hasMessageContaining("try again");
    }

    @Test
    void aMachineThatWasAboutToEndAndIsNeededAfterAllIsOpenToAll() throws Exception {
        var next = new AtomicReference<Deployment>();
        world.program = vacating(lodging -> {
            boolean empty = lodging.vacate();
            if (next.get() == null) {
                next.set(world.host.deploy(
                        RouterVmWorld.request("next", OTHER_MODEL).build()));
            }
            return empty;
        });
        world.start();
        away("chat", MODEL);

        soon(world.host.destroy("chat"));

        soon(CompletableFuture.supplyAsync(() -> world.host.routerVms().awaitArrived("next"), threads));
        assertThat(world.machine()
                        .deploy(RouterVmWorld.request("guest", MODEL).build())
                        .name())
                .isEqualTo("guest");
    }

    @Test
    void aMachineThatDidNotHearOfATakingBackHearsOfItAlsoAfterTheNextGivingWasCalledOff() throws Exception {
        var deaf = new AtomicBoolean(true);
        world.program = deafTo(deaf);
        world.start();
        away("chat", MODEL);
        CompletableFuture<Deployment> taking = world.host.routerVms().takeBack("chat");
        RouterVmWorld.until(taking::isDone, "it is back, whoever knows");
        world.sight = seen -> RouterVmWorld.silent(seen, BackendPhase.BOOTING);
        CompletableFuture<Deployment> giving = world.host.routerVms().give("chat");
        soon(world.host.routerVms().takeBack("chat"));
        RouterVmWorld.until(giving::isDone, "it is called off");

        deaf.set(false);
        world.sight = UnaryOperator.identity();

        RouterVmWorld.until(() -> !world.hasMachine(), "nothing is left on the machine");
        assertThat(world.host.deployment("chat")).isPresent();
    }

    private static UnaryOperator<Lodging> vacating(Predicate<Lodging> vacate) {
        return lodging -> new ForwardingLodging() {
            @Override
            public Lodging lodging() {
                return lodging;
            }

            @Override
            public boolean vacate() {
                return vacate.test(lodging);
            }
        };
    }

    @Test
    void whatAnotherOneHasDeployedOnAMachineIsNoOrphanWhileThatLives() throws Exception {
        Tuna host = world.start();
        away("chat", MODEL);
        Deployment guest = world.machine()
                .deploy(RouterVmWorld.request("guest", OTHER_MODEL).build());
        RouterVmWorld.until(() -> guest.status().spotState() == SpotState.READY, "the guest serves");
        assertThat(host.orphans().found()).isEmpty();
        untilKnown("guest");
        world.sight = seen -> RouterVmWorld.silent(seen, BackendPhase.ENGINE);
        Tuna next = world.restart();
        assertThat(next.orphans().found()).isEmpty();
        List<Orphan> replicas = world.orphansOf("guest");
        assertThat(replicas)
                .isNotEmpty()
                .allSatisfy(replica -> assertThatThrownBy(() -> next.destroy(replica))
                        .isInstanceOf(ConfigurationException.class)
                        .hasMessageContaining("'guest'"));

        world.sight = UnaryOperator.identity();
        world.loseMachine();
        RouterVmWorld.until(() -> next.routerVms().status().isEmpty(), "the loss is dealt with");

        assertThat(next.orphans().found())
                .extracting(Orphan::id)
                .containsAll(replicas.stream().map(Orphan::id).toList());
    }

    @Tag("full") // waits as long as a machine may be silent
    @Test
    void aMachineThatDoesNotAnswerIsNotEndedUnderItsOtherGuests() throws Exception {
        world.start();
        away("chat", MODEL);
        world.machine().deploy(RouterVmWorld.request("guest", OTHER_MODEL).build());
        untilKnown("guest");
        world.sight = seen -> RouterVmWorld.silent(seen, BackendPhase.ENGINE);
        RouterVmWorld.until(
                () -> world.host.routerVms().status().get(0).phase() != BackendPhase.READY, "the silence is noticed");

        assertThatThrownBy(() -> world.host.destroy("chat").get(10, TimeUnit.MINUTES))
                .hasMessageContaining("does not answer")
                .hasMessageContaining("[guest]");

        assertThat(world.hasMachine()).isTrue();
        world.sight = UnaryOperator.identity();
        RouterVmWorld.until(
                () -> world.host.routerVms().status().get(0).phase() == BackendPhase.READY, "it answers again");
        assertThat(soon(world.host.destroy("chat")).removed()).noneMatch(resource -> resource.contains("router-vm"));
        assertThat(world.machine().deployment("guest")).isPresent();
    }

    @Test
    void aReportNamesTheMachineThatWentWithTheDeployment() throws Exception {
        world.start();
        away("chat", MODEL);

        DestroyReport report = soon(world.host.destroy("chat"));

        assertThat(report.removed()).anyMatch(resource -> resource.contains("router-vm"));
        assertThat(world.hasMachine()).isFalse();
    }

    @Test
    void whoeverWaitsForAMachineThatIsRefusedIsToldAndDestroyingEndsTheMatter() throws Exception {
        var asked = new AtomicInteger();
        world.beforeMachine = () -> {
            asked.incrementAndGet();
            throw refusal().build();
        };
        Deployment chat =
                world.start().deploy(RouterVmWorld.request("chat", MODEL).build());

        assertThatThrownBy(() -> soon(chat.ready())).hasMessageContaining("no such instance profile");
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("no such instance profile"));
        DestroyReport report = soon(chat.destroy());

        assertThat(report.removed()).noneMatch(resource -> resource.contains("router-vm"));
        assertThat(world.host.routerVms().status()).isEmpty();
        int times = asked.get();
        world.beforeMachine = asked::incrementAndGet;
        assertThat(world.restart().routerVms().status()).isEmpty();
        soon(away("second", OTHER_MODEL).destroy());
        assertThat(asked)
                .as("machines asked for: none for the one that is over")
                .hasValue(times + 1);
    }

    @Test
    void aMachineThatWasRefusedComesUpOnceWhatWasWrongIsMended() throws Exception {
        var refused = new CountDownLatch(2);
        world.beforeMachine = () -> {
            if (refused.getCount() > 0) {
                refused.countDown();
                throw refusal().build();
            }
        };
        world.start().deploy(RouterVmWorld.request("chat", MODEL).build());
        await(refused);

        RouterVmWorld.until(
                () -> world.host.routerVms().status().stream()
                        .anyMatch(vm ->
                                vm.phase() == BackendPhase.READY && vm.detail().isEmpty()),
                "the machine is there");
        soon(world.host.deployment("chat").orElseThrow().ready());
    }

    @Test
    void aMachineThatCameOfALaunchThatNobodyHeardOfGoesWithItsDeployment() throws Exception {
        world.afterMachine = () -> {
            throw refusal().retryable(true).build();
        };
        world.start().deploy(RouterVmWorld.request("chat", MODEL).build());
        RouterVmWorld.until(world::hasMachine, "there is a machine");

        DestroyReport report = soon(world.host.destroy("chat"));

        assertThat(report.removed()).anyMatch(resource -> resource.contains("router-vm"));
        assertThat(world.hasMachine()).isFalse();
    }

    private static ProviderException.Builder refusal() {
        return ProviderException.of("local-spot", "launch router VM").message("no such instance profile");
    }

    @Test
    void aMachineIsBilledByWhatItsCloudShowsAndNotByWhatWasPlanned() throws Exception {
        var aSecond = BigDecimal.ONE;
        world.sight = seen -> RouterVmWorld.costing(seen, aSecond.multiply(BigDecimal.valueOf(3600)));
        world.start();
        away("chat", MODEL);
        assertThat(world.host.routerVms().status())
                .singleElement()
                .satisfies(vm -> assertThat(vm.usdPerHour()).contains(new BigDecimal("3600")));

        DestroyReport report = soon(world.host.destroy("chat"));

        assertThat(report.cost().lines())
                .filteredOn(line -> line.backend().equals("shared"))
                .singleElement()
                .satisfies(line -> assertThat(line.usd().orElseThrow())
                        .isCloseTo(
                                aSecond.multiply(
                                        BigDecimal.valueOf(line.billed().toMillis(), 3)),
                                within(new BigDecimal("0.01"))));
    }

    @Test
    void whatALostMachineHasMadeAndNobodyWantsIsRemovedUntilThatSucceeds() throws Exception {
        ScalingPolicy one = ScalingPolicy.DEFAULT.withSpot(
                ScalingPolicy.DEFAULT.spot().toBuilder().maxReplicas(1).build());
        Deployment chat = world.start()
                .deploy(RouterVmWorld.request("chat", MODEL)
                        .routerPlacement(RouterPlacement.EMBEDDED)
                        .scaling(one)
                        .build());
        RouterVmWorld.until(() -> chat.status().spotState() == SpotState.READY, "spot serves");
        soon(world.host.routerVms().give("chat"));
        ResourceRef stray = world.launchUnknown("chat");
        Set<ResourceRef> refused = ConcurrentHashMap.newKeySet();
        world.beforeTermination = replica -> {
            if (refused.add(replica)) {
                throw new IllegalStateException("refused once, as scripted");
            }
        };

        world.loseMachine();

        RouterVmWorld.until(() -> world.host.routerVms().status().isEmpty(), "the loss is dealt with");
        assertThat(refused).contains(stray);
        RouterVmWorld.until(
                () -> world.cloud.snapshot().replica(stray.id()).endedAt().isPresent(), "the stray ends");
        world.beforeTermination = replica -> {};
        soon(world.host.destroy("chat"));
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void whatTheMachineDoesNotTakeStaysAndSaysWhy() throws Exception {
        world.start();
        away("first", OTHER_MODEL);
        world.machine()
                .deploy(RouterVmWorld.request("guest", MODEL)
                        .routerPlacement(RouterPlacement.EMBEDDED)
                        .build());
        here("chat", MODEL);
        var warnings = new CopyOnWriteArrayList<String>();
        world.host.events(event -> {
            if (event.kind() == DeploymentEvent.Kind.WARNING) {
                warnings.add(event.message());
            }
        });

        assertThatThrownBy(() -> soon(world.host.routerVms().give("chat")))
                .hasCauseInstanceOf(ConfigurationException.class)
                .hasMessageContaining("looked after here further")
                .hasMessageContaining("'guest'");

        RouterVmWorld.until(
                () -> warnings.stream().anyMatch(warning -> warning.contains("'guest'")), "the reason is told");
        assertThat(world.host.deployment("chat").orElseThrow().endpoint())
                .hasPort(world.host.address().getPort());
    }

    @Test
    void aHandleFollowsTheDeploymentWhenItsMachineIsLostAndUntilItIsOver() throws Exception {
        world.start();
        Deployment chat = away("chat", MODEL);
        soon(chat.ready());

        world.loseMachine();
        RouterVmWorld.until(() -> world.host.routerVms().status().isEmpty(), "the loss is dealt with");

        soon(chat.ready());
        assertThat(chat.endpoint()).hasPort(world.host.address().getPort());
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
        soon(chat.destroy());
        assertThat(chat.status().phase()).isEqualTo(DeploymentPhase.DESTROYED);
        assertThat(chat.cost().lines()).isNotEmpty();
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void whileTheProgramOfAMachineIsAwayAnswersAreAsOfTheHandover() throws Exception {
        world.start();
        Deployment chat = away("chat", MODEL);
        DeployRequest request = chat.request();

        world.machine().close();

        assertThat(chat.request()).isEqualTo(request);
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("does not answer"));
        assertThat(chat.cost().deployment()).isEqualTo("chat");
    }

    @Test
    void eventsOfAMachineComeAlsoFromTheNextProgramThatRunsThere() throws Exception {
        Set<String> heard = ConcurrentHashMap.newKeySet();
        world.start().events(event -> heard.add(event.deployment()));
        away("chat", MODEL);
        world.restartPrograms();
        var looks = new AtomicInteger();
        world.sight = seen -> {
            looks.incrementAndGet();
            return seen;
        };
        RouterVmWorld.until(() -> looks.get() > 1, "a look is over that began after the restart");

        world.machine().deploy(RouterVmWorld.request("guest", OTHER_MODEL).build());

        RouterVmWorld.until(() -> heard.contains("guest"), "an event of the guest is heard");
    }

    @Test
    void theModelOfOneThatLivesOnAMachineMayBeServedHereTooAndThenItCannotComeBack() throws Exception {
        world.start();
        away("chat", MODEL);
        Deployment second = here("second", MODEL);

        assertThatThrownBy(() -> soon(world.host.routerVms().takeBack("chat")))
                .hasCauseInstanceOf(ConfigurationException.class)
                .hasMessageContaining("'" + MODEL + "'")
                .hasMessageContaining("'second'");

        assertThat(world.machine().deployment("chat")).isPresent();
        assertThat(world.machine().isInUse()).isTrue();
        assertThat(second.endpoint()).hasPort(world.host.address().getPort());
        assertThat(world.restart().deployments())
                .extracting(Deployment::name)
                .containsExactlyInAnyOrder("chat", "second");
        soon(world.host.destroy("second"));
        world.host.routerVms().awaitArrived("chat");
        Deployment back = soon(world.host.routerVms().takeBack("chat"));
        assertThat(back.endpoint()).hasPort(world.host.address().getPort());
    }

    @Test
    void whenTheMachineOfOneIsLostWhoseModelIsServedHereItWaitsForTheOther() throws Exception {
        world.start();
        soon(away("chat", MODEL).ready());
        here("second", MODEL);

        world.loseMachine();
        RouterVmWorld.until(() -> world.host.routerVms().status().isEmpty(), "the loss is dealt with");

        assertThat(world.host.status("chat").problems()).anyMatch(problem -> problem.contains("'second'"));
        assertThat(world.restart().status("chat").problems()).anyMatch(problem -> problem.contains("'second'"));
        soon(world.host.destroy("second"));
        assertThat(world.host.status("chat").problems()).noneMatch(problem -> problem.contains("'second'"));
        soon(world.host.deployment("chat").orElseThrow().ready());
    }

    @Test
    void whatAProviderAnswersIsStoredBeforeControlIsGivenUp() throws Exception {
        var hangs = new CountDownLatch(1);
        CountDownLatch launching = launchesHangUntil(hangs);
        world.start();
        here("chat", MODEL);
        await(launching);

        CompletableFuture<Void> retired = CompletableFuture.runAsync(world.host::retire, threads);
        RouterVmWorld.until(() -> refusesToDeploy(), "nothing new is accepted");
        assertThat(retired).isNotDone();
        hangs.countDown();
        soon(retired);

        assertThat(world.stored())
                .filteredOn(record -> record.provider().equals("local-spot"))
                .singleElement()
                .satisfies(record -> assertThat(record.resource()).isPresent());
    }

    @Tag("full") // waits as long as a machine may be silent
    @Test
    void allThatLiveOnAMachineThatDoesNotAnswerCanBeDestroyedTogether() throws Exception {
        world.start();
        away("chat", MODEL);
        away("second", OTHER_MODEL);
        world.sight = seen -> RouterVmWorld.silent(seen, BackendPhase.ENGINE);
        RouterVmWorld.until(
                () -> world.host.routerVms().status().get(0).phase() != BackendPhase.READY, "the silence is noticed");

        CompletableFuture<DestroyReport> chat = world.host.destroy("chat");
        CompletableFuture<DestroyReport> second = world.host.destroy("second");

        assertThat(chat.get(10, TimeUnit.MINUTES).deployment()).isEqualTo("chat");
        assertThat(second.get(10, TimeUnit.MINUTES).removed()).anyMatch(resource -> resource.contains("router-vm"));
        assertThat(world.hasMachine()).isFalse();
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void whoWaitsUntilItServesOutlastsThatTheProgramOfTheMachineIsStartedAgain() throws Exception {
        world.cloud.setColdStart(Duration.ofSeconds(3));
        world.start();
        CompletableFuture<Deployment> ready = away("chat", MODEL).ready();

        world.restartPrograms();

        assertThat(soon(ready).status().phase()).isEqualTo(DeploymentPhase.ACTIVE);
    }

    @Test
    void aHandoverThatCannotBeStoredHasNotBegun() throws Exception {
        world.start();
        soon(here("chat", MODEL).ready());
        world.refused = change ->
                change.resources().stream().anyMatch(record -> record.key().startsWith("handover/"));

        assertThatThrownBy(() -> world.host.routerVms().give("chat")).isInstanceOf(StoreException.class);

        world.refused = change -> false;
        assertThat(world.host.routerVms().status()).isEmpty();
        soon(world.host.destroy("chat"));
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void whatAHostHasBegunToTakeBackAndNeverFinishesIsKnownOverRestartsAndCanBeDestroyedThere() throws Exception {
        abandonTakingBack("chat");
        assertThat(world.machine().status("chat").problems()).anyMatch(problem -> problem.contains("to take it back"));

        world.restartPrograms();

        Deployment chat = world.machine().deployment("chat").orElseThrow();
        assertThat(world.machine().deployments()).extracting(Deployment::name).containsExactly("chat");
        assertThat(world.machine().isInUse()).isTrue();
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("to take it back"));
        soon(chat.destroy());
        assertThat(world.machine().deployments()).isEmpty();
        assertThat(world.machine().isInUse()).isFalse();
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void whatAHostHasBegunToTakeBackCanBeDestroyedThereAtOnce() throws Exception {
        abandonTakingBack("chat");

        soon(world.machine().destroy("chat"));

        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void aHostThatIsStartedAgainHasTheMachineGoOnWithWhatItHadBegunToTakeBack() throws Exception {
        abandonTakingBack("chat");
        world.restartPrograms();

        world.restart();

        RouterVmWorld.until(
                () -> world.machine().status("chat").problems().isEmpty(), "the machine looks after it again");
        world.host.routerVms().awaitArrived("chat");
        Deployment back = soon(world.host.routerVms().takeBack("chat"));
        assertThat(back.endpoint()).hasPort(world.host.address().getPort());
    }

    /** The host ends when the machine has given control up, and before it knows. */
    private void abandonTakingBack(String name) throws Exception {
        var gone = new CountDownLatch(1);
        world.program = afterTake(gone);
        world.start();
        soon(away(name, MODEL).ready());
        var unused = world.host.routerVms().takeBack(name);
        await(gone);
        world.program = UnaryOperator.identity();
        world.host.close();
    }

    @Test
    void whatIsToBeGivenIsLookedAfterHereUntilTheMachineIsReadyAlsoOverARestart() throws Exception {
        world.sight = seen -> RouterVmWorld.silent(seen, BackendPhase.BOOTING);
        world.start();
        Deployment chat = here("chat", MODEL);
        RouterVmWorld.until(() -> chat.status().spotState() == SpotState.READY, "spot serves");
        CompletableFuture<Deployment> given = world.host.routerVms().give("chat");
        RouterVmWorld.until(world::hasMachine, "the machine boots");

        String lost = replica();
        world.cloud.lose(lost);

        RouterVmWorld.until(
                () -> chat.status().spotState() == SpotState.READY
                        && !List.of(lost, "").contains(replica()),
                "what is lost is replaced");
        assertThat(chat.status().problems()).anyMatch(problem -> problem.contains("is to be handed over"));
        assertThat(given).isNotDone();
        Deployment again = world.restart().deployment("chat").orElseThrow();
        soon(again.ready());
        assertThat(again.endpoint()).hasPort(world.host.address().getPort());
        assertThat(answers(again)).isEqualTo(200);
        world.sight = UnaryOperator.identity();
        RouterVmWorld.until(
                () -> world.machine().deployment("chat").isPresent()
                        && world.host
                                        .deployment("chat")
                                        .orElseThrow()
                                        .endpoint()
                                        .getPort()
                                == world.machine().address().getPort(),
                "the machine has it");
        assertThat(answers(world.host.deployment("chat").orElseThrow())).isEqualTo(200);
        soon(world.host.destroy("chat"));
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void whatIsGivenToAMachineThatIsRefusedStaysHereAndSaysSo() throws Exception {
        world.beforeMachine = () -> {
            throw refusal().build();
        };
        world.start();
        Deployment chat = here("chat", MODEL);
        soon(chat.ready());
        List<String> told = new CopyOnWriteArrayList<>();
        var unused = world.host.events(event -> told.add(event.message()));

        CompletableFuture<Deployment> given = world.host.routerVms().give("chat");

        assertThatThrownBy(() -> soon(given))
                .hasCauseInstanceOf(ConfigurationException.class)
                .hasMessageContaining("no such instance profile");
        RouterVmWorld.until(() -> world.host.routerVms().status().isEmpty(), "nothing is asked for any more");
        RouterVmWorld.until(
                () -> told.stream()
                        .anyMatch(message ->
                                message.contains("is not handed over") && message.contains("no such instance profile")),
                "it is told");
        assertThat(chat.status().problems()).isEmpty();
        assertThat(answers(chat)).isEqualTo(200);
        soon(world.host.destroy("chat"));
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void whatTheMachineCannotStoreStaysHereAndDisturbsNobodyElseThere() throws Exception {
        world.refusedThere = change ->
                change.resources().stream().anyMatch(record -> record.key().equals("handover/chat"));
        world.start();
        Deployment chat = here("chat", MODEL);
        soon(chat.ready());

        CompletableFuture<Deployment> given = world.host.routerVms().give("chat");

        assertThatThrownBy(() -> soon(given))
                .hasCauseInstanceOf(ConfigurationException.class)
                .hasMessageContaining("cannot be kept there")
                .hasMessageContaining("refused, as scripted");
        assertThat(answers(world.host.deployment("chat").orElseThrow())).isEqualTo(200);
        soon(world.host.destroy("chat"));
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void aMachineThatDidNotHearOfATakingBackHearsOfItAlsoWhenItIsSomebodyElsesByThen() throws Exception {
        var deaf = new AtomicBoolean(true);
        world.program = deafTo(deaf);
        world.start();
        away("chat", MODEL);
        away("other", OTHER_MODEL);
        CompletableFuture<Deployment> taking = world.host.routerVms().takeBack("chat");
        RouterVmWorld.until(taking::isDone, "it is back, whoever knows");
        soon(world.host.routerVms().give("chat"));

        deaf.set(false);

        assertThat(answers(world.host.deployment("chat").orElseThrow())).isEqualTo(200);
        soon(world.host.destroy("chat"));
        soon(world.host.destroy("other"));
        assertThat(world.hasMachine()).isFalse();
    }

    private static UnaryOperator<Lodging> deafTo(AtomicBoolean deaf) {
        return lodging -> new ForwardingLodging() {
            @Override
            public Lodging lodging() {
                return lodging;
            }

            @Override
            public void taken(String name, String handover) {
                if (deaf.get()) {
                    throw new StoreException(ErrorCode.STORE_UNWRITABLE, "deaf, as scripted", null);
                }
                lodging.taken(name, handover);
            }
        };
    }

    @Test
    void whatAServerlessProviderCannotDoOnAMachineIsRefusedBeforeItIsGiven() throws Exception {
        world.options = options -> options.need("local", RouterVmOptions.Need.never("it has hands of its own"));
        world.start();
        assertThatThrownBy(() -> world.host.deploy(RouterVmWorld.request("other", OTHER_MODEL)
                        .serverlessProviders("local")
                        .build()))
                .hasMessageContaining("it has hands of its own");
        Deployment chat = here("chat", MODEL); // the provider is chosen by Tuna
        soon(chat.ready());

        assertThatThrownBy(() -> world.host.routerVms().give("chat"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("'local'")
                .hasMessageContaining("it has hands of its own");
        assertThat(world.host.routerVms().status()).isEmpty();
        soon(world.host.destroy("chat"));
    }

    @Test
    void aChangedRequestTakesItsSecretsAlongToTheMachine() throws Exception {
        var fresh = new SecretRef("fresh");
        var changed = new SecretRef("changed");
        world.secrets.put(changed, Secret.of("old"));
        world.start();
        world.host.deploy(RouterVmWorld.request("chat", MODEL)
                .secrets(Map.of("HF_TOKEN", changed))
                .build());
        soon(CompletableFuture.supplyAsync(() -> world.host.routerVms().awaitArrived("chat"), threads));
        world.secrets.put(changed, Secret.of("new"));
        world.secrets.put(fresh, Secret.of("another"));

        world.host.redeploy(RouterVmWorld.request("chat", MODEL)
                .secrets(Map.of("HF_TOKEN", changed, "MORE", fresh))
                .build());

        assertThat(world.machineSecrets().get(changed)).contains(Secret.of("new"));
        assertThat(world.machineSecrets().get(fresh)).contains(Secret.of("another"));
        soon(world.host.destroy("chat"));
    }

    @Test
    void whatIsToBeGivenCanBeTakenBackOrDestroyedBeforeTheMachineIsReady() throws Exception {
        world.sight = seen -> RouterVmWorld.silent(seen, BackendPhase.BOOTING);
        world.start();
        soon(here("chat", MODEL).ready());
        CompletableFuture<Deployment> given = world.host.routerVms().give("chat");

        Deployment back = soon(world.host.routerVms().takeBack("chat"));

        assertThat(back.status().problems()).isEmpty();
        assertThatThrownBy(() -> soon(given)).hasCauseInstanceOf(ConfigurationException.class);
        RouterVmWorld.until(() -> world.host.routerVms().status().isEmpty(), "the machine goes");
        var unused = world.host.routerVms().give("chat");
        soon(world.host.destroy("chat"));
        RouterVmWorld.until(() -> world.host.routerVms().status().isEmpty(), "the machine goes");
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    @Test
    void aHandoverWhoseBeginningCannotBeStoredIsGivenUp() throws Exception {
        world.start();
        soon(here("chat", MODEL).ready());
        world.refused = change -> change.resources().stream()
                .anyMatch(record ->
                        record.key().startsWith("handover/") && record.plan().contains("LEAVING"));

        CompletableFuture<Deployment> given = world.host.routerVms().give("chat");

        assertThatThrownBy(() -> soon(given)).hasMessageContaining("refused, as scripted");
        assertThat(answers(world.host.deployment("chat").orElseThrow())).isEqualTo(200);
        soon(world.host.destroy("chat"));
        assertThat(world.cloud.snapshot().empty()).isTrue();
    }

    /** The one that runs; empty while there is none. */
    private String replica() {
        return world.cloud.snapshot().replicas().stream()
                .filter(replica -> replica.endedAt().isEmpty())
                .map(ReplicaView::id)
                .collect(Collectors.joining(", "));
    }

    private static int answers(Deployment deployment) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(deployment.endpoint() + "/chat/completions"))
                .timeout(Duration.ofSeconds(30))
                .header("Content-Type", "application/json")
                .header(
                        "Authorization",
                        "Bearer " + deployment.apiKey().orElseThrow().reveal())
                .POST(BodyPublishers.ofString("{\"model\":\"" + MODEL
                        + "\",\"max_tokens\":2,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                .build();
        return HttpClient.newHttpClient()
                .send(request, BodyHandlers.discarding())
                .statusCode();
    }

    private boolean refusesToDeploy() {
        try {
            here("chat", MODEL);
            return false;
        } catch (ConfigurationException e) {
            return e.code() == ErrorCode.CLOSED;
        }
    }

    /** Tells when the first one has begun. */
    private CountDownLatch launchesHangUntil(CountDownLatch end) {
        var begun = new CountDownLatch(1);
        world.beforeLaunch = plan -> {
            begun.countDown();
            await(end);
        };
        return begun;
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(60, TimeUnit.SECONDS)) {
                throw new AssertionError("nobody came");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static UnaryOperator<Lodging> beforeTake(String deployment, Runnable first) {
        return taking((lodging, name, handover) -> {
            if (name.equals(deployment)) {
                first.run();
            }
            return lodging.take(name, handover);
        });
    }

    /** It is never answered. */
    private static UnaryOperator<Lodging> afterTake(CountDownLatch done) {
        return taking((lodging, name, handover) -> {
            var unused = lodging.take(name, handover);
            done.countDown();
            await(new CountDownLatch(1));
            throw new IllegalStateException("given up");
        });
    }

    private interface Take {
        Bundle of(Lodging lodging, String name, String handover);
    }

    private static UnaryOperator<Lodging> taking(Take take) {
        return lodging -> new ForwardingLodging() {
            @Override
            public Lodging lodging() {
                return lodging;
            }

            @Override
            public Bundle take(String name, String handover) {
                return take.of(lodging, name, handover);
            }
        };
    }

    private static Lodging ofAnOlderVersion(Lodging lodging) {
        return new ForwardingLodging() {
            @Override
            public Lodging lodging() {
                return lodging;
            }

            @Override
            public List<Outlay> allow(Allowance told) {
                throw new StoreException(ErrorCode.STORE_TOO_NEW, "what is that?", null);
            }

            @Override
            public boolean vacate() {
                throw new StoreException(ErrorCode.STORE_TOO_NEW, "what is that?", null);
            }
        };
    }
}
