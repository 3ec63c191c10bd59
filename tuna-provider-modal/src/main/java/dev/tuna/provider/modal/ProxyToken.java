package dev.tuna.provider.modal;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.Credential;
import dev.tuna.spi.SecretStore;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The token with which the router is let in, one for the installation: {@code wk-….ws-…}. Modal tells its secret half once,
 * when it is made. It costs nothing and opens no more than what the workspace guards with such tokens. Thread-safe.
 */
final class ProxyToken {

    private static final Logger LOG = LoggerFactory.getLogger(ProxyToken.class);

    private final ModalApi api;
    private final SecretStore secrets;
    private final SecretRef ref;
    private final WorkDirectory directory;

    ProxyToken(ModalApi api, SecretStore secrets, SecretRef ref, WorkDirectory directory) {
        this.api = api;
        this.secrets = secrets;
        this.ref = ref;
        this.directory = directory;
    }

    SecretRef ref() {
        return ref;
    }

    Optional<Secret> known() {
        return secrets.get(ref);
    }

    /** Its public half. */
    static String id(Secret token) {
        return token.reveal().replaceFirst("\\..*", "");
    }

    /** Whether it looks like one. */
    static boolean isOne(Secret token) {
        return token.reveal().matches("wk-[^.\\s]+\\.ws-[^.\\s]+");
    }

    /** Makes one if there is none. */
    void ensure() {
        if (known().isEmpty()) {
            directory.alone("proxy-token", () -> {
                if (known().isEmpty()) {
                    Secret made = api.createProxyToken();
                    secrets.put(ref, made);
                    LOG.info("made proxy token {} and put it into secret '{}'", id(made), ref.name());
                }
                return ref;
            });
        }
    }

    Credential credential() {
        return Credential.bearer(
                known().orElseThrow(() -> ProviderException.of(ModalProvider.NAME, "look up proxy token")
                        .code(ErrorCode.CREDENTIALS)
                        .message("there is no secret '" + ref.name()
                                + "'; put a proxy token there (wk-….ws-…, from: modal workspace proxy-tokens create)")
                        .build()));
    }
}
