package dev.tuna.provider.modal;

/** Who may send requests to an app. */
enum Access {
    /** Whoever has a proxy token of the workspace; Modal refuses others before a container starts. */
    PROXY_TOKEN('p'),
    /** Whoever has the model server's key; others are refused by it, for which a container starts. */
    ENGINE_KEY('k'),
    /** Everybody. */
    OPEN('o');

    private final char letter;

    Access(char letter) {
        this.letter = letter;
    }

    /** Its sign in a deployment's tag. */
    char letter() {
        return letter;
    }
}
