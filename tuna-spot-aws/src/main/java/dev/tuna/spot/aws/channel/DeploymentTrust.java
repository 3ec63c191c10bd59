package dev.tuna.spot.aws.channel;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.provider.support.tls.CertificateAuthority;
import dev.tuna.provider.support.tls.CertificateAuthority.ClientIdentity;
import dev.tuna.provider.support.tls.CertificateAuthority.Use;
import dev.tuna.spi.BackendTls;
import dev.tuna.spi.SecretStore;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Who believes whom in one deployment. Its certificate authority is made with the first launch and kept in the secret store,
 * and so are the tokens by which replicas are known until the authority vouches for them. To replicas that run already
 * another authority is a stranger: one that is lost is not made anew for them. The keys that the host shows are made anew by
 * each process and kept nowhere. Thread-safe.
 */
public final class DeploymentTrust {

    /** What the host's certificates are for: the agent answers the first alone, and relays for both. */
    static final String CONTROLLER = "controller.tuna";

    static final String ROUTER = "router.tuna";

    private static final String SUFFIX = ".replica.tuna";
    private static final String REPLICA = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
    private static final int TOKEN_BYTES = 32;

    /** A host that runs for longer gets new ones on the way. */
    private static final Duration CALLER_LIFE = Duration.ofDays(90);

    /** Longer than any machine is kept. */
    private static final Duration REPLICA_LIFE = Duration.ofDays(3 * 365);

    private record Callers(ClientIdentity controller, ClientIdentity router, Instant renewAt) {}

    private final SecretStore secrets;
    private final String deployment;
    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by the lock.
    private @Nullable CertificateAuthority authority;
    private @Nullable Callers callers;

    /**
     * The trust of a deployment; nothing is read or made yet.
     *
     * @param secrets where the authority and the tokens are kept
     * @param deployment the deployment's name
     * @param clock tells from when on certificates are good
     */
    public DeploymentTrust(SecretStore secrets, String deployment, InstantSource clock) {
        this.secrets = Objects.requireNonNull(secrets, "secrets");
        this.deployment = Objects.requireNonNull(deployment, "deployment");
        this.clock = Objects.requireNonNull(clock, "clock");
    }

    /**
     * What replicas are told at their launch, so that they let in nobody but this deployment's host. No secret. Makes the
     * authority if there is none.
     *
     * @return the authority's certificate in PEM
     */
    public String certificate() {
        lock.lock();
        try {
            return known().orElseGet(this::newAuthority).certificate();
        } finally {
            lock.unlock();
        }
    }

    /** Why no replica that runs can be reached; empty while the authority is there. */
    Optional<String> lost() {
        lock.lock();
        try {
            return known().isPresent() ? Optional.empty() : Optional.of(lostAuthority());
        } finally {
            lock.unlock();
        }
    }

    private String lostAuthority() {
        return "the certificate authority of deployment '" + deployment + "' (secret '"
                + authorityRef().name() + "') is not in the secret store any more, and replicas let in nobody else;"
                + " put the secret back, or let them be replaced: the next launch makes a new authority";
    }

    /**
     * The name that a replica's certificate carries.
     *
     * @param replica unique among all replicas of the deployment, ever: lower-case letters, digits and hyphens, at most 63
     * @return a DNS name that no name server knows
     */
    public static String name(String replica) {
        if (!replica.matches(REPLICA)) {
            throw new IllegalArgumentException(
                    "replica '" + replica
                            + "' must be 1 to 63 lower-case letters, digits and hyphens, and neither begin nor end with a hyphen");
        }
        return replica + SUFFIX;
    }

    /**
     * The token that a replica is launched with: the same until it is enrolled, so that a repeated launch is the same
     * launch.
     *
     * @param replica as in {@link #name}
     * @return 256 random bits in hexadecimal digits
     */
    public Secret token(String replica) {
        lock.lock();
        try {
            Optional<Secret> kept = secrets.get(tokenRef(replica));
            if (kept.isPresent()) {
                return kept.get();
            }
            byte[] random = new byte[TOKEN_BYTES];
            new SecureRandom().nextBytes(random);
            Secret made = Secret.of(HexFormat.of().formatHex(random));
            secrets.put(tokenRef(replica), made);
            return made;
        } finally {
            lock.unlock();
        }
    }

    /** The token of a replica that is not known to be enrolled; empty once it is, or if it is none of ours. */
    Optional<Secret> openToken(String replica) {
        return secrets.get(tokenRef(replica));
    }

    /**
     * Makes a replica's token worthless: it has been enrolled, or is gone.
     *
     * @param replica as in {@link #name}
     */
    public void forget(String replica) {
        secrets.remove(tokenRef(replica));
    }

    /** Forgets the authority: nothing made by it is believed any more. To be called when the last replica is gone. */
    public void remove() {
        lock.lock();
        try {
            authority = null;
            callers = null;
            secrets.remove(authorityRef());
        } finally {
            lock.unlock();
        }
    }

    /** Vouches for a replica that has proved who it is. */
    String vouch(String replica, PublicKey key) {
        return authority().sign(key, name(replica), Use.SERVER, clock.instant(), REPLICA_LIFE);
    }

    /** How the controller talks to a replica's agent. */
    BackendTls controller(String replica) {
        return callers().controller.to(name(replica));
    }

    /**
     * How the router talks to a replica's engine.
     *
     * @param replica as in {@link #name}
     * @return both sides' identities; the same value for weeks, so that connections can be kept
     */
    public BackendTls router(String replica) {
        return callers().router.to(name(replica));
    }

    private CertificateAuthority authority() {
        lock.lock();
        try {
            return known().orElseThrow(() -> new ConfigurationException(ErrorCode.INVALID_REQUEST, lostAuthority()));
        } finally {
            lock.unlock();
        }
    }

    private Optional<CertificateAuthority> known() {
        if (authority == null) {
            authority =
                    secrets.get(authorityRef()).map(CertificateAuthority::of).orElse(null);
        }
        return Optional.ofNullable(authority);
    }

    private CertificateAuthority newAuthority() {
        CertificateAuthority made = CertificateAuthority.create(deployment, clock.instant());
        secrets.put(authorityRef(), made.secret());
        authority = made;
        return made;
    }

    private Callers callers() {
        lock.lock();
        try {
            Instant now = clock.instant();
            if (callers == null || !now.isBefore(callers.renewAt)) {
                CertificateAuthority own = authority();
                callers = new Callers(
                        own.client(CONTROLLER, now, CALLER_LIFE),
                        own.client(ROUTER, now, CALLER_LIFE),
                        now.plus(CALLER_LIFE.dividedBy(2)));
            }
            return callers;
        } finally {
            lock.unlock();
        }
    }

    private SecretRef authorityRef() {
        return authority(deployment);
    }

    /**
     * Where the authority of a deployment is kept.
     *
     * @param deployment the deployment's name
     * @return its name in the secret store
     */
    public static SecretRef authority(String deployment) {
        return new SecretRef("aws/" + deployment + "/authority");
    }

    private SecretRef tokenRef(String replica) {
        return new SecretRef("aws/" + deployment + "/enrol/" + replica);
    }
}
