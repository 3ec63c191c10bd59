package dev.tuna.core.control;

import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * All that one controller hands over to another with a deployment. Immutable; its text form shows no secret.
 *
 * @param handover unique for ever
 * @param service the deployment's name
 * @param account under which its ledger is kept
 * @param deployments the records of its revisions
 * @param resources the records of what it has outside
 * @param ledger every entry from the first on
 * @param secrets what is kept for it, by name and in clear
 */
public record Bundle(
        String handover,
        String service,
        String account,
        List<DeploymentRecord> deployments,
        List<ResourceRecord> resources,
        List<LedgerEntry> ledger,
        Map<String, String> secrets) {

    /** Copies the collections. */
    public Bundle {
        Objects.requireNonNull(handover, "handover");
        Objects.requireNonNull(service, "service");
        Objects.requireNonNull(account, "account");
        deployments = List.copyOf(deployments);
        resources = List.copyOf(resources);
        ledger = List.copyOf(ledger);
        secrets = Map.copyOf(secrets);
    }

    @Override
    public String toString() {
        return "Bundle[" + service + ", " + handover + "]";
    }
}
