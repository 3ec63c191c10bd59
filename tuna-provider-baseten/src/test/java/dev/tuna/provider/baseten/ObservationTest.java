package dev.tuna.provider.baseten;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.Secret;
import dev.tuna.spi.LogLine;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.testkit.baseten.BasetenStandIn.Trouble;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What is seen of a model, and what is done about it. */
class ObservationTest extends StandInTest {

    private static final Specs CHAT = Specs.of("chat");

    @Test
    void anImageThatIsBuiltAMachineThatIsWaitedForAndAnEngineThatStartsAreToldApart() throws Exception {
        try (Bench building = new Bench(Bench.quick().bootTime(Duration.ofHours(1)))) {
            assertThat(building.observe(building.begin(CHAT)).phase()).isEqualTo(BackendPhase.IMAGE);
        }
        try (Bench waiting = new Bench(Bench.quick().trouble(Trouble.NO_MACHINE))) {
            assertThat(waiting.observe(waiting.begin(CHAT)).phase()).isEqualTo(BackendPhase.WEIGHTS);
        }
        try (Bench loading = new Bench(Bench.quick().trouble(Trouble.STUCK))) {
            ServerlessObservation seen = loading.observe(loading.begin(CHAT));
            assertThat(seen.phase()).isEqualTo(BackendPhase.ENGINE);
            assertThat(seen.containers()).as("one that loads is billed").hasValue(1);
        }
    }

    @Test
    void aMachineIsNotWaitedForForEver() throws Exception {
        try (Bench bench = new Bench(Bench.quick().trouble(Trouble.NO_MACHINE))) {
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT.option("placement_minutes", "12"));
            assertThat(cloud.observe(resource).phase()).isEqualTo(BackendPhase.WEIGHTS);
            bench.pass(Duration.ofMinutes(11));
            assertThat(cloud.observe(resource).phase()).isEqualTo(BackendPhase.WEIGHTS);
            bench.pass(Duration.ofMinutes(1));
            assertThat(cloud.observe(resource).phase()).isEqualTo(BackendPhase.FAILED);
            assertThat(cloud.observe(resource).detail()).contains("no machine of type L4:4x16", "12 minutes");
        }
    }

    @Test
    void whatBasetenGaveUpWithoutAWordIsExplained() throws Exception {
        try (Bench bench = new Bench(Bench.quick().trouble(Trouble.NO_MACHINE))) {
            ResourceRef resource = bench.begin(CHAT);
            bench.vendor.giveUp(resource.id());
            ServerlessObservation seen = bench.observe(resource);
            assertThat(seen.phase()).isEqualTo(BackendPhase.FAILED);
            assertThat(seen.detail()).contains("when there is no machine");
        }
    }

    @Test
    void aBuildThatFailedQuotesItsLog() throws Exception {
        try (Bench bench = new Bench(Bench.quick().trouble(Trouble.BUILD_FAILS))) {
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT);
            ServerlessObservation seen = cloud.observe(resource);
            assertThat(seen.phase()).isEqualTo(BackendPhase.FAILED);
            assertThat(seen.detail()).contains("BUILD_FAILED", "Unable to locate package");
            cloud.observe(resource);
            assertThat(bench.calls()).filteredOn(call -> call.endsWith("/logs")).hasSize(1);
        }
    }

    @Test
    @DisplayName("E-16: a gated model loads with the token that the request names, and says what is wrong without")
    void aGatedModelNeedsItsToken() throws Exception {
        try (Bench bench = new Bench(Bench.quick().gated("acme/tiny"))) {
            ResourceRef without = bench.begin(CHAT);
            assertThat(bench.observe(without).detail()).contains("DEPLOY_FAILED", "401");
            bench.cloud().destroy(without);
            ResourceRef with = bench.begin(CHAT.secret("HF_TOKEN", ContractContext.MODEL_TOKEN));
            assertThat(bench.observe(with).phase()).isEqualTo(BackendPhase.READY);
            assertThat(Secret.of(bench.vendor.engineEnvironment(with.id()).getOrDefault("HF_TOKEN", "?"))
                            .equals(bench.context
                                    .secrets()
                                    .get(ContractContext.MODEL_TOKEN)
                                    .orElseThrow()))
                    .as("the engine has the token")
                    .isTrue();
        }
    }

    @Test
    void otherPeoplesSecretsAreLeftAlone() throws Exception {
        try (Bench bench = Bench.instant()) {
            bench.vendor.putSecret("hf_access_token", Secret.of("theirs"));
            bench.vendor.putSecret("tuna_other_chat_HF_TOKEN", Secret.of("another installation's"));
            ResourceRef resource = bench.begin(CHAT.secret("HF_TOKEN", ContractContext.MODEL_TOKEN));
            assertThat(bench.vendor.secrets()).hasSize(3);
            bench.cloud().destroy(resource);
            assertThat(bench.vendor.secrets()).containsExactly("hf_access_token", "tuna_other_chat_HF_TOKEN");
        }
    }

    @Test
    void productionThatStaysAtADeadDeploymentIsPointedToTheOneThatServes() throws Exception {
        try (Bench bench = new Bench(Bench.quick().trouble(Trouble.BUILD_FAILS))) {
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT);
            assertThat(cloud.observe(resource).phase()).isEqualTo(BackendPhase.FAILED);
            bench.vendor.troubleNext(Trouble.NONE);
            bench.begin(cloud, CHAT.arguments("--seed", "1"));
            assertThat(bench.vendor.deployments(resource.id())).containsExactly("BUILD_FAILED", "ACTIVE");
            ServerlessObservation apart = cloud.observe(resource);
            assertThat(apart.phase()).isEqualTo(BackendPhase.READY);
            assertThat(apart.address().orElseThrow().url().getPath())
                    .as("until production has moved")
                    .contains("/deployment/dep");
            ServerlessObservation moved = cloud.observe(resource);
            assertThat(moved.address().orElseThrow().url().getPath()).contains("/environments/production/");
            assertThat(bench.calls())
                    .filteredOn(call -> call.endsWith("/promote"))
                    .hasSize(1);
        }
    }

    @Test
    void whatServesGoesOnServingWhileANewerDeploymentFails() throws Exception {
        try (Bench bench = Bench.instant()) {
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT);
            var before = cloud.observe(resource).address();
            bench.vendor.troubleNext(Trouble.BUILD_FAILS);
            bench.begin(cloud, CHAT.arguments("--seed", "1"));
            ServerlessObservation seen = cloud.observe(resource);
            assertThat(seen.phase()).isEqualTo(BackendPhase.READY);
            assertThat(seen.detail()).contains("an earlier deployment serves", "BUILD_FAILED");
            assertThat(seen.address()).isEqualTo(before);
        }
    }

    @Test
    void productionThatDoesNotFollowByItselfIsMade() throws Exception {
        try (Bench bench = new Bench(Bench.quick().stickyProduction())) {
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT);
            cloud.observe(resource);
            bench.begin(cloud, CHAT.arguments("--seed", "1"));
            cloud.observe(resource);
            cloud.observe(resource);
            assertThat(bench.calls())
                    .filteredOn(call -> call.endsWith("/promote"))
                    .hasSize(1);
            assertThat(bench.vendor.production(resource.id())).contains("\"current_deployment\":{\"id\":\"dep0003\"");
        }
    }

    @Test
    void anEnvironmentThatComesLateIsConfiguredWhenItIsThere() throws Exception {
        try (Bench bench = new Bench(Bench.quick().environmentLate().bootTime(Duration.ofMillis(50)))) {
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT);
            while (cloud.observe(resource).phase() != BackendPhase.READY) {
                Thread.onSpinWait();
            }
            assertThat(bench.vendor.production(resource.id())).contains("\"max_replica\":5");
        }
    }

    @Test
    void aRestartConfiguresWhatWasPushedAndNeverConfigured() throws Exception {
        try (Bench bench = Bench.instant()) {
            bench.vendor.inject(VendorFault.answering("PATCH .*", VendorAnswer.json(400, "{\"message\":\"not now\"}")));
            ResourceRef resource = bench.begin(CHAT);
            assertThat(bench.vendor.production(resource.id())).contains("\"max_replica\":1");
            bench.observe(resource);
            assertThat(bench.vendor.production(resource.id())).contains("\"max_replica\":5");
        }
    }

    @Test
    void aRestartLeavesAloneWhatWasConfiguredSince() throws Exception {
        try (Bench bench = Bench.instant()) {
            ResourceRef resource = bench.begin(CHAT);
            bench.begin(CHAT.scaling(scaling -> scaling.workersMax(9)));
            bench.observe(resource);
            bench.pass(Duration.ofMinutes(5));
            bench.observe(resource);
            assertThat(bench.vendor.production(resource.id())).contains("\"max_replica\":9");
        }
    }

    @Test
    void settingsThatBasetenRefusesAreToldAndDoNotEndWhatWasPushed() throws Exception {
        try (Bench bench = Bench.instant()) {
            bench.vendor.inject(VendorFault.answering(
                            "PATCH .*", VendorAnswer.json(400, "{\"message\":\"max_replica exceeds your limit of 3\"}"))
                    .times(99));
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT);
            ServerlessObservation seen = cloud.observe(resource);
            assertThat(seen.phase()).isEqualTo(BackendPhase.READY);
            assertThat(seen.detail()).contains("cannot be configured", "your limit of 3");
        }
    }

    @Test
    void replicasThatAreSickForLongAreAFailure() throws Exception {
        try (Bench bench = Bench.instant()) {
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT);
            cloud.observe(resource);
            bench.vendor.trouble(resource.id(), Trouble.CRASHING);
            assertThat(cloud.observe(resource).phase()).as("it may be a moment").isEqualTo(BackendPhase.READY);
            bench.pass(Observations.BROKEN);
            assertThat(cloud.observe(resource).phase()).isEqualTo(BackendPhase.FAILED);
            assertThat(cloud.observe(resource).detail()).contains("no replica has been healthy for 5 minutes");
        }
    }

    @Test
    void asleepItIsReadyAndCostsNothing() throws Exception {
        try (Bench bench = Bench.instant()) {
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT.scaling(s -> s.scaledownWindow(Duration.ZERO)));
            ServerlessObservation seen = cloud.observe(resource);
            while (seen.containers().orElse(1) > 0) {
                seen = cloud.observe(resource);
            }
            assertThat(seen.phase()).isEqualTo(BackendPhase.READY);
            assertThat(seen.detail()).isEqualTo("scaled to zero");
            assertThat(bench.vendor.deployments(resource.id())).containsExactly("SCALED_TO_ZERO");
        }
    }

    @Test
    void aKeyThatModelsTakeOnlyTheOldWayIsSentThatWay() throws Exception {
        try (Bench bench = new Bench(Bench.quick().edgeDemandsApiKey())) {
            ServerlessCloud cloud = bench.cloud();
            ResourceRef resource = bench.begin(cloud, CHAT);
            assertThat(word(cloud.observe(resource))).isEqualTo("Api-Key ");
            cloud.observe(resource);
            assertThat(bench.calls())
                    .filteredOn(call -> call.endsWith("/async_queue_status"))
                    .as("each word is tried once")
                    .hasSize(2);
        }
        try (Bench bench = Bench.instant()) {
            assertThat(word(bench.observe(bench.begin(CHAT)))).isEqualTo("Bearer ");
        }
    }

    private static String word(ServerlessObservation seen) {
        String value =
                seen.address().orElseThrow().credential().orElseThrow().value().reveal();
        return value.substring(0, value.indexOf(' ') + 1);
    }

    @Test
    void aNarrowerKeyIsWhatTheRouterSends() throws Exception {
        Secret narrow = Secret.of("narrow-key-0123456789");
        try (Bench bench = new Bench(Bench.quick().edgeKey(narrow))) {
            ContractContext context = bench.context
                    .withSetting("endpoint_key_secret", "baseten/inference")
                    .withSecret("baseten/inference", narrow);
            var cloud = new BasetenCloud(context, variable -> null, time -> {});
            ResourceRef resource = bench.begin(cloud, CHAT);
            assertThat(cloud.observe(resource)
                            .address()
                            .orElseThrow()
                            .credential()
                            .orElseThrow()
                            .value())
                    .isEqualTo(Secret.of("Bearer " + narrow.reveal()));
        }
    }

    @Test
    @DisplayName("E-13: the key may come from the environment")
    void theKeyMayComeFromTheEnvironment() throws Exception {
        try (Bench bench = Bench.instant()) {
            ContractContext context = bench.context.withSetting("api_key_secret", "nothing/here");
            var cloud = new BasetenCloud(
                    context,
                    variable -> variable.equals("BASETEN_API_KEY")
                            ? bench.vendor.key().reveal()
                            : null,
                    time -> {});
            assertThat(cloud.observe(bench.begin(cloud, CHAT)).phase()).isEqualTo(BackendPhase.READY);
        }
    }

    @Test
    void logsHaveTimesReplicasAndNoSecret() throws Exception {
        try (Bench bench = Bench.instant()) {
            ResourceRef resource = bench.begin(CHAT);
            bench.observe(resource);
            List<LogLine> log = bench.cloud().logs(resource, 100);
            assertThat(log).extracting(LogLine::text).first().asString().startsWith("Building image");
            assertThat(log).allSatisfy(line -> assertThat(line.at()).isPresent());
            assertThat(bench.cloud().logs(resource, 1)).singleElement().isEqualTo(log.get(log.size() - 1));
        }
    }

    @Test
    void aParkedModelIsParkedAfterARestartAndBasetensOwnGivingUpIsNone() throws Exception {
        try (Bench bench = Bench.instant()) {
            ResourceRef resource = bench.begin(CHAT);
            bench.observe(resource);
            bench.cloud().park(resource);
            assertThat(bench.observe(resource).phase()).isEqualTo(BackendPhase.DRAINING);
            assertThat(bench.observe(resource).detail()).isEqualTo("parked");
            bench.cloud().unpark(resource);
            assertThat(bench.observe(resource).phase()).isEqualTo(BackendPhase.READY);
            bench.vendor.giveUp(resource.id());
            assertThat(bench.observe(resource).phase()).isEqualTo(BackendPhase.FAILED);
        }
    }
}
