package dev.tuna.router.stream;

import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is known of a backend's model server: learnt from its {@code /version}, from what it echoes, and from
 * {@code /v1/models}, and remembered as long as the backend. Thread-safe.
 */
public final class Capabilities {

    /** The first release with {@code kv_transfer_params.prompt_token_ids}: vLLM 0.27. */
    private static final int CHAT_TOKENS_MINOR = 27;

    private static final Pattern VERSION = Pattern.compile("v?(\\d{1,6})\\.(\\d{1,6}).*", Pattern.DOTALL);

    private enum Known {
        UNKNOWN,
        YES,
        NO
    }

    private volatile Known chatTokens = Known.UNKNOWN;
    private volatile int window;
    private volatile boolean versionAsked;
    private volatile boolean refusesIds;

    /**
     * Whether a method is worth trying.
     *
     * @param method the method
     * @return false if the server is known not to understand it
     */
    public boolean mayUse(Method method) {
        return method != Method.CHAT_TOKENS || chatTokens != Known.NO;
    }

    /**
     * The server echoed the ids it was given, or it did not.
     *
     * @param honoured whether it took them for its prompt
     */
    public void sawChatTokens(boolean honoured) {
        chatTokens = honoured ? Known.YES : Known.NO;
    }

    /**
     * The server refused a request that asked for token ids, and took it without.
     */
    public void sawIdsRefused() {
        refusesIds = true;
    }

    /**
     * Whether a request that asks for token ids is refused, as servers do that allow no field that they do not know.
     *
     * @return true once that has been seen
     */
    public boolean refusesIds() {
        return refusesIds;
    }

    /**
     * Whether to ask for the version; true once.
     *
     * @return true for the first who asks
     */
    public boolean askVersion() {
        if (versionAsked) {
            return false;
        }
        versionAsked = true;
        return true;
    }

    /**
     * What {@code /version} said. A version that is old enough rules a method out; what was seen with one's own eyes counts
     * more.
     *
     * @param version such as {@code 0.31.0}; anything else tells nothing
     */
    public void sawVersion(String version) {
        Matcher parts = VERSION.matcher(version);
        if (parts.matches() && chatTokens == Known.UNKNOWN) {
            boolean old = Integer.parseInt(parts.group(1)) == 0 && Integer.parseInt(parts.group(2)) < CHAT_TOKENS_MINOR;
            chatTokens = old ? Known.NO : Known.UNKNOWN;
        }
    }

    /**
     * The longest prompt and answer together.
     *
     * @return tokens; empty if nobody has told
     */
    public OptionalInt window() {
        return window > 0 ? OptionalInt.of(window) : OptionalInt.empty();
    }

    /**
     * The longest prompt and answer together.
     *
     * @param tokens as {@code max_model_len} says
     * @return whether that can be so
     */
    public boolean sawWindow(int tokens) {
        window = tokens;
        return tokens > 0;
    }
}
