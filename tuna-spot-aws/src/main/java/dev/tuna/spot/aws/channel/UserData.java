package dev.tuna.spot.aws.channel;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;

/**
 * What a machine runs at its first boot: a shell script that writes the agent and what it needs, and starts it. The only
 * secret in it is a token that is worth nothing once the machine is enrolled. Immutable.
 */
public final class UserData {

    /**
     * What EC2 takes, before Base64.
     * <a href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html">User data</a>, read 2026-11-20.
     */
    public static final int MOST_BYTES = 16 << 10;

    private static final String END = "TUNA_END_OF_FILE";

    private final String script;

    private UserData(String script) {
        this.script = script;
    }

    /**
     * Writes the script for a replica. The same text for the same replica.
     *
     * @param boot what the machine must know
     * @return the user data
     */
    public static UserData of(ReplicaBoot boot) {
        return of(
                "replica " + boot.replica(),
                Map.of(
                        "boot.sh", shell(UserData.class, "boot.sh"),
                        "ca.pem", boot.authority(),
                        "token", boot.token().reveal() + "\n",
                        "arguments.sh", "set -- " + words(boot) + "\n",
                        "settings.sh", settings(boot)));
    }

    /**
     * Writes the script for a machine that an agent looks after. The same text for the same files.
     *
     * @param machine what it is, for who reads the script
     * @param files what is written beside the agent and {@code machine.sh}, by name; {@code boot.sh install} is run
     * @return the user data
     */
    public static UserData of(String machine, Map<String, String> files) {
        Map<String, String> all = new TreeMap<>(files);
        // What it says of itself is for who reads it here, and user data must be short.
        all.put("machine.sh", shell(UserData.class, "machine.sh"));
        all.put("agent.py", resource(UserData.class, "agent.py").replaceAll("(?m)^ +\"\"\"[^\"\n]*\"\"\"\\n", ""));
        StringBuilder script = new StringBuilder("#!/bin/sh\n");
        script.append("# Tuna: ").append(machine).append('\n');
        script.append("set -eu\numask 077\n");
        // A machine that does not get as far as its agent would be nobody's.
        script.append("trap '${TUNA_SHUTDOWN:-shutdown -h now} || ${TUNA_POWEROFF:-poweroff -ff}' EXIT\n");
        script.append("dir=${TUNA_ROOT:-}/var/lib/tuna\nmkdir -p \"$dir\"\n");
        all.forEach((name, content) -> file(script, name, content));
        return new UserData(script.append("exec sh \"$dir/boot.sh\" install\n").toString());
    }

    private static String settings(ReplicaBoot boot) {
        return "port=" + boot.port()
                + "\norphan_timeout=" + boot.orphanTimeout().toSeconds()
                + "\nimage=" + quoted(boot.image())
                + "\nmodel_cache=" + quoted(boot.modelCache().orElse("")) + "\n";
    }

    private static String words(ReplicaBoot boot) {
        return boot.arguments().stream().map(UserData::quoted).collect(Collectors.joining(" "));
    }

    /**
     * One word to a shell, whatever is in it.
     *
     * @param word any text
     * @return the word in quotes
     */
    public static String quoted(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }

    private static void file(StringBuilder script, String name, String content) {
        if (("\n" + content).contains("\n" + END + "\n")) {
            throw new IllegalArgumentException("'" + name + "' of the user data holds its own end");
        }
        script.append("cat >\"$dir/").append(name).append("\" <<'").append(END).append("'\n");
        script.append(content).append(END).append('\n');
    }

    /**
     * The script in plain text. It holds the token.
     *
     * @return a POSIX shell script
     */
    public String script() {
        return script;
    }

    /**
     * The script as the machine gets it, compressed; machines with cloud-init unpack it themselves. The same bytes for the
     * same script.
     *
     * @return at most {@link #MOST_BYTES}, before Base64
     * @throws ConfigurationException if the engine's arguments are too long for user data
     */
    public byte[] bytes() {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed) {
            {
                def.setLevel(9);
            }
        }) {
            out.write(script.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (packed.size() > MOST_BYTES) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "the machine's user data would have " + packed.size() + " bytes of " + MOST_BYTES
                            + " that EC2 takes; shorten the engine's arguments");
        }
        return packed.toByteArray();
    }

    /**
     * A shell script of this jar without its comments, since user data must be short.
     *
     * @param beside a class of its package
     * @param name the script's
     * @return its text
     */
    public static String shell(Class<?> beside, String name) {
        return resource(beside, name).replaceAll("(?m)^\\s*#(?!!).*\\n", "");
    }

    private static String resource(Class<?> beside, String name) {
        try (InputStream in = beside.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("resource '" + name + "' is missing from the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Without the script, which holds the token. */
    @Override
    public String toString() {
        return "UserData[" + script.length() + " characters]";
    }
}
