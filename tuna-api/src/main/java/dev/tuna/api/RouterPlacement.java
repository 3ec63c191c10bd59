package dev.tuna.api;

/** Where the endpoint of a deployment runs. */
public enum RouterPlacement {
    /** Inside the host application's JVM: up at once, gone with it. */
    EMBEDDED,
    /**
     * On a small virtual machine of its own, so that the deployment outlives the host application. {@link Deployment#endpoint()}
     * then waits until the machine has an address.
     */
    SEPARATE_VM
}
