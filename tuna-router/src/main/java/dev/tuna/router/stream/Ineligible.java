package dev.tuna.router.stream;

/** Why a stream cannot be continued exactly. */
public enum Ineligible {
    /** More than one choice, or beam search: each would have to be continued by itself. */
    SEVERAL_CHOICES,
    /** Structured output: the grammar's automaton would start at its root again. */
    GRAMMAR,
    /** A forced tool call, which is constrained by a grammar. */
    FORCED_TOOL,
    /** Presence or frequency penalties: they count generated tokens only, which the next backend takes for the prompt's. */
    PENALTIES,
    /** The next backend would begin to count thinking tokens anew, or look for repetitions anew. */
    DECODER_STATE,
    /** Images, sound or film in the prompt: servers that are given ids ignore them. */
    MEDIA,
    /** A prompt that has no token ids. */
    NO_TOKENS;

    /**
     * Whether somebody may still go on from the text, where it is enough that the answer reads on.
     *
     * @return false where what followed would be another document, or another call
     */
    public boolean allowsBestEffort() {
        return this == PENALTIES || this == DECODER_STATE || this == MEDIA;
    }
}
