package dev.tuna.testkit.cloud.process;

import dev.tuna.testkit.cloud.model.CloudModel;
import dev.tuna.testkit.cloud.model.CloudRefusal;
import dev.tuna.testkit.crash.CallerDeath;
import dev.tuna.testkit.crash.CallerDeath.Moment;
import dev.tuna.testkit.crash.CallerFaults;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** One client's connection; its requests are answered one after the other. Confined to the event loop. */
@SuppressWarnings("FutureReturnValueIgnored") // a write or close that fails ends in channelInactive
final class FrontConnection extends SimpleChannelInboundHandler<FullHttpRequest> {

    private static final String SERVERLESS = "/serverless/";
    private static final int MAX_PIPELINED = 64;

    private final CloudModel cloud;
    private final ControlApi api;
    private final CallerFaults faults;
    private final Executor control;
    private final Deque<InboundRequest> waiting = new ArrayDeque<>();
    private boolean busy;
    private @Nullable ServerlessExchange exchange;

    FrontConnection(CloudModel cloud, ControlApi api, CallerFaults faults, Executor control) {
        this.cloud = cloud;
        this.api = api;
        this.faults = faults;
        this.control = control;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        if (!request.decoderResult().isSuccess()) {
            context.close();
            return;
        }
        waiting.add(new InboundRequest(
                request.method(), request.uri(), request.headers().copy(), ByteBufUtil.getBytes(request.content())));
        if (waiting.size() > MAX_PIPELINED) {
            context.close();
        } else if (!busy) {
            next(context);
        }
    }

    private void next(ChannelHandlerContext context) {
        InboundRequest request = waiting.poll();
        busy = request != null;
        if (request == null) {
            return;
        }
        if (request.uri().startsWith(SERVERLESS)) {
            exchange = new ServerlessExchange(cloud, request, context, () -> {
                exchange = null;
                next(context);
            });
            exchange.start(request.uri().substring(SERVERLESS.length()));
        } else {
            control(context, request);
        }
    }

    private void control(ChannelHandlerContext context, InboundRequest request) {
        // A browser sends an origin with whatever a page makes it do; this API is for programs of this machine.
        if (request.headers().contains(HttpHeaderNames.ORIGIN)) {
            answer(
                    context,
                    ControlApi.Answer.refusal(
                            new CloudRefusal(403, "no_browsers", "calls from web pages are refused", false)));
            return;
        }
        String path = request.uri().split("\\?", 2)[0];
        try {
            control.execute(() -> carryOut(context, request, path));
        } catch (RejectedExecutionException e) {
            context.close();
        }
    }

    /** Not on the event loop, since a machine may take its time. */
    private void carryOut(ChannelHandlerContext context, InboundRequest request, String path) {
        String method = request.method().name();
        Optional<CallerDeath> death = faults.faultOf(method + " " + path);
        if (dies(death, Moment.BEFORE_ACTING)) {
            context.close();
            return;
        }
        ControlApi.Answer answer = api.handle(method, path, new String(request.body(), StandardCharsets.UTF_8));
        if (dies(death, Moment.BEFORE_ANSWERING)) {
            context.close();
            return;
        }
        context.executor()
                .execute(() -> answer(context, answer).addListener(sent -> dies(death, Moment.AFTER_ANSWERING)));
    }

    private static boolean dies(Optional<CallerDeath> death, Moment now) {
        return death.filter(planned -> planned.happens(now)).isPresent();
    }

    private ChannelFuture answer(ChannelHandlerContext context, ControlApi.Answer answer) {
        ChannelFuture sent = context.writeAndFlush(whole(answer.status(), answer.json()));
        next(context);
        return sent;
    }

    static FullHttpResponse whole(int status, String json) {
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1,
                HttpResponseStatus.valueOf(status),
                Unpooled.copiedBuffer(json, StandardCharsets.UTF_8));
        if (!json.isEmpty()) {
            response.headers().set(HttpHeaderNames.CONTENT_TYPE, "application/json");
        }
        if (status != 204) {
            response.headers()
                    .setInt(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes());
        }
        return response;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (exchange != null) {
            exchange.clientWritable(context.channel().isWritable());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        waiting.clear();
        if (exchange != null) {
            exchange.clientGone();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }
}
