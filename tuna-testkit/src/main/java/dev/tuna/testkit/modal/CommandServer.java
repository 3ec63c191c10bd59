package dev.tuna.testkit.modal;

import dev.tuna.testkit.crash.CallerDeath;
import dev.tuna.testkit.crash.CallerDeath.Moment;
import dev.tuna.testkit.crash.CallerFaults;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where the stand-in's executables send what they are told. Brings the sockets, the faults and the record. Thread-safe; its
 * threads are daemons named {@code tuna-modal-n} and end when it is closed.
 */
final class CommandServer implements AutoCloseable {

    /** What a command does. */
    @FunctionalInterface
    interface Handler {
        /**
         * Carries a command out.
         *
         * @return its exit status
         * @throws IOException if whoever gave the command has gone
         */
        int handle(ModalCall call, Terminal terminal) throws IOException, InterruptedException;
    }

    private final Handler handler;
    private final ServerSocket server;
    private final ExecutorService threads;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile CallerFaults callers = CallerFaults.NONE;

    // Guarded by lock:
    private final List<ModalFault> faults = new ArrayList<>();
    private final List<ModalCall> calls = new ArrayList<>();
    private final List<Socket> open = new ArrayList<>();

    CommandServer(Handler handler) {
        this.handler = handler;
        try {
            this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot listen on a loopback port", e);
        }
        AtomicInteger number = new AtomicInteger();
        this.threads = Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "tuna-modal-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        threads.execute(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    void inject(ModalFault fault) {
        lock.lock();
        try {
            faults.add(fault);
        } finally {
            lock.unlock();
        }
    }

    void clearFaults() {
        lock.lock();
        try {
            faults.clear();
        } finally {
            lock.unlock();
        }
    }

    void callers(CallerFaults faults) {
        callers = faults;
    }

    List<ModalCall> calls() {
        lock.lock();
        try {
            return List.copyOf(calls);
        } finally {
            lock.unlock();
        }
    }

    private Optional<ModalFault> takeFault(String line) {
        lock.lock();
        try {
            for (int at = 0; at < faults.size(); at++) {
                ModalFault fault = faults.get(at);
                if (fault.commands().matcher(line).matches()) {
                    if (fault.times() > 1) {
                        faults.set(at, fault.times(fault.times() - 1));
                    } else {
                        faults.remove(at);
                    }
                    return Optional.of(fault);
                }
            }
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                threads.execute(() -> serve(socket));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket socket) {
        lock.lock();
        try {
            open.add(socket);
        } finally {
            lock.unlock();
        }
        try (socket) {
            ModalCall call = read(new DataInputStream(socket.getInputStream()));
            lock.lock();
            try {
                calls.add(call);
            } finally {
                lock.unlock();
            }
            Terminal terminal = new Terminal(socket);
            Optional<CallerDeath> death = callers.faultOf(call.toString());
            terminal.exit(run(call, terminal, death));
            boolean unused = dies(death, Moment.AFTER_ANSWERING);
        } catch (IOException e) {
            // Whoever gave the command has gone.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.lock();
            try {
                open.remove(socket);
            } finally {
                lock.unlock();
            }
        }
    }

    private static boolean dies(Optional<CallerDeath> death, Moment now) {
        return death.filter(planned -> planned.happens(now)).isPresent();
    }

    private int run(ModalCall call, Terminal terminal, Optional<CallerDeath> death)
            throws IOException, InterruptedException {
        if (dies(death, Moment.BEFORE_ACTING)) {
            return ModalCommandMain.CRASH;
        }
        if (death.filter(planned -> planned.moment() == Moment.BEFORE_ANSWERING).isEmpty()) {
            return run(call, terminal);
        }
        int unused = run(call, terminal.muted());
        death.orElseThrow().kill().run();
        return ModalCommandMain.CRASH;
    }

    private int run(ModalCall call, Terminal terminal) throws IOException, InterruptedException {
        Optional<ModalFault> fault = takeFault(call.line());
        if (fault.isPresent()) {
            switch (fault.get().kind()) {
                case ANSWER -> {
                    terminal.err(fault.get().err());
                    return fault.get().status();
                }
                case CRASH_BEFORE -> {
                    return ModalCommandMain.CRASH;
                }
                case CRASH_AFTER -> {
                    int unused = handler.handle(call, terminal.muted());
                    return ModalCommandMain.CRASH;
                }
                case SLOW -> terminal.await(fault.get().gate().orElseThrow());
            }
        }
        return handler.handle(call, terminal);
    }

    private static ModalCall read(DataInputStream in) throws IOException {
        List<String> words = new ArrayList<>();
        for (int left = in.readInt(); left > 0; left--) {
            words.add(ModalCommandMain.read(in));
        }
        Map<String, String> environment = new HashMap<>();
        for (int left = in.readInt(); left > 0; left--) {
            String name = ModalCommandMain.read(in);
            environment.put(name, ModalCommandMain.read(in));
        }
        return new ModalCall(words.get(0), words.subList(1, words.size()), environment, ModalCommandMain.read(in));
    }

    /** The other end of a command: its output, and whether it is still there. Confined to one thread. */
    static final class Terminal {
        private static final int LOOK_MILLIS = 10;

        private final Socket socket;
        private final DataOutputStream out;
        private final boolean mute;

        private Terminal(Socket socket) throws IOException {
            this(socket, new DataOutputStream(socket.getOutputStream()), false);
        }

        private Terminal(Socket socket, DataOutputStream out, boolean mute) {
            this.socket = socket;
            this.out = out;
            this.mute = mute;
        }

        Terminal muted() {
            return new Terminal(socket, out, true);
        }

        void out(String text) throws IOException {
            write(ModalCommandMain.OUT, text);
        }

        void err(String text) throws IOException {
            write(ModalCommandMain.ERR, text);
        }

        private void write(int kind, String text) throws IOException {
            if (!mute) {
                out.writeByte(kind);
                ModalCommandMain.write(out, text);
                out.flush();
            }
        }

        private void exit(int status) throws IOException {
            out.writeByte(ModalCommandMain.EXIT);
            out.writeInt(status);
            out.flush();
        }

        /** Lets time pass, unless the process ends meanwhile. */
        void pass(Duration time) throws IOException {
            long deadline = System.nanoTime() + time.toNanos();
            while (System.nanoTime() - deadline < 0) {
                look();
            }
        }

        private void await(CountDownLatch gate) throws IOException {
            while (gate.getCount() > 0) {
                look();
            }
        }

        /** A process says nothing after it has said what it wants; its end is the end of the stream. */
        private void look() throws IOException {
            socket.setSoTimeout(LOOK_MILLIS);
            try {
                if (socket.getInputStream().read() < 0) {
                    throw new IOException("the process has ended");
                }
            } catch (SocketTimeoutException e) {
                // It is still there.
            }
        }
    }

    /** Stops listening and cuts what is open; may be called twice. */
    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            // Nobody can connect any more either way.
        }
        lock.lock();
        try {
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            // As above.
        } finally {
            lock.unlock();
        }
        threads.shutdownNow();
    }
}
