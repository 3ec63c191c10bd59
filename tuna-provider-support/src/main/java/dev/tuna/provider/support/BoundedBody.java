package dev.tuna.provider.support;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/** Gathers a body up to a bound; a larger one is cut off and reported. For one exchange; thread-safe. */
final class BoundedBody implements BodySubscriber<byte[]> {

    private final long maxBytes;
    private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private volatile Flow.@Nullable Subscription subscription;

    BoundedBody(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    @Override
    public CompletionStage<byte[]> getBody() {
        return whole;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        this.subscription = subscription;
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        for (ByteBuffer buffer : buffers) {
            if (received.size() + (long) buffer.remaining() > maxBytes) {
                cancel();
                return;
            }
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            received.writeBytes(bytes);
        }
    }

    @Override
    public void onError(Throwable failure) {
        whole.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        whole.complete(received.toByteArray());
    }

    /** How much has come; negative before the answer's head. */
    int size() {
        return subscription == null ? -1 : received.size();
    }

    /** What has come so far is all that is wanted. */
    void finish() {
        whole.complete(received.toByteArray());
        hangUp();
    }

    private void cancel() {
        whole.completeExceptionally(new TooLarge(maxBytes));
        hangUp();
    }

    /** To be called when the body is decided: from JDK 25 on, whoever hangs up earlier is told that the server did. */
    private void hangUp() {
        Flow.Subscription open = subscription;
        if (open != null) {
            open.cancel();
        }
    }

    /** The answer is larger than the caller is ready to hold. */
    static final class TooLarge extends IOException {
        TooLarge(long maxBytes) {
            super("the answer is larger than " + maxBytes + " bytes");
        }
    }
}
