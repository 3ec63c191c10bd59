package dev.tuna.core.control;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.tuna.api.Budget;
import dev.tuna.api.BudgetReport;
import dev.tuna.core.budget.Outlay;
import dev.tuna.core.catalog.GpuCatalog;
import dev.tuna.core.catalog.Price;
import dev.tuna.core.catalog.Prices;
import dev.tuna.core.config.Wire;
import dev.tuna.spi.StateStore;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What all deployments of an installation together may cost and have cost, here and on router VMs. All of it is in the store, so
 * that it holds in the next process too. Thread-safe; blocks.
 */
public final class Treasury {

    private static final String PRICES = "prices";
    private static final String ELSEWHERE = "spent-elsewhere";

    /** Under which name a router VM keeps what its host tells: there is one, whichever process it is. */
    private static final String HOST = "";

    private static final TypeReference<List<Price>> PRICE_LIST = new TypeReference<>() {};
    private static final TypeReference<Map<String, Told>> TOLD = new TypeReference<>() {};

    private final Controller controller;
    private final StateStore store;
    private final OverallBudget stored;
    private final GpuCatalog catalog;
    private final Purse purse;
    private final ReentrantLock lock = new ReentrantLock(); // one change at a time
    private volatile Optional<Budget> limits;

    /**
     * What another controller told.
     *
     * @param at when
     * @param spent what each deployment there has cost
     */
    record Told(Instant at, List<Outlay> spent) {

        /** Copies the list. */
        Told {
            Objects.requireNonNull(at, "at");
            spent = List.copyOf(spent);
        }
    }

    /**
     * What holds from a start on.
     *
     * @param said the budget that goes before what is stored
     */
    Treasury(Controller controller, StateStore store, GpuCatalog catalog, Purse purse, Optional<Budget> said) {
        this.controller = controller;
        this.store = store;
        this.catalog = catalog;
        this.purse = purse;
        this.stored = new OverallBudget(store);
        said.ifPresent(stored::store);
        this.limits = stored.stored();
        limits.ifPresent(purse::become);
        store.setting(PRICES)
                .map(json -> Wire.stored(json, PRICE_LIST, "the list of prices in the store"))
                .ifPresent(prices -> catalog.use(new Prices(prices)));
        store.setting(ELSEWHERE)
                .map(json -> Wire.stored(json, TOLD, "what the store has of other machines' spending"))
                .ifPresent(purse::hear);
    }

    /**
     * What all deployments together may cost.
     *
     * @return empty if nobody ever said
     */
    public Optional<Budget> limits() {
        return limits;
    }

    /**
     * What all deployments together may cost, and how things stand.
     *
     * @return as of now
     */
    public BudgetReport budget() {
        return controller.standing();
    }

    /**
     * Sets what all deployments together may cost: when this returns it is on disk, and holds.
     *
     * @param next in place of the limits before
     * @throws dev.tuna.api.StoreException if it cannot be stored; nothing has changed then
     */
    public void setBudget(Budget next) {
        lock.lock();
        try {
            stored.store(next);
            limits = Optional.of(next);
            controller.heed(next);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes in what a host tells, as the program on a router VM.
     *
     * @param told holds from now on
     * @return what each deployment that is or was here has cost
     */
    public List<Outlay> hear(Allowance told) {
        lock.lock();
        try {
            told.prices()
                    .filter(prices -> !prices.equals(catalog.prices().prices()))
                    .ifPresent(this::use);
            hear(HOST, told.spent());
            told.rent().ifPresent(controller::rentCosts);
            told.budget().filter(next -> !limits.equals(Optional.of(next))).ifPresent(this::setBudget);
        } finally {
            lock.unlock();
        }
        return controller.outlays();
    }

    private void use(List<Price> prices) {
        store.setSetting(PRICES, Wire.write(prices));
        catalog.use(new Prices(prices));
    }

    /**
     * Takes in what a router VM tells, as its host.
     *
     * @param from its name
     * @param spent what each deployment there has cost
     */
    public void hear(String from, List<Outlay> spent) {
        lock.lock();
        try {
            var next = new HashMap<>(purse.elsewhere());
            next.put(from, new Told(controller.wallTime(), spent));
            become(next);
        } finally {
            lock.unlock();
        }
    }

    /**
     * What was spent on a router VM that is no more is known here by now, or lost with it.
     *
     * @param from its name
     */
    public void forget(String from) {
        lock.lock();
        try {
            var next = new HashMap<>(purse.elsewhere());
            if (next.remove(from) != null) {
                become(next);
            }
        } finally {
            lock.unlock();
        }
    }

    private void become(Map<String, Told> next) {
        store.setSetting(ELSEWHERE, Wire.write(next));
        purse.hear(next);
    }

    /**
     * What a router VM is told.
     *
     * @param to its name
     * @param prices the user's own, if there are any to be told
     * @param rent what it costs an hour, if that is known
     * @return with what was spent everywhere but there
     */
    public Allowance allowance(String to, Optional<List<Price>> prices, Optional<BigDecimal> rent) {
        return new Allowance(limits, prices, purse.besides(to, controller.outlays()), rent);
    }
}
