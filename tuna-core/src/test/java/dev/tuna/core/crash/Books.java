package dev.tuna.core.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.Tier;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.testkit.cloud.model.CloudModel;
import dev.tuna.testkit.cloud.model.EndpointView;
import dev.tuna.testkit.cloud.model.ReplicaView;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;

/** Compares what a store says with what the cloud knows and meters. */
final class Books {

    /** A ledger entry is rounded once to the microdollar; the cloud's meter is not. */
    private static final BigDecimal ROUNDING = new BigDecimal("0.0000005");

    private Books() {}

    /** Every replica that an owner ever had. */
    static List<ReplicaView> launched(CloudModel cloud, String owner) {
        return cloud.snapshot().replicas().stream()
                .filter(replica -> replica.owner().equals(owner))
                .toList();
    }

    private static List<EndpointView> made(CloudModel cloud, String owner) {
        return cloud.snapshot().endpoints().stream()
                .filter(endpoint -> endpoint.owner().equals(owner))
                .toList();
    }

    /** Nothing runs outside that a dead controller's store does not account for. Reads a copy, to leave its log as it is. */
    static void checkIntents(CloudModel cloud, String owner, Path state, Path copy) throws IOException {
        Files.createDirectories(copy);
        try (Stream<Path> files = Files.list(state)) {
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith("state.db"))
                    .toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        try (var store = SqliteStateStore.open(copy, InstantSource.system())) {
            List<String> plans =
                    store.load().resources().stream().map(ResourceRecord::plan).toList();
            cloud.replicas().stream()
                    .filter(replica -> replica.owner().equals(owner))
                    .forEach(replica -> assertThat(plans)
                            .as("an intent for replica %s", replica.id())
                            .anyMatch(plan -> plan.contains('"' + replica.token() + '"')));
            cloud.endpoints().stream()
                    .filter(endpoint -> endpoint.owner().equals(owner))
                    .forEach(endpoint -> assertThat(plans)
                            .as("an intent for endpoint %s", endpoint.name())
                            .anyMatch(plan -> plan.contains('"' + endpoint.name() + '"')));
        }
    }

    /** The ledger of a deployment that is over, entry by entry, against the cloud's own meters. */
    static void checkLedger(CloudModel cloud, String owner, Path state) {
        try (var store = SqliteStateStore.open(state, InstantSource.system())) {
            assertThat(store.load().resources()).as("resources in the store").isEmpty();
            List<DeploymentRecord> ended = store.ended(10);
            assertThat(ended)
                    .as("revisions of the deployment")
                    .isNotEmpty()
                    .allMatch(record -> record.phase() == DeploymentPhase.DESTROYED);
            List<LedgerEntry> ledger = ended.stream()
                    .flatMap(record -> store.ledger(record.id()).stream())
                    .toList();
            for (ReplicaView replica : launched(cloud, owner)) {
                String backend = backend(replica);
                checkReplica(
                        replica,
                        ledger.stream()
                                .filter(entry -> entry.backend().equals(backend))
                                .toList());
            }
            assertThat(ledger.stream()
                            .filter(entry -> entry.tier() != Tier.SERVERLESS)
                            .map(LedgerEntry::backend)
                            .distinct())
                    .as("replicas billed")
                    .hasSameSizeAs(launched(cloud, owner));
            checkEndpoints(
                    made(cloud, owner),
                    ledger.stream()
                            .filter(entry -> entry.tier() == Tier.SERVERLESS)
                            .toList());
        }
    }

    /** As the bill calls it: a revision's name outside is {@code chat-r2}, its tokens end with the replica's number. */
    private static String backend(ReplicaView replica) {
        String revision = replica.deployment().replaceFirst("^chat-?", "");
        String number = replica.token().substring(replica.token().lastIndexOf("-r") + "-r".length());
        return (revision.isEmpty() ? "" : revision + "-") + "replica-" + number;
    }

    /** Not a nanosecond is missing, from the launch to the end, and none is billed twice. */
    private static void checkReplica(ReplicaView replica, List<LedgerEntry> entries) {
        String what = "ledger of " + replica.id() + ": " + entries;
        assertThat(entries).as(what).isNotEmpty();
        assertThat(entries.get(0).from()).as(what).isEqualTo(replica.launchedAt());
        for (int i = 1; i < entries.size(); i++) {
            assertThat(entries.get(i).from())
                    .as(what)
                    .isEqualTo(entries.get(i - 1).to());
        }
        assertThat(entries.get(entries.size() - 1).to())
                .as(what)
                .isEqualTo(replica.endedAt().orElseThrow());
        assertThat(billed(entries)).as(what).isEqualTo(replica.billed());
        checkCost(what, entries, replica.usd());
    }

    /** Container time is a reading of the cloud's meter: it comes to the same, to the nanosecond. */
    private static void checkEndpoints(List<EndpointView> endpoints, List<LedgerEntry> entries) {
        String what = "ledger of " + endpoints + ": " + entries;
        assertThat(billed(entries))
                .as(what)
                .isEqualTo(endpoints.stream().map(EndpointView::containerTime).reduce(Duration.ZERO, Duration::plus));
        checkCost(what, entries, endpoints.stream().map(EndpointView::usd).reduce(BigDecimal.ZERO, BigDecimal::add));
    }

    private static Duration billed(List<LedgerEntry> entries) {
        return entries.stream().map(LedgerEntry::billed).reduce(Duration.ZERO, Duration::plus);
    }

    private static void checkCost(String what, List<LedgerEntry> entries, BigDecimal metered) {
        BigDecimal entered = entries.stream()
                .map(entry -> BigDecimal.valueOf(entry.microUsd().orElseThrow(), 6))
                .reduce(BigDecimal.ZERO, BigDecimal::add);
        assertThat(entered.subtract(metered).abs())
                .as(what)
                .isLessThanOrEqualTo(
                        ROUNDING.multiply(BigDecimal.valueOf(entries.size())).add(new BigDecimal("0.000000000001")));
    }
}
