package dev.tuna.spi;

import dev.tuna.api.PreflightReport;
import dev.tuna.api.SecretRef;
import java.net.URI;
import java.util.List;
import java.util.Map;

/**
 * A cloud that rents small machines at list price, on each of which a router and its control loop live on when the host
 * application is gone. Thread-safe; every method is short (seconds) and idempotent.
 *
 * <p>The machine is given a jar that is no secret, and whatever is secret only over a channel on which both sides have proved
 * who they are. It runs {@code dev.tuna.core.vm.RouterVmMain} of that jar under supervision, with the pushed environment.
 */
public interface RouterCloud {

    /**
     * Where a machine's environment is kept, a JSON object of variables and their values, until it has been handed over.
     *
     * @param vm the machine's name
     * @return its name in the secret store
     */
    static SecretRef environment(String vm) {
        return new SecretRef("router-vm/" + vm + "/environment");
    }

    /**
     * The name under which the journal has what is made for a machine beside it. A deployment may well be named like a machine.
     *
     * @param vm the machine's name
     * @return to be given to {@link Journal} as the deployment
     */
    static String journal(String vm) {
        return "router-vm/" + vm;
    }

    /**
     * Checks whether a machine could be launched and talked to, and makes nothing. For people who ask; nothing depends on it.
     *
     * @param options options of a request for this provider
     * @return every check made; none if neither these nor the installation's settings say anything of such a machine
     */
    default List<PreflightReport.Check> preflight(Map<String, String> options) {
        return List.of();
    }

    /**
     * What would be sent. Pure.
     *
     * @param spec the machine that is wanted
     * @param token idempotency token, letters, digits and hyphens, at most 64
     * @return the plan
     * @throws dev.tuna.api.ConfigurationException if an option is wrong or missing; the text names it and the fix
     */
    RouterVmPlan plan(RouterVmSpec spec, String token);

    /**
     * Delivers the jar and asks for the machine; returns before it boots. Launching again with the same plan returns the
     * same machine. What is made beside the machine is in the journal first, under {@link #journal}.
     *
     * @param plan from {@link #plan}, possibly stored and read back
     * @return the machine
     * @throws dev.tuna.api.CapacityException if there is no such machine now; nothing was launched
     */
    ResourceRef launch(RouterVmPlan plan);

    /**
     * Looks at a machine, and does what it still needs from outside: vouches for it, brings its {@link #environment}.
     *
     * @param vm the machine, from {@link #launch} or {@link #find}
     * @param name its name
     * @return how it is; {@link dev.tuna.api.BackendPhase#GONE} if it no longer exists
     */
    RouterVmObservation observe(ResourceRef vm, String name);

    /**
     * Makes a jar available for a machine to fetch, for minutes or hours, by the way that the machine's first one came.
     *
     * @param plan by which the machine was launched
     * @param jar what it is to run next: a {@code file:} to be delivered, or {@code https:} from where it is fetched
     * @param sha256 the jar's checksum, 64 hexadecimal digits
     * @return an address that needs no further credentials
     */
    URI deliver(RouterVmPlan plan, URI jar, String sha256);

    /**
     * Starts terminating a machine, its disk included. One that does not exist counts as terminated; {@link #observe}
     * confirms.
     *
     * @param vm the machine
     */
    void terminate(ResourceRef vm);

    /**
     * Removes what was made for a machine beside it (security group, template, jar, kept secrets). Called when the machine
     * is gone; makes no fuss about what does not exist.
     *
     * @param found the machine, as {@link #find} tells of it; of one whose launch never succeeded the id is its plan's token
     */
    void cleanUp(FoundRouterVm found);

    /**
     * Every router machine in this cloud, whoever's, by which a deployment can be found again from anywhere.
     *
     * @return those that are not known to be gone
     */
    List<FoundRouterVm> find();
}
