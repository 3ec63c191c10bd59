package dev.tuna.examples.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.Secret;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.contract.Ability;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.ServerlessProviderContract;
import dev.tuna.testkit.vllm.VllmStandIn;
import java.math.BigDecimal;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The contract, and what is particular about servers that somebody else runs. */
class StaticProviderTest extends ServerlessProviderContract {

    private static final String MODEL = "served";

    private final Secret key = Secret.of("static-contract-key");
    private final VllmStandIn server =
            VllmStandIn.builder().servedModelNames(MODEL).apiKeys(key).start();

    @AfterEach
    void stopServer() {
        server.close();
    }

    @Override
    protected ServerlessProvider provider() {
        return new StaticProvider();
    }

    @Override
    protected ContractContext context() {
        return ContractContext.create()
                .withSecret("static/key", key)
                .withSetting("url", server.uri().toString())
                .withSetting("api_key_secret", "static/key")
                .withSetting("usd_per_hour", "0.75");
    }

    @Override
    protected ContractContext broken(ContractContext working) {
        return working.withSetting("url", "http://127.0.0.1:1");
    }

    @Override
    protected ServerlessSpec spec(String deployment) {
        return spec(deployment, Optional.empty(), Map.of());
    }

    private ServerlessSpec spec(String deployment, Optional<String> region, Map<String, String> options) {
        return new ServerlessSpec(
                deployment, engine(MODEL), ScalingPolicy.Serverless.builder().build(), region, false, options);
    }

    @Override
    protected Map<String, ServerlessSpec> impossibleSpecs() {
        return Map.of(
                "a region", spec("tuna-a", Optional.of("mars-1"), Map.of()),
                "no base URL", spec("tuna-a", Optional.empty(), Map.of("url", "10.0.0.5:8000")),
                "a password in the URL",
                        spec("tuna-a", Optional.empty(), Map.of("url", "http://me:pass@10.0.0.5:8000")),
                "a negative price", spec("tuna-a", Optional.empty(), Map.of("usd_per_hour", "-1")));
    }

    @Override
    protected Map<Ability, String> cannot() {
        return Map.of(Ability.FIND_RESOURCES, "a server that somebody else runs carries no tag of ours");
    }

    @Test
    void isFoundByTheServiceLoader() {
        assertThat(ServiceLoader.load(ServerlessProvider.class))
                .filteredOn(provider -> provider.name().equals("static"))
                .singleElement()
                .isInstanceOf(StaticProvider.class);
    }

    @Test
    void costsWhatItIsSaidToCostAndOtherwiseAnUnknownPrice() {
        ContractContext context = context();
        try (var cloud = provider().open(context)) {
            ResourceRef priced = cloud.begin(cloud.plan(spec("tuna-a")));
            assertThat(cloud.observe(priced).usdPerHour()).contains(new BigDecimal("0.75"));
            ResourceRef unknown = cloud.begin(cloud.plan(spec("tuna-b", Optional.empty(), Map.of("usd_per_hour", ""))));
            assertThat(cloud.observe(unknown).usdPerHour()).isEmpty();
        }
    }

    @Test
    void aServerThatStopsAnsweringIsNotReadyAndNotGone() {
        try (var cloud = provider().open(context())) {
            ResourceRef resource = cloud.begin(cloud.plan(spec("tuna-a")));
            assertThat(cloud.observe(resource).phase()).isEqualTo(BackendPhase.READY);
            server.kill();
            assertThat(cloud.observe(resource).phase()).isEqualTo(BackendPhase.BOOTING);
        }
    }

    @Test
    void destroyLeavesTheServerRunning() {
        try (var cloud = provider().open(context())) {
            ResourceRef resource = cloud.begin(cloud.plan(spec("tuna-a")));
            cloud.destroy(resource);
            assertThat(server.listening()).isTrue();
        }
    }

    @Test
    void preflightTellsWrongKeyMissingKeyOtherModelAndDeadServerApart() {
        ContractContext context = context().withSecret("static/wrong", Secret.of("another-key"));
        assertThat(failed(context.withSetting("api_key_secret", "static/wrong"), spec("tuna-a")))
                .isEqualTo("model_served");
        assertThat(failed(context.withSetting("api_key_secret", "static/none"), spec("tuna-a")))
                .isEqualTo("key_known");
        assertThat(failed(context, super.spec("another-model"))).isEqualTo("model_served");
        server.kill();
        assertThat(failed(context, spec("tuna-a"))).isEqualTo("url_answers");
    }

    private String failed(ContractContext context, ServerlessSpec spec) {
        try (var cloud = provider().open(context)) {
            return cloud.preflight(spec, false).checks().stream()
                    .filter(check -> check.outcome() == Outcome.FAILED)
                    .map(Check::name)
                    .findFirst()
                    .orElse("");
        }
    }

    @Test
    void aMissingUrlIsNamedWithItsFix() {
        try (var cloud = provider().open(ContractContext.create())) {
            assertThatThrownBy(() -> cloud.plan(spec("tuna-a")))
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("option url")
                    .hasMessageContaining("http://10.0.0.5:8000");
        }
    }
}
