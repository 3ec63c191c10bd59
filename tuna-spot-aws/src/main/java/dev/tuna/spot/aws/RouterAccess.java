package dev.tuna.spot.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import java.util.Objects;
import java.util.Optional;
import software.amazon.awssdk.services.ssm.model.ParameterTier;
import software.amazon.awssdk.services.ssm.model.ParameterType;

/**
 * What somebody must know to talk to a router's machine from anywhere, as it is kept in a parameter that AWS encrypts. Whoever
 * can read it can tell the router what to do. Immutable.
 *
 * @param authority the machine's certificate authority, see {@link dev.tuna.spot.aws.channel.DeploymentTrust}
 * @param control the token that the router's control endpoint demands
 */
record RouterAccess(Secret authority, Secret control) {

    private static final String AUTHORITY = "authority";
    private static final String CONTROL = "control";

    RouterAccess {
        Objects.requireNonNull(authority, "authority");
        Objects.requireNonNull(control, "control");
    }

    private String write() {
        ObjectNode written = SdkJson.JSON.createObjectNode();
        return written.put(AUTHORITY, authority.reveal())
                .put(CONTROL, control.reveal())
                .toString();
    }

    private static RouterAccess read(String name, String value) {
        try {
            JsonNode read = SdkJson.JSON.readTree(value);
            return new RouterAccess(
                    Secret.of(read.path(AUTHORITY).asText()),
                    Secret.of(read.path(CONTROL).asText()));
        } catch (JsonProcessingException | IllegalArgumentException e) {
            // Without the cause, which may quote the value.
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    AwsOptions.PROVIDER + ": parameter " + name
                            + " is not one by which a router VM can be talked to; somebody else has written it");
        }
    }

    /**
     * The parameters of a region. Keeps nothing; thread-safe.
     *
     * @param clients the SDK's
     * @param region where
     */
    record Parameters(AwsClients clients, String region) {

        private AwsCalls calls() {
            return new AwsCalls(region);
        }

        Optional<RouterAccess> get(String name) {
            return calls().unless(
                            AwsFault.NOT_FOUND,
                            "read parameter " + name,
                            "ssm:GetParameter",
                            () -> clients.ssm(region)
                                    .getParameter(request -> request.name(name).withDecryption(true))
                                    .parameter()
                                    .value())
                    .map(value -> read(name, value));
        }

        /** Encrypted with the account's own key for parameters, in the tier that costs nothing. */
        void put(String name, RouterAccess access) {
            calls().call(
                            "write parameter " + name,
                            "ssm:PutParameter",
                            () -> clients.ssm(region)
                                    .putParameter(request -> request.name(name)
                                            .description("How Tuna talks to its router VM")
                                            .type(ParameterType.SECURE_STRING)
                                            .tier(ParameterTier.STANDARD)
                                            .overwrite(true)
                                            .value(access.write())));
        }

        void remove(String name) {
            calls().unless(
                            AwsFault.NOT_FOUND,
                            "delete parameter " + name,
                            "ssm:DeleteParameter",
                            () -> clients.ssm(region).deleteParameter(request -> request.name(name)));
        }
    }
}
