package dev.tuna.core.store;

import dev.tuna.spi.StateStore;

class InMemoryStateStoreTest extends StateStoreContract {

    private final InMemoryStateStore first = new InMemoryStateStore("owner1");
    private boolean opened;

    @Override
    StateStore open() {
        if (opened) {
            return first.reopen();
        }
        opened = true;
        return first;
    }
}
