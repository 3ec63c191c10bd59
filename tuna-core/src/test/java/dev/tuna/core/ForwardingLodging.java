package dev.tuna.core;

import dev.tuna.core.budget.Outlay;
import dev.tuna.core.control.Allowance;
import dev.tuna.core.control.Bundle;
import dev.tuna.core.control.Confided;
import dev.tuna.core.remote.Lodging;
import dev.tuna.core.remote.NextJar;
import java.util.List;

/** Another program on a router's machine seen through this one, which says only what it does otherwise. */
interface ForwardingLodging extends Lodging {

    Lodging lodging();

    @Override
    default void offer(Bundle bundle) {
        lodging().offer(bundle);
    }

    @Override
    default Bundle take(String name, String handover) {
        return lodging().take(name, handover);
    }

    @Override
    default void taken(String name, String handover) {
        lodging().taken(name, handover);
    }

    @Override
    default void keep(String name, String handover) {
        lodging().keep(name, handover);
    }

    @Override
    default List<Outlay> allow(Allowance told) {
        return lodging().allow(told);
    }

    @Override
    default boolean vacate() {
        return lodging().vacate();
    }

    @Override
    default void confide(Confided confided) {
        lodging().confide(confided);
    }

    @Override
    default void upgrade(NextJar next) {
        lodging().upgrade(next);
    }
}
