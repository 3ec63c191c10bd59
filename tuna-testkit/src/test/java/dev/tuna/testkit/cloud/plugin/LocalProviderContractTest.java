package dev.tuna.testkit.cloud.plugin;

import dev.tuna.spi.ServerlessProvider;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.cloud.LocalCloud;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.contract.ServerlessProviderContract;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class LocalProviderContractTest extends ServerlessProviderContract {

    private static LocalCloud cloud;

    @BeforeAll
    static void start() {
        cloud = LocalCloud.builder().startInProcess();
    }

    @AfterAll
    static void stop() {
        cloud.close();
    }

    @Override
    protected ServerlessProvider provider() {
        return new LocalProvider();
    }

    @Override
    protected ContractContext context() {
        return ContractContext.create().withSetting("url", cloud.uri().toString());
    }

    @Override
    protected ContractContext broken(ContractContext working) {
        return working.withSetting("url", "http://127.0.0.1:1");
    }

    @Override
    protected Map<String, ServerlessSpec> impossibleSpecs() {
        return Impossible.serverless();
    }
}
