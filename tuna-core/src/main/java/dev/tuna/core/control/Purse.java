package dev.tuna.core.control;

import dev.tuna.api.Budget;
import dev.tuna.api.BudgetReport;
import dev.tuna.api.BudgetUse;
import dev.tuna.api.CostReport;
import dev.tuna.core.budget.Budgets;
import dev.tuna.core.budget.Budgets.Standing;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.budget.RateMemory;
import dev.tuna.core.budget.Rented;
import dev.tuna.core.budget.Restraint;
import dev.tuna.core.budget.Spent;
import dev.tuna.core.ledger.Money;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Holds limits of money against bills. What weighs is the control loop's own; how things stand may be asked by anybody. */
final class Purse {

    /** The bills of all deployments are not added up more often, however many deployments there are. */
    private static final Duration FRESH = Duration.ofSeconds(1);

    private final Duration rateHolds;
    private volatile Budget overall = Budget.NONE;
    private volatile Map<String, Treasury.Told> elsewhere = Map.of();

    /** By deployment; nothing of earlier months. */
    private final ConcurrentMap<String, List<CostReport.Day>> over = new ConcurrentHashMap<>();

    private volatile RateMemory memory = RateMemory.NONE;

    // The control loop's own:
    private Spent spent = Spent.NOTHING;
    private Instant spentAt = Instant.MIN;
    private LocalDate spentOn = LocalDate.MIN;

    /**
     * Nothing is limited, and nothing is known yet.
     *
     * @param rateHolds how long what runs elsewhere is taken to run on when nobody tells any more
     */
    Purse(Duration rateHolds) {
        this.rateHolds = rateHolds;
    }

    /** Whoever weighs next looks at all that was spent anew. */
    void become(Budget limits) {
        overall = limits;
        spentAt = Instant.MIN;
    }

    boolean isForAll() {
        return !overall.isUnlimited();
    }

    /** Whether there is anything to be weighed, or something to be lifted. */
    boolean watches(Managed managed) {
        return isForAll()
                || !managed.request().budget().isUnlimited()
                || !managed.restraint().equals(Restraint.NONE);
    }

    /** What a deployment that is over has cost still counts in its day and month, once. */
    void over(String deploymentId, List<CostReport.Day> days) {
        over.put(deploymentId, List.copyOf(days));
    }

    /** What other controllers have told, by who told it. */
    Map<String, Treasury.Told> elsewhere() {
        return elsewhere;
    }

    void hear(Map<String, Treasury.Told> told) {
        elsewhere = Map.copyOf(told);
    }

    /**
     * What all have spent: those that live here, those that are over, and those elsewhere. A deployment may be known twice,
     * while it is handed over say, and counts once: as it is known here.
     */
    Spent all(List<Outlay> living, Instant now) {
        var each = new HashMap<String, Spent>();
        elsewhere.values().forEach(told -> {
            boolean fresh = told.at().plus(rateHolds).isAfter(now);
            told.spent().forEach(outlay -> each.put(outlay.deployment(), fresh ? outlay.spent(now) : outlay.past(now)));
        });
        here(living, now).forEach(outlay -> each.put(outlay.deployment(), outlay.spent(now)));
        return each.values().stream().reduce(Spent.NOTHING, Spent::plus);
    }

    /** Of those that live here, and of those that were here to their end. */
    List<Outlay> here(List<Outlay> living, Instant now) {
        YearMonth month = YearMonth.from(now.atOffset(ZoneOffset.UTC));
        over.values()
                .removeIf(days ->
                        days.stream().allMatch(day -> YearMonth.from(day.day()).isBefore(month)));
        Set<String> alive = living.stream().map(Outlay::deployment).collect(Collectors.toSet());
        Stream<Outlay> ended = over.entrySet().stream()
                .filter(each -> !alive.contains(each.getKey()))
                .map(each -> Outlay.ended(each.getKey(), each.getValue(), now));
        return Stream.concat(living.stream(), ended).toList();
    }

    /** What another controller does not know by itself. */
    List<Outlay> besides(String other, List<Outlay> here) {
        Stream<Outlay> others = elsewhere.entrySet().stream()
                .filter(told -> !told.getKey().equals(other))
                .flatMap(told -> told.getValue().spent().stream());
        return Stream.concat(others, here.stream()).toList();
    }

    /** How things stand, noted for the next time. */
    List<BudgetUse> weigh(Service service, CostReport bill, Supplier<Spent> all, Now now) {
        Standing own = own(service, bill, now.wall());
        service.rate = own.memory();
        var uses = new ArrayList<>(own.uses());
        if (isForAll()) {
            LocalDate today = LocalDate.ofInstant(now.wall(), ZoneOffset.UTC);
            if (!spentAt.plus(FRESH).isAfter(now.steady()) || !spentOn.equals(today)) {
                spent = all.get();
                spentAt = now.steady();
                spentOn = today;
            }
            Standing common = Budgets.look(overall, true, spent, memory, now.wall());
            memory = common.memory();
            uses.addAll(common.uses());
        }
        return uses;
    }

    /** How things stand. */
    List<BudgetUse> uses(Service service, CostReport bill, Supplier<Spent> all, Instant now) {
        var uses = new ArrayList<>(own(service, bill, now).uses());
        if (isForAll()) {
            uses.addAll(Budgets.look(overall, true, all.get(), memory, now).uses());
        }
        return uses;
    }

    /** How all of them together stand. */
    BudgetReport report(Spent all, Instant now) {
        Budget limits = overall;
        return new BudgetReport(
                limits, Budgets.look(limits, true, all, memory, now).uses());
    }

    private static Standing own(Service service, CostReport bill, Instant now) {
        Budget budget = service.current().state().request().budget();
        return Budgets.look(budget, false, Spent.of(bill, now), service.rate, now);
    }

    /** What the replicas of a revision cost, beside something else. */
    static Rented rented(Managed managed, BigDecimal besideUsdPerHour) {
        List<Optional<BigDecimal>> prices =
                managed.replicas().filter(Backend::isWanted).map(Purse::price).toList();
        return new Rented(
                prices.size(),
                (int) prices.stream().filter(Optional::isEmpty).count(),
                managed.replicas().flatMap(replica -> price(replica).stream()).max(BigDecimal::compareTo),
                besideUsdPerHour);
    }

    /** What the replicas of a revision cost until they are gone, given up or not. */
    static BigDecimal untilGone(Managed managed, Instant now) {
        Optional<BigDecimal> last = managed.fleet().price().at(now);
        return managed.replicas()
                .filter(replica -> !replica.isGone())
                .flatMap(replica -> price(replica).or(() -> last).stream())
                .reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    /**
     * What replicas may still come to cost per hour.
     *
     * @param last what one was last known to cost, for those that have just been asked for
     * @return US dollars, below zero if they cost too much already; empty if anything
     */
    static Optional<BigDecimal> left(Managed managed, Optional<BigDecimal> last) {
        return managed.restraint()
                .usdPerHour()
                .map(limit -> managed.replicas()
                        .filter(Backend::isWanted)
                        .flatMap(replica -> price(replica).or(() -> last).stream())
                        .reduce(limit, BigDecimal::subtract));
    }

    /** What a replica costs per hour; empty if that is unknown. */
    static Optional<BigDecimal> price(Backend replica) {
        return replica.meter()
                .filter(meter -> meter instanceof Meter.Machine)
                .flatMap(meter -> Money.usd(((Meter.Machine) meter).bill().microUsdPerHour()));
    }
}
