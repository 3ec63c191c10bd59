package dev.tuna.provider.modal;

import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessCloud;
import dev.tuna.spi.ServerlessProvider;

/**
 * The provider {@code modal}: web functions of Modal that run vLLM, made through Modal's command line.
 *
 * <p>Settings of the installation: {@code cli}, the command (default {@code modal}); {@code python}, the interpreter that
 * has Modal's package (default the one in the command's first line); {@code environment} and {@code profile} as Modal
 * knows them; {@code token_id_secret} and {@code token_secret_secret}, names of the secrets with the API token (default
 * {@code modal/token-id} and {@code modal/token-secret}, and if there are none what the command line finds itself);
 * {@code proxy_token_secret}, name of the secret with the proxy token that the router sends (default
 * {@code modal/proxy-token}, made when it is first needed); {@code work_dir}, where scripts and logs of deployments are
 * kept; {@code observe_interval_seconds}, how long an observation is used (default 30); {@code deploy_timeout_seconds}
 * (default 1800) and {@code command_timeout_seconds} (default 90). Options of a request are described at
 * {@link ModalOptions}.
 */
public final class ModalProvider implements ServerlessProvider {

    static final String NAME = "modal";

    /** For {@link java.util.ServiceLoader}. */
    public ModalProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public ServerlessCloud open(ProviderContext context) {
        return new ModalCloud(context, System.getenv());
    }
}
