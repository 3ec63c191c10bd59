package dev.tuna.spot.aws;

import dev.tuna.spi.ResourceRef;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Optional;

/** What things are called on AWS, so that they are found again after any crash. Pure. */
final class Names {

    static final String OWNER = "tuna-owner";
    static final String DEPLOYMENT = "tuna-deployment";
    static final String REPLICA = "tuna-replica";
    static final String PORT = "tuna-port";
    static final String ADDRESS = "tuna-address";
    static final String EXTRA_USD = "tuna-extra-usd-per-hour";
    static final String ENGINE_KEY = "tuna-engine-key";
    static final String SECRET_PREFIX = "tuna-secret-";

    /** On the machine of a router and on its security group: the machine's name. */
    static final String ROUTER_NAME = "tuna-router-vm";

    static final String ROUTER_TOKEN = "tuna-router-token";
    static final String CLIENT_PORT = "tuna-client-port";
    static final String BUCKET = "tuna-artifact-bucket";
    static final String INGRESS = "tuna-ingress";

    /** EC2's own tag on instances that a fleet made. */
    static final String FLEET_OF_INSTANCE = "aws:ec2:fleet-id";

    static final String INSTANCE = "instance";
    static final String TEMPLATE = "launch-template";
    static final String GROUP = "security-group";
    static final String FLEET = "fleet";
    static final String VOLUME = "volume";

    /** Machines of routers, and what is made beside them. */
    static final String ROUTER_VM = "router-vm";

    static final String PARAMETER = "parameter";
    static final String JARS = "s3-prefix";

    /** In the journal: the account in which a router's machine was made. */
    static final String ACCOUNT = "account";

    static final Comparator<ResourceRef> ORDER = Comparator.comparing(ResourceRef::toString);

    private static final int TOKEN_LENGTH = 40;

    private Names() {}

    /** Of the launch template and the security group of a deployment; the same in every region. */
    static String shared(String ownerId, String deployment) {
        return "tuna-" + ownerId + "-" + deployment.replaceAll("[^A-Za-z0-9._-]", "-");
    }

    /** Of the security group of a router's machine. No deployment's can be called so. */
    static String routerGroup(String ownerId, String vm) {
        return "tuna-" + ownerId + ":router-vm:" + vm;
    }

    /** The parameter by which a router's machine can be talked to from anywhere. */
    static String routerParameter(String ownerId, String vm) {
        return "/tuna/" + ownerId + "/router-vm/" + vm;
    }

    /** What the keys of a router's jars begin with in the user's bucket. */
    static String routerJars(String ownerId, String vm) {
        return "tuna/" + ownerId + "/" + vm + "/";
    }

    /** The deployment as which what belongs to a router's machine is shown. */
    static String routerAccount(String vm) {
        return "router-vm/" + vm;
    }

    static ResourceRef ref(String kind, String region, String id) {
        return new ResourceRef(AwsOptions.PROVIDER, kind, region + "/" + id);
    }

    /** Where a resource is; empty if it is not named as this provider names them. */
    static Optional<String> region(ResourceRef ref) {
        int slash = ref.id().indexOf('/');
        return slash <= 0
                ? Optional.empty()
                : Optional.of(ref.id().substring(0, slash)).filter(region -> region.matches(AwsOptions.REGION_NAME));
    }

    static String id(ResourceRef ref) {
        return ref.id().substring(ref.id().indexOf('/') + 1);
    }

    /** Whether a reference can be one of a replica's instance. */
    static boolean isInstance(ResourceRef ref) {
        return ref.kind().equals(INSTANCE) && namesInstance(ref);
    }

    /** Whether a reference can be one of a router's machine. */
    static boolean isRouterVm(ResourceRef ref) {
        return ref.kind().equals(ROUTER_VM) && namesInstance(ref);
    }

    private static boolean namesInstance(ResourceRef ref) {
        return region(ref).isPresent() && id(ref).matches("i-[0-9a-f]{8,32}");
    }

    /** A client token: equal for equal parts, different for others, and no longer than AWS allows. */
    static String token(String... parts) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(String.join("\n", parts).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, TOKEN_LENGTH);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
