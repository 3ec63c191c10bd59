package dev.tuna.provider.modal;

import dev.tuna.api.BackendPhase;
import java.util.List;
import java.util.Locale;

/**
 * How the start of the engine in an app's containers goes, as their log tells. Pure.
 *
 * @param phase {@link BackendPhase#READY} if one has served, {@link BackendPhase#FAILED} if they end again and again
 * @param line the line that says so; empty if there is none
 */
record EngineStart(BackendPhase phase, String line) {

    /** Ends that are more than bad luck. */
    private static final int LOOP = 3;

    /** What the script says of an engine that ends before it serves. */
    private static final String ENDED = "the engine ended with status";

    private static final String SERVES = "application startup complete";
    private static final List<String> ENGINE =
            List.of("loading weights took", "model loading took", "torch.compile", "cuda graph", "kv cache size");
    private static final List<String> WEIGHTS =
            List.of("starting to load model", "loading safetensors", "downloading", "resolved architecture");

    static EngineStart of(List<String> log) {
        int ends = 0;
        EngineStart reached = new EngineStart(BackendPhase.IMAGE, "its container starts");
        String complaint = "";
        for (String line : log) {
            String said = line.toLowerCase(Locale.ROOT);
            if (said.contains(SERVES)) {
                ends = 0;
                reached = new EngineStart(BackendPhase.READY, line);
            } else if (said.contains(ENDED)) {
                ends++;
                reached = ends < LOOP ? reached : new EngineStart(BackendPhase.FAILED, complaint + line.strip());
            } else if (says(said, ENGINE)) {
                reached = reached.past(BackendPhase.ENGINE, line);
            } else if (says(said, WEIGHTS)) {
                reached = reached.past(BackendPhase.WEIGHTS, line);
            } else if (said.contains("error")) {
                complaint = line.strip() + "; ";
            }
        }
        return reached;
    }

    private EngineStart past(BackendPhase next, String because) {
        return next.compareTo(phase) > 0 ? new EngineStart(next, because.strip()) : this;
    }

    private static boolean says(String said, List<String> phrases) {
        return phrases.stream().anyMatch(said::contains);
    }
}
