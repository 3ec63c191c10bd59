package dev.tuna.provider.runpod;

import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.runpod.RunPodStandIn;
import java.util.Map;

/** What the provider is given in tests. */
final class Contexts {

    private Contexts() {}

    static ContractContext of(RunPodStandIn vendor) {
        ContractContext context = ContractContext.create().withSecret("runpod/api-key", vendor.key());
        for (Map.Entry<String, String> setting : vendor.settings().entrySet()) {
            context = context.withSetting(setting.getKey(), setting.getValue());
        }
        return context;
    }
}
