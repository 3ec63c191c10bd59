package dev.tuna.core.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Tier;
import dev.tuna.core.ledger.Money;
import dev.tuna.core.ledger.OpenSpan;
import dev.tuna.spi.LedgerEntry;
import dev.tuna.spi.ResourceRecord;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The rent of a {@link HostMachine} up to a moment. It is divided among the deployments that are there, whenever one comes or
 * goes and once an hour. Immutable.
 *
 * @param machine what is rented
 * @param paidUntil up to when it is in the ledger, which the store has from the same write
 */
record Rent(HostMachine machine, Instant paidUntil) {

    /** Every entry goes wherever the deployment goes. */
    static final Duration INTERVAL = Duration.ofHours(1);

    private static final String PREFIX = "rent/";
    private static final String PAID_UNTIL = "paidUntil";
    private static final String USD_PER_HOUR = "usdPerHour";

    /** Goes on after what earlier processes have entered. */
    static Rent of(HostMachine machine, Collection<ResourceRecord> stored) {
        String key = PREFIX + machine.name();
        Optional<JsonNode> last = stored.stream()
                .filter(record -> record.key().equals(key))
                .map(record -> PlanJson.read(record.details(), "rent of '" + machine.name() + "'"))
                .findFirst();
        return new Rent(
                last.flatMap(json -> Optional.ofNullable(json.path(USD_PER_HOUR).textValue()))
                        .map(usd -> machine.costing(new BigDecimal(usd)))
                        .orElse(machine),
                last.map(json -> Instant.parse(json.path(PAID_UNTIL).asText()))
                        .filter(machine.since()::isBefore)
                        .orElse(machine.since()));
    }

    /** To be stored with what it is paid by. */
    ResourceRecord record() {
        ObjectNode json = PlanJson.MAPPER.createObjectNode();
        json.put(PAID_UNTIL, paidUntil.toString());
        machine.usdPerHour().ifPresent(usd -> json.put(USD_PER_HOUR, usd.toPlainString()));
        // Of no deployment, so that nobody takes it for something that must be removed with one.
        return new ResourceRecord(
                PREFIX + machine.name(),
                PREFIX + machine.name(),
                "tuna",
                Optional.empty(),
                ResourceRecord.State.LIVE,
                Optional.empty(),
                "{}",
                json.toString(),
                machine.since(),
                paidUntil);
    }

    /** The part of one of several deployments. */
    LedgerEntry part(String account, int deployments, Instant now) {
        Duration part = Duration.between(paidUntil, now).dividedBy(deployments);
        OptionalLong price = Money.microUsdPerHour(machine.usdPerHour());
        return new LedgerEntry(
                account,
                Tier.ON_DEMAND,
                machine.provider(),
                machine.name(),
                paidUntil,
                now,
                part,
                price,
                Money.cost(part, price),
                true);
    }

    /** The part of one of several deployments, and of what comes. */
    OpenSpan open(String account, int deployments, Instant now) {
        OptionalLong price = Money.microUsdPerHour(machine.usdPerHour());
        return new OpenSpan(
                part(account, deployments, now.isAfter(paidUntil) ? now : paidUntil),
                price.isPresent() ? OptionalLong.of(price.getAsLong() / deployments) : price);
    }

    /** What is not paid yet has another price. */
    Rent costing(BigDecimal usd) {
        return new Rent(machine.costing(usd), paidUntil);
    }

    Rent paid(Instant now) {
        return new Rent(machine, now);
    }
}
