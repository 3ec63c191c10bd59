package dev.tuna.router.http;

/** Told the ids of tokens as they go by in a stream. Confined to the stream's thread. */
public interface TokenListener {

    /** Does not care. */
    TokenListener NONE = new TokenListener() {
        @Override
        public void prompt(int id) {}

        @Override
        public void generated(int id) {}
    };

    /**
     * The next token of the prompt, as the server read it.
     *
     * @param id of the model's vocabulary
     */
    void prompt(int id);

    /**
     * The next token of the answer.
     *
     * @param id of the model's vocabulary
     */
    void generated(int id);
}
