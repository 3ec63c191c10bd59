package dev.tuna.provider.baseten;

import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ResourceRef;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A secret of the workspace that Tuna made for one deployment. Secrets have no labels, so the name says whose it is; other
 * people's secrets, the conventional {@code hf_access_token} above all, are never touched.
 *
 * @param owner installation
 * @param deployment the deployment's name
 * @param variable environment variable of the model server
 */
record WorkspaceSecret(String owner, String deployment, String variable) {

    static final String KIND = "secret";

    /** What a name may consist of, since it is a file's name in the container. */
    static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,253}");

    /** Owner and deployment have no underscores, so that a name can be read back. */
    private static final Pattern OURS = Pattern.compile("tuna_([a-z0-9]+)_([a-z0-9-]+)_([A-Za-z_][A-Za-z0-9_]*)");

    /** Reads a name; empty if the secret is not Tuna's. */
    static Optional<WorkspaceSecret> named(String name) {
        Matcher parts = OURS.matcher(name);
        return parts.matches()
                ? Optional.of(new WorkspaceSecret(parts.group(1), parts.group(2), parts.group(3)))
                : Optional.empty();
    }

    String name() {
        return "tuna_" + owner + "_" + deployment + "_" + variable;
    }

    /** The model that it was made for. */
    String model() {
        return ModelPlanner.name(deployment, owner);
    }

    static ResourceRef ref(String name) {
        return new ResourceRef(BasetenProvider.NAME, KIND, name);
    }

    FoundResource found() {
        return new FoundResource(ref(name()), owner, deployment, Optional.empty());
    }
}
