package dev.tuna.provider.baseten;

/** What a deployment's labels say: whose it is, and what must be known of it after a restart. */
final class Labels {

    static final String OWNER = "tuna-owner";
    static final String DEPLOYMENT = "tuna-deployment";

    /** Fingerprint of what was pushed. */
    static final String PLAN = "tuna-plan";

    /** The machine that was asked for. */
    static final String MACHINE = "tuna-machine";

    /** Seconds that one request may take. */
    static final String TIMEOUT = "tuna-timeout";

    /** Seconds that it may wait for a machine. */
    static final String PLACEMENT = "tuna-placement";

    /** The settings that were planned with it; later ones are with the environment only. */
    static final String SETTINGS = "tuna-settings";

    private Labels() {}

    /** Letters, digits and what is between them in names everywhere: what a label may hold is not described. */
    static String plain(String value) {
        return value.replaceAll("[^A-Za-z0-9._-]", "_");
    }
}
