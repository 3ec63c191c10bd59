package dev.tuna.testkit.cloud.process;

import dev.tuna.api.Secret;
import dev.tuna.testkit.cloud.model.CloudJson;
import dev.tuna.testkit.cloud.model.CloudModel;
import dev.tuna.testkit.cloud.model.CloudRefusal;
import dev.tuna.testkit.cloud.model.Lease;
import dev.tuna.testkit.cloud.model.RequestListener;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request to a serverless endpoint: queued, dispatched to a container, relayed event by event. Whichever side goes
 * first takes the other along. Confined to the client's event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write or close that fails ends in channelInactive
final class ServerlessExchange implements RequestListener {

    private static final List<CharSequence> HOP_BY_HOP = List.of(
            HttpHeaderNames.CONNECTION,
            HttpHeaderNames.PROXY_AUTHENTICATE,
            HttpHeaderNames.PROXY_AUTHORIZATION,
            HttpHeaderNames.TE,
            HttpHeaderNames.UPGRADE,
            HttpHeaderNames.EXPECT,
            "keep-alive");

    private final CloudModel cloud;
    private final InboundRequest request;
    private final ChannelHandlerContext client;
    private final Runnable whenOver;
    private String path = "/";
    private @Nullable Lease lease;
    private @Nullable Channel upstream;
    private boolean headersSent;
    private boolean over;

    ServerlessExchange(CloudModel cloud, InboundRequest request, ChannelHandlerContext client, Runnable whenOver) {
        this.cloud = cloud;
        this.request = request;
        this.client = client;
        this.whenOver = whenOver;
    }

    /** Takes {@code name/path?query}. */
    void start(String target) {
        int slash = target.indexOf('/');
        String name = slash < 0 ? target.split("\\?", 2)[0] : target.substring(0, slash);
        path = slash < 0 ? "/" : target.substring(slash);
        try {
            lease = cloud.request(name, bearer(), this);
        } catch (CloudRefusal e) {
            fail(e.status(), e.getMessage());
        }
    }

    private @Nullable Secret bearer() {
        String value = request.headers().get(HttpHeaderNames.AUTHORIZATION, "");
        return value.startsWith("Bearer ") && value.length() > 7 ? Secret.of(value.substring(7)) : null;
    }

    @Override
    public void dispatched(URI container) {
        client.executor().execute(() -> connect(container));
    }

    @Override
    public void failed(int status, String message) {
        client.executor().execute(() -> fail(status, message));
    }

    private void connect(URI container) {
        if (over) {
            return;
        }
        ChannelFuture connecting = new Bootstrap()
                .group(client.channel().eventLoop())
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 5000)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(new HttpClientCodec()).addLast(new Relay());
                    }
                })
                .connect(container.getHost(), container.getPort());
        upstream = connecting.channel();
        connecting.addListener(done -> {
            if (!done.isSuccess()) {
                fail(502, "the container does not accept connections");
            } else if (!over) {
                connecting.channel().writeAndFlush(towards(container));
            }
        });
    }

    private FullHttpRequest towards(URI container) {
        FullHttpRequest outbound = new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1, request.method(), path, Unpooled.wrappedBuffer(request.body()));
        outbound.headers().set(request.headers());
        HOP_BY_HOP.forEach(outbound.headers()::remove);
        outbound.headers().remove(HttpHeaderNames.TRANSFER_ENCODING);
        outbound.headers().set(HttpHeaderNames.HOST, container.getAuthority());
        outbound.headers().set(HttpHeaderNames.CONNECTION, "close");
        if (request.body().length > 0 || request.headers().contains(HttpHeaderNames.CONTENT_LENGTH)) {
            outbound.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, request.body().length);
        }
        return outbound;
    }

    private void answerBegins(HttpResponse response) {
        HttpHeaders headers = response.headers();
        HOP_BY_HOP.forEach(headers::remove);
        if (!HttpUtil.isContentLengthSet(response) && response.status().code() >= 200) {
            HttpUtil.setTransferEncodingChunked(response, true);
        }
        headersSent = response.status().code() >= 200;
    }

    void clientWritable(boolean writable) {
        if (upstream != null) {
            upstream.config().setAutoRead(writable);
        }
    }

    void clientGone() {
        end(false);
    }

    /** Says what happened if there is still room for it, else breaks off. */
    private void fail(int status, String message) {
        if (over) {
            return;
        }
        if (headersSent) {
            end(false);
            client.close();
            return;
        }
        FullHttpResponse response = FrontConnection.whole(
                status,
                CloudJson.write(Map.of("error", Map.of("message", message, "type", "local_cloud", "code", status))));
        if (status == 429 || status == 503) {
            response.headers().set(HttpHeaderNames.RETRY_AFTER, 1);
        }
        client.writeAndFlush(response);
        end(false);
        whenOver.run();
    }

    private void end(boolean answered) {
        if (over) {
            return;
        }
        over = true;
        if (lease != null) {
            lease.release(answered);
        }
        if (upstream != null) {
            upstream.close();
        }
    }

    /** From the container to the client. */
    private final class Relay extends ChannelInboundHandlerAdapter {

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (over) {
                ReferenceCountUtil.release(message);
                return;
            }
            if (message instanceof HttpResponse response) {
                answerBegins(response);
            }
            client.writeAndFlush(message);
            if (message instanceof LastHttpContent && headersSent) {
                end(true);
                whenOver.run();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            fail(502, "the container broke the connection off");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            fail(502, "the container broke the connection off");
            context.close();
        }
    }
}
