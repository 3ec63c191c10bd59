package dev.tuna.provider.runpod;

/** The contract on queue endpoints. */
class QueueContractTest extends RunPodContractTest {

    @Override
    Specs specs(String deployment) {
        return Specs.queued(deployment);
    }
}
