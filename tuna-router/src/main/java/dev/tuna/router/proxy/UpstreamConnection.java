package dev.tuna.router.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.ProtocolException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a backend: idle in the pool, or working for one {@link User}. Confined to its event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write or a close is noticed as the channel becomes inactive
final class UpstreamConnection extends ChannelInboundHandlerAdapter {

    /** Whoever sent the request and waits for its answer. */
    interface User {

        /** The answer's status and header; interim answers (1xx) are not shown. */
        void onHead(HttpResponse head);

        /**
         * A piece of the body.
         *
         * @param data to be released by the receiver
         */
        void onBody(ByteBuf data);

        /** The answer is complete; the connection is no longer the user's. */
        void onEnd();

        /** What could be read at once has been read. */
        void onReadComplete();

        /**
         * The connection broke before the answer's end.
         *
         * @param why what was seen
         */
        void onBroken(Throwable why);
    }

    /** For the end of an answer whose user has lost interest. */
    private static final User NOBODY = new User() {
        @Override
        public void onHead(HttpResponse head) {}

        @Override
        public void onBody(ByteBuf data) {
            data.release();
        }

        @Override
        public void onEnd() {}

        @Override
        public void onReadComplete() {}

        @Override
        public void onBroken(Throwable why) {}
    };

    private static final long UNREAD_MILLIS = 1000;

    private final UpstreamPool pool;
    private final Endpoint endpoint;
    private final Channel channel;
    private @Nullable User user;
    private boolean used;
    private boolean answered;
    private boolean interim;
    private boolean keepAlive;
    private boolean written;
    private boolean resting;
    private @Nullable Throwable cause;
    private long idleSince;

    UpstreamConnection(UpstreamPool pool, Endpoint endpoint, Channel channel) {
        this.pool = pool;
        this.endpoint = endpoint;
        this.channel = channel;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    boolean isActive() {
        return channel.isActive();
    }

    /** Whether it has served a request before: then the backend may have closed it without our knowing yet. */
    boolean isReused() {
        return used;
    }

    /** Whether anything of an answer to the current request has come. */
    boolean hasAnswered() {
        return answered;
    }

    long idleSince() {
        return idleSince;
    }

    void idle(long now) {
        idleSince = now;
    }

    /** Sends a request, which is released. */
    void send(FullHttpRequest request, User sender) {
        user = sender;
        answered = false;
        written = false;
        keepAlive = false;
        channel.writeAndFlush(request).addListener(future -> written = future.isSuccess());
    }

    /** Reads on, or leaves what the backend sends to the kernel, which makes the backend wait. */
    void reading(boolean on) {
        channel.config().setAutoRead(on);
    }

    /** The user has got what matters; what is left of the answer is read for the connection's sake, if it comes soon. */
    void finishUnread() {
        reading(true);
        user = NOBODY;
    }

    /** Hangs up, which tells the backend to stop. */
    void abort() {
        user = null;
        channel.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        @Nullable User current = user;
        if (current == null) {
            ReferenceCountUtil.release(message);
            channel.close(); // nobody asked
            return;
        }
        answered = true;
        if (message instanceof HttpResponse head && !onHead(head, current)) {
            ReferenceCountUtil.release(message);
            return;
        }
        if (message instanceof HttpContent content) {
            onContent(content, current);
        }
    }

    /** Returns whether to go on. */
    private boolean onHead(HttpResponse head, User current) {
        if (head.decoderResult().isFailure() || !isStatus(head.status().code())) {
            broken(new ProtocolException("not HTTP/1.1"));
            return false;
        }
        interim = head.status().codeClass() == HttpStatusClass.INFORMATIONAL;
        if (interim && head.status().code() == 101) {
            broken(new ProtocolException("switched protocols, unasked"));
            return false;
        }
        if (!interim) {
            keepAlive = HttpUtil.isKeepAlive(head);
            current.onHead(head);
        }
        return true;
    }

    /** Three digits: clients would take an answer with any other number for something that is not HTTP. */
    private static boolean isStatus(int code) {
        return code >= 100 && code <= 999;
    }

    private void onContent(HttpContent content, User current) {
        if (content.decoderResult().isFailure()) {
            content.release();
            broken(new ProtocolException("broken chunked framing"));
            return;
        }
        boolean last = content instanceof LastHttpContent;
        if (interim) {
            content.release();
            interim = !last;
            return;
        }
        if (user != current) { // cut by what it made of the header
            content.release();
            return;
        }
        if (content.content().isReadable()) {
            current.onBody(content.content());
        } else {
            content.release();
        }
        if (last && user == current) {
            finished();
            current.onEnd();
        }
    }

    /** Whatever has come behind the answer must not be taken for the next one, so that is not asked for before it is seen. */
    private void finished() {
        user = null;
        used = true;
        if (keepAlive && written && channel.isActive()) {
            reading(true);
            resting = true;
        } else {
            channel.close();
        }
    }

    private void broken(Throwable why) {
        cause = why;
        @Nullable User current = user;
        user = null;
        channel.close();
        if (current != null) {
            current.onBroken(why);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (user == NOBODY) {
            channel.eventLoop().schedule(this::closeIfUnread, UNREAD_MILLIS, TimeUnit.MILLISECONDS);
        } else if (user != null) {
            user.onReadComplete();
        } else if (resting) {
            resting = false;
            if (channel.isActive()) {
                pool.release(this);
            }
        }
    }

    private void closeIfUnread() {
        if (user == NOBODY) {
            channel.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        pool.forget(this);
        broken(cause != null ? cause : new IOException("connection closed by the backend"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable seen) {
        broken(seen);
    }
}
