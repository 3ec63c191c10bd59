package dev.tuna.provider.cloudrun;

import dev.tuna.api.Secret;
import dev.tuna.testkit.cloudrun.CloudRunStandIn;
import dev.tuna.testkit.contract.ContractContext;
import java.util.Map;

/** What the provider is given in tests. */
final class Contexts {

    private Contexts() {}

    static ContractContext of(CloudRunStandIn vendor) {
        return of(vendor, vendor.serviceAccountKey());
    }

    static ContractContext of(CloudRunStandIn vendor, Secret credentials) {
        return without(vendor).withSecret("cloudrun/credentials", credentials);
    }

    static ContractContext without(CloudRunStandIn vendor) {
        ContractContext context = ContractContext.create();
        for (Map.Entry<String, String> setting : vendor.settings().entrySet()) {
            context = context.withSetting(setting.getKey(), setting.getValue());
        }
        return context;
    }
}
