package dev.tuna.core.control;

import dev.tuna.api.BudgetReport;
import dev.tuna.api.BudgetUse;
import dev.tuna.api.CostReport;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.budget.Spent;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** The bills of live deployments, and what all of them have spent together. Thread-safe. */
record Spending(Names names, Purse purse, Rental rental, Times times) {

    CostReport bill(Service service) {
        return rental.whileStill(() -> {
            Service.Lineup lineup = service.lineup();
            Now now = times.now();
            return Reports.cost(
                    lineup.current().state(), lineup.others(), lineup.past(), rental.open(service, now.wall()), now);
        });
    }

    CostReport cost(Service service) {
        CostReport bill = bill(service);
        return bill.withBudgets(purse.uses(service, bill, () -> spentByAll(bill.to()), bill.to()));
    }

    Spent spentByAll(Instant now) {
        return purse.all(living(now), now);
    }

    /** What was spent on those that are or were looked after here. */
    List<Outlay> outlays() {
        Instant now = times.now().wall();
        return purse.here(living(now), now);
    }

    private List<Outlay> living(Instant now) {
        return names.all().stream()
                .map(service -> Outlay.of(account(service), bill(service), now))
                .toList();
    }

    private static String account(Service service) {
        return service.current().state().revision().account();
    }

    BudgetReport standing() {
        Instant now = times.now().wall();
        return purse.report(spentByAll(now), now);
    }

    /** What spends too much, to be noted for the next time. */
    List<BudgetUse> weigh(Service service, Now now) {
        return purse.weigh(service, bill(service), () -> spentByAll(now.wall()), now);
    }

    /** Whether it matters what all have spent together. */
    boolean countsAll() {
        return purse.isForAll();
    }

    /** What deployments have cost that are over. */
    void rememberThisMonth(Archive archive) {
        Instant month = times.now()
                .wall()
                .atOffset(ZoneOffset.UTC)
                .withDayOfMonth(1)
                .truncatedTo(ChronoUnit.DAYS)
                .toInstant();
        archive.spentSince(month, (account, bill) -> purse.over(account, bill.days()));
    }

    /** It lives no more. */
    void over(Service service) {
        purse.over(account(service), bill(service).days());
    }
}
