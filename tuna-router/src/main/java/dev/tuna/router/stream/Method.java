package dev.tuna.router.stream;

/** How a broken stream is brought to its end. In the order in which they are tried. */
public enum Method {
    /** Everything was there but the end mark: the router adds what was missing. */
    FINISH("finish"),
    /** The chat endpoint, told the token ids of the prompt and of the answer so far. Exact. */
    CHAT_TOKENS("chat_tokens"),
    /** The completions endpoint with the same ids as its prompt. Exact; for chats, plain text only. */
    COMPLETION_TOKENS("completion_tokens"),
    /** The text so far as the beginning of the assistant's turn. Best effort, and only where it was asked for. */
    TEXT_PREFILL("text_prefill");

    private final String label;

    Method(String label) {
        this.label = label;
    }

    /**
     * Its name in metrics and comments.
     *
     * @return lower case, words joined by underscores
     */
    public String label() {
        return label;
    }

    /**
     * Whether the stream goes on from exactly the tokens it broke at.
     *
     * @return false for {@link #TEXT_PREFILL}
     */
    public boolean isExact() {
        return this != TEXT_PREFILL;
    }
}
