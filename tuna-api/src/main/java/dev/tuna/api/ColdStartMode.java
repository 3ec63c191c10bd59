package dev.tuna.api;

/** What the serverless tier trades when it starts cold. Spot and on-demand replicas always start for steady speed. */
public enum ColdStartMode {
    /** Skips compilation and CUDA-graph capture ({@code --enforce-eager}): answers sooner, decodes slower. */
    FAST_BOOT,
    /** Compiles and captures before the first answer: boots slower, decodes faster. */
    NO_FAST_BOOT
}
