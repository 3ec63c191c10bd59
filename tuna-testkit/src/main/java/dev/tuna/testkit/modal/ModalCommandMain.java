package dev.tuna.testkit.modal;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The process behind the stand-in's {@code modal} and {@code python}: like the real ones it sends what it was told to a server
 * and prints what that says. Everything that lasts is with the server, so it survives these processes.
 */
public final class ModalCommandMain {

    /** Ends the process as a crash does: nothing is said, nothing is tidied up. */
    static final int CRASH = -1;

    static final int OUT = 1;
    static final int ERR = 2;
    static final int EXIT = 0;

    private static final int CRASHED = 137;

    private ModalCommandMain() {}

    /**
     * Runs one command.
     *
     * @param arguments the server's port, the program's name, and what it was called with
     */
    public static void main(String[] arguments) {
        int status;
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0]))) {
            send(
                    new DataOutputStream(socket.getOutputStream()),
                    List.of(arguments).subList(1, arguments.length));
            status = relay(new DataInputStream(socket.getInputStream()));
        } catch (IOException e) {
            System.err.println("Could not connect to the Modal server.");
            status = 1;
        }
        if (status == CRASH) {
            Runtime.getRuntime().halt(CRASHED);
        }
        System.exit(status);
    }

    private static void send(DataOutputStream out, List<String> words) throws IOException {
        out.writeInt(words.size());
        for (String word : words) {
            write(out, word);
        }
        Map<String, String> environment = System.getenv();
        out.writeInt(environment.size());
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            write(out, variable.getKey());
            write(out, variable.getValue());
        }
        write(out, words.size() > 2 && words.get(1).equals("deploy") ? script(words.get(2)) : "");
        out.flush();
    }

    private static String script(String file) throws IOException {
        Path path = Path.of(file);
        return Files.isRegularFile(path) ? Files.readString(path) : "";
    }

    static void write(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static String read(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static int relay(DataInputStream in) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
        while (true) {
            switch (in.readByte()) {
                case OUT -> out.print(read(in));
                case ERR -> err.print(read(in));
                default -> {
                    out.flush();
                    err.flush();
                    return in.readInt();
                }
            }
        }
    }
}
