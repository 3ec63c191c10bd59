package dev.tuna.provider.baseten;

import dev.tuna.testkit.baseten.BasetenStandIn;
import dev.tuna.testkit.contract.ContractContext;
import java.util.Map;

/** What the provider is given in tests. */
final class Contexts {

    private Contexts() {}

    static ContractContext of(BasetenStandIn vendor) {
        ContractContext context = ContractContext.create().withSecret("baseten/api-key", vendor.key());
        for (Map.Entry<String, String> setting : vendor.settings().entrySet()) {
            context = context.withSetting(setting.getKey(), setting.getValue());
        }
        return context;
    }
}
