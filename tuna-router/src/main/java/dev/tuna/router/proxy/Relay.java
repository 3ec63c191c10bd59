package dev.tuna.router.proxy;

import dev.tuna.router.http.SseScanner;
import io.netty.buffer.ByteBuf;

/** Passes the events of one backend's answer on. Confined to an event loop. */
interface Relay {

    /** Where events go, and what became of the stream. */
    interface Sink {

        /**
         * The first events that matter are about to come.
         */
        void firstEvents();

        /**
         * Some of what was read carries content. Whoever does not count need not listen.
         *
         * @param events how many events, 1 or more
         */
        default void generated(int events) {}

        /**
         * Whole events.
         *
         * @param data to be released by the receiver
         */
        void events(ByteBuf data);

        /**
         * The backend says that it failed.
         *
         * @param lastWords what it had still to say, to be passed on if nobody goes on with the stream; to be released
         * @param told whether the client is told by them, by the backend's own error event
         */
        void backendFailed(ByteBuf lastWords, boolean told);

        /** The stream has said {@code [DONE]} and kept its word: nothing that matters can follow. */
        void streamComplete();

        /**
         * The backend did not go on from where the stream had broken, and nothing of its answer has been passed on.
         *
         * @param why in a few words
         */
        void didNotGoOn(String why);
    }

    /** Takes what the backend sent and releases it in the end. */
    void accept(ByteBuf read);

    /** Whether the client has got something of this answer. */
    boolean isFlowing();

    /** Whether the client has got the beginning of an event that is not complete: then nothing may be put in. */
    boolean isInsideEvent();

    SseScanner.Verdict verdict();

    /** The stream breaks and nobody goes on with it: whole events that were held back go out. */
    void flush();

    /** The stream has ended well: what was kept back goes out. */
    void finish();

    /** Drops what was kept back. */
    void release();
}
