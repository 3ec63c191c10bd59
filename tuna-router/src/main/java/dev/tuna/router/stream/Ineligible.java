package dev.tuna.router.stream;

/** Why a stream cannot be continued exactly. */
public enum Ineligible {
    /** Each choice would have to be continued by itself. */
    SEVERAL_CHOICES("more than one choice, or beam search"),
    /** The grammar's automaton would start at its root again. */
    GRAMMAR("structured output"),
    /** The call is constrained by a grammar. */
    FORCED_TOOL("a forced tool call"),
    /** They count generated tokens only, which the next backend takes for the prompt's. */
    PENALTIES("presence or frequency penalties"),
    /** The next backend would begin to count thinking tokens anew, or look for repetitions anew. */
    DECODER_STATE("a decoder with hidden state"),
    /** Servers that are given ids ignore images and sound. */
    MEDIA("images, sound or film in the prompt"),
    /** The prompt has no token ids. */
    NO_TOKENS("a prompt that is not made of tokens");

    private final String what;

    Ineligible(String what) {
        this.what = what;
    }

    /**
     * Whether somebody may still go on from the text, where it is enough that the answer reads on.
     *
     * @return false where what followed would be another document, or another call
     */
    public boolean allowsBestEffort() {
        return this == PENALTIES || this == DECODER_STATE || this == MEDIA;
    }

    /**
     * What the request asks for.
     *
     * @return a few words for a person
     */
    public String what() {
        return what;
    }
}
