package dev.tuna.provider.cloudrun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessObservation;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.contract.ContractContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a service is guarded, and how whoever may call it proves who he is. Covers P-32, F-15, E-14. */
class AccessTest {

    private static final String ROUTER = "router@tuna-standin.iam.gserviceaccount.com";
    private static final ServerlessSpec SPEC = Specs.of("chat");

    private static Map<String, String> asRouter() {
        return Map.of("invoker_service_account", ROUTER);
    }

    private static String token(ServerlessObservation seen) {
        return seen.address()
                .flatMap(BackendAddress::credential)
                .orElseThrow()
                .value()
                .reveal();
    }

    @Test
    @DisplayName("P-32: a private service lets in the router's account with an ID token, and nobody else")
    void aPrivateServiceLetsInTheRouterOnly() {
        try (World world = World.create()) {
            BackendAddress address = world.ready(SPEC).address().orElseThrow();
            assertThat(world.chat(address, "chat")).isEqualTo(200);
            assertThat(world.chat(address.url(), Optional.empty(), "chat")).isEqualTo(403);
            assertThat(world.chat(address.url(), Optional.of(Credential.bearer(Secret.of("wrong"))), "chat"))
                    .isEqualTo(401);
            String service = world.vendor.services().get(0);
            assertThat(world.vendor.invokers(service)).containsExactly("serviceAccount:" + world.vendor.account());
        }
    }

    @Test
    @DisplayName("P-32: an ID token is used until ten minutes before it ends, and then there is a new one")
    void idTokensAreRenewedBeforeTheyEnd() {
        HandClock clock = new HandClock();
        CloudRunStandIn vendor = CloudRunStandIn.builder().clock(clock).start();
        try (World world = new World(vendor, Contexts.of(vendor).withClock(clock))) {
            ResourceRef resource = world.begin(SPEC);
            ServerlessObservation first = world.until(resource, BackendPhase.READY);
            clock.pass(Duration.ofMinutes(49));
            assertThat(token(world.cloud.observe(resource))).isEqualTo(token(first));
            clock.pass(Duration.ofMinutes(2));
            ServerlessObservation second = world.cloud.observe(resource);
            assertThat(token(second)).isNotEqualTo(token(first));
            assertThat(world.chat(first.address().orElseThrow(), "chat"))
                    .as("the old one, ten minutes before its end")
                    .isEqualTo(200);
            for (int hour = 0; hour < 24; hour++) {
                clock.pass(Duration.ofHours(1));
                assertThat(world.chat(world.cloud.observe(resource).address().orElseThrow(), "chat"))
                        .as("after %s hours", hour)
                        .isEqualTo(200);
            }
            assertThat(world.chat(first.address().orElseThrow(), "chat")).isEqualTo(401);
        }
    }

    @Test
    @DisplayName(
            "P-32: a person's login makes no ID token, which is told with what to do; as a service account it does")
    void aPersonActsAsAServiceAccount() {
        CloudRunStandIn vendor = CloudRunStandIn.builder().impersonable(ROUTER).start();
        try (World world = new World(vendor, Contexts.of(vendor, vendor.userLogin()))) {
            ResourceRef resource = world.begin(SPEC);
            assertThatThrownBy(() -> world.until(resource, BackendPhase.READY))
                    .isInstanceOfSatisfying(
                            ProviderException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CREDENTIALS))
                    .hasMessageContaining("invoker_service_account")
                    .hasMessageContaining("engine_key");
            BackendAddress address =
                    world.ready(Specs.with(SPEC, asRouter())).address().orElseThrow();
            assertThat(world.chat(address, "chat")).isEqualTo(200);
            assertThat(vendor.invokers(vendor.services().get(0))).containsExactly("serviceAccount:" + ROUTER);
        }
    }

    @Test
    void whoeverMayNotActAsTheAccountIsToldSo() {
        try (World world = World.create()) {
            ResourceRef resource = world.begin(Specs.with(SPEC, asRouter()));
            assertThatThrownBy(() -> world.until(resource, BackendPhase.READY))
                    .isInstanceOfSatisfying(ProviderException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.CREDENTIALS);
                        assertThat(e.httpStatus()).hasValue(403);
                        assertThat(e.operation()).isEqualTo("get ID token");
                    });
        }
    }

    @Test
    @DisplayName("P-32: a login that acts as a service account from the start needs no option")
    void anImpersonatingLoginIsTheAccount() {
        CloudRunStandIn vendor = CloudRunStandIn.builder().impersonable(ROUTER).start();
        try (World world = new World(vendor, Contexts.of(vendor, vendor.impersonatedLogin(ROUTER)))) {
            BackendAddress address = world.ready(SPEC).address().orElseThrow();
            assertThat(world.chat(address, "chat")).isEqualTo(200);
            assertThat(vendor.invokers(vendor.services().get(0))).containsExactly("serviceAccount:" + ROUTER);
        }
    }

    @Test
    @DisplayName("P-32: a machine of another cloud, federated, calls as the account that is named")
    void aFederatedMachineActsAsAServiceAccount(@TempDir Path folder) throws Exception {
        CloudRunStandIn vendor = CloudRunStandIn.builder().impersonable(ROUTER).start();
        try (World world = new World(vendor, Contexts.of(vendor, vendor.federatedLogin(folder.resolve("token"))))) {
            BackendAddress address =
                    world.ready(Specs.with(SPEC, asRouter())).address().orElseThrow();
            assertThat(world.chat(address, "chat")).isEqualTo(200);
        }
    }

    @Test
    void aMachineOfGooglesNeedsNoCredentialFile() {
        CloudRunStandIn vendor = CloudRunStandIn.builder().onGoogle().start();
        try (World world = new World(vendor, Contexts.without(vendor))) {
            BackendAddress address = world.ready(SPEC).address().orElseThrow();
            assertThat(world.chat(address, "chat")).isEqualTo(200);
            assertThat(vendor.invokers(vendor.services().get(0))).containsExactly("serviceAccount:" + vendor.account());
        }
    }

    @Test
    void aMachineThatIsNotGooglesHasNoCredentials() {
        CloudRunStandIn vendor = CloudRunStandIn.builder().start();
        try (World world = new World(vendor, Contexts.without(vendor))) {
            assertThatThrownBy(() -> world.begin(SPEC))
                    .isInstanceOfSatisfying(
                            ProviderException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_CONFIGURED))
                    .hasMessageContaining("gcloud auth application-default login");
            world.vendor.close();
        } catch (AssertionError e) {
            assertThat(e).hasMessageContaining("exchanges checked");
        }
    }

    @Test
    @DisplayName("F-15: with engine_key anybody reaches the engine, which demands its key")
    void withEngineKeyTheEngineGuardsItself() {
        CloudRunStandIn vendor = CloudRunStandIn.builder().start();
        try (World world = new World(vendor, Contexts.of(vendor, vendor.userLogin()))) {
            BackendAddress address = world.ready(Specs.with(SPEC, Map.of("access", "engine_key")))
                    .address()
                    .orElseThrow();
            assertThat(world.chat(address, "chat")).isEqualTo(200);
            assertThat(world.chat(address.url(), Optional.empty(), "chat")).isEqualTo(401);
            assertThat(vendor.tokens()).as("no ID token for a service").noneMatch(token -> token.contains(".run.app"));
        }
    }

    @Test
    @DisplayName("F-15: public access opens the service in its own settings and keeps the engine's key")
    void publicAccessOpensTheServiceAndKeepsTheKey() {
        try (World world = World.create()) {
            ServerlessSpec open = Specs.open(SPEC);
            assertThat(world.cloud.plan(open).body()).contains("\"invokerIamDisabled\" : true", "VLLM_API_KEY");
            assertThat(world.cloud.plan(open).adaptations()).anyMatch(text -> text.contains("anybody may call"));
            BackendAddress address = world.ready(open).address().orElseThrow();
            assertThat(world.chat(address, "chat")).isEqualTo(200);
            assertThat(world.chat(address.url(), Optional.empty(), "chat")).isEqualTo(401);
        }
    }

    @Test
    @DisplayName("F-15: an engine without a key is never reachable for everybody unless public access was asked for")
    void withoutAnEngineKeyThereIsOnlyIam() {
        ServerlessSpec keyless = Specs.with(SPEC, Specs.withoutKey(SPEC.engine()));
        try (var cloud =
                new CloudRunCloud(ContractContext.create().withSetting("project", "my-project"), variable -> null)) {
            assertThat(cloud.plan(keyless).body()).contains("\"invokerIamDisabled\" : false");
            assertThatThrownBy(() -> cloud.plan(Specs.with(keyless, Map.of("access", "engine_key"))))
                    .hasMessageContaining("the engine has no key");
        }
    }

    @Test
    @DisplayName("F-17: two projects in one process do not get into each other's way")
    void twoProjects() {
        try (World one = World.create();
                World other = World.of(CloudRunStandIn.builder().project("another-project"))) {
            ResourceRef here = one.begin(SPEC);
            ResourceRef there = other.begin(SPEC);
            assertThat(here.id()).startsWith("projects/tuna-standin/");
            assertThat(there.id()).startsWith("projects/another-project/");
            one.until(here, BackendPhase.READY);
            other.until(there, BackendPhase.READY);
        }
    }

    @Test
    void whoMayNotGrantTheRoleDeploysAllTheSame() {
        try (World world = World.of(CloudRunStandIn.builder().deniedPermissions("run.services.setIamPolicy"))) {
            ServerlessObservation seen = world.ready(SPEC);
            assertThat(world.chat(seen.address().orElseThrow(), "chat"))
                    .as("somebody else has to grant it")
                    .isEqualTo(403);
        }
    }

    @Test
    @DisplayName("E-14: project and region come from the variables when nobody names them")
    void projectAndRegionComeFromTheEnvironment() {
        Map<String, String> environment =
                Map.of("GOOGLE_CLOUD_PROJECT", "from-the-variable", "GOOGLE_CLOUD_REGION", "europe-west1");
        try (var cloud = new CloudRunCloud(ContractContext.create(), environment::get)) {
            assertThat(cloud.plan(SPEC).resource().id())
                    .startsWith("projects/from-the-variable/locations/europe-west1/services/");
            assertThat(cloud.plan(Specs.in(SPEC, "us-east4")).resource().id()).contains("/us-east4/");
            assertThat(cloud.plan(Specs.with(SPEC, Map.of("project", "named-here", "region", "asia-southeast1")))
                            .resource()
                            .id())
                    .startsWith("projects/named-here/locations/asia-southeast1/");
        }
    }
}
