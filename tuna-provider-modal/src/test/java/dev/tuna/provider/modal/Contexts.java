package dev.tuna.provider.modal;

import dev.tuna.api.Secret;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.modal.ModalStandIn;
import java.util.Map;

/** What the provider is given in tests. */
final class Contexts {

    private Contexts() {}

    static ContractContext of(ModalStandIn vendor) {
        ContractContext context = ContractContext.create()
                .withSecret("modal/token-id", vendor.tokenId())
                .withSecret("modal/token-secret", vendor.tokenSecret());
        for (Map.Entry<String, String> setting : vendor.settings().entrySet()) {
            context = context.withSetting(setting.getKey(), setting.getValue());
        }
        return context;
    }

    /** The same, with a token that Modal does not take. */
    static ContractContext withWrongToken(ContractContext context) {
        return context.withSetting("token_secret_secret", "modal/wrong-secret")
                .withSecret("modal/wrong-secret", Secret.of("as-WRONG0123456789"));
    }
}
