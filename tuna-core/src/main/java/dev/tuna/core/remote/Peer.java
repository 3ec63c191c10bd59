package dev.tuna.core.remote;

import dev.tuna.api.Secret;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.BackendTls;
import dev.tuna.spi.Credential;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Who is at the other end of a {@link Connection}, and what a person is told of it. Immutable.
 *
 * @param uri its control endpoint
 * @param token what it wants to hear
 * @param tls how both sides prove who they are; empty on loopback
 * @param name a short name
 * @param full with what it controls, up to a comma
 * @param ifSilent what to do when it does not answer
 * @param ifOtherVersion what to do when it cannot be understood
 * @param ifGone the whole text when it is not there any more
 */
record Peer(
        URI uri,
        Secret token,
        Optional<BackendTls> tls,
        String name,
        String full,
        String ifSilent,
        String ifOtherVersion,
        String ifGone) {

    /** Another process on this machine. */
    static Peer process(Path directory, ControlAddress address) {
        String name = "process " + address.pid();
        return new Peer(
                address.uri(),
                address.token(),
                Optional.empty(),
                name,
                name + ", which controls store " + directory,
                "if it hangs, end it (kill -9 " + address.pid()
                        + "): the next process to open the store takes over at once, and nothing is lost",
                "use the same version in both, or end that process",
                name + " controls store " + directory
                        + " no longer; try again, and whoever controls it by then goes on");
    }

    /** A router's machine. */
    static Peer vm(String vm, BackendAddress control) {
        String name = "router VM '" + vm + "'";
        return new Peer(
                control.url(),
                control.credential().map(Peer::token).orElseThrow(),
                control.tls(),
                name,
                name,
                "its machine may be rebooting, or be gone: try again in a minute",
                "upgrade it, or use the version that it runs",
                name + " cannot be reached; it may be rebooting: try again in a minute");
    }

    private static Secret token(Credential credential) {
        String value = credential.value().reveal();
        return value.startsWith("Bearer ") ? Secret.of(value.substring("Bearer ".length())) : credential.value();
    }
}
