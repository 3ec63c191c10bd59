package dev.tuna.testkit.cloud;

import dev.tuna.testkit.cloud.model.CloudJson;
import dev.tuna.testkit.cloud.model.CloudRefusal;
import dev.tuna.testkit.cloud.model.CloudScript;
import dev.tuna.testkit.cloud.model.CloudSnapshot;
import dev.tuna.testkit.cloud.model.ScriptStep;
import dev.tuna.testkit.cloud.model.ScriptStep.Action;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Scripts a cloud in another process. With the plainest client there is: it leaves no thread behind. Thread-safe. */
final class ScriptClient implements CloudScript {

    private static final int TIMEOUT_MILLIS = 30_000;

    private final URI cloud;

    ScriptClient(URI cloud) {
        this.cloud = cloud;
    }

    @Override
    public void setPrice(String pool, BigDecimal usdPerHour) {
        send(Action.PRICE, pool, usdPerHour);
    }

    @Override
    public void setCapacity(String pool, int machines) {
        send(Action.CAPACITY, pool, machines);
    }

    @Override
    public void setBootDelay(String pool, Duration delay) {
        send(Action.BOOT_DELAY, pool, delay);
    }

    @Override
    public void failBoots(String where, int times) {
        send(Action.FAIL_BOOTS, where, times);
    }

    @Override
    public void setServerlessPrice(String gpu, BigDecimal usdPerGpuHour) {
        send(Action.SERVERLESS_PRICE, gpu, usdPerGpuHour);
    }

    @Override
    public void setColdStart(Duration delay) {
        send(Action.COLD_START, "", delay);
    }

    @Override
    public void interrupt(String replica, Duration notice) {
        send(Action.INTERRUPT, replica, notice);
    }

    @Override
    public void recommendRebalance(String replica) {
        send(Action.RECOMMEND_REBALANCE, replica, "");
    }

    @Override
    public void lose(String id) {
        send(Action.LOSE, id, "");
    }

    @Override
    public CloudSnapshot snapshot() {
        return CloudJson.read(call("GET", "/v1/state", ""), CloudSnapshot.class);
    }

    private void send(Action action, String target, Object value) {
        call("POST", "/v1/script", CloudJson.write(new ScriptStep(action, target, value.toString())));
    }

    private String call(String method, String path, String body) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) cloud.resolve(path).toURL().openConnection();
            connection.setConnectTimeout(TIMEOUT_MILLIS);
            connection.setReadTimeout(TIMEOUT_MILLIS);
            connection.setRequestMethod(method);
            connection.setRequestProperty("Connection", "close");
            if (!body.isEmpty()) {
                connection.setDoOutput(true);
                connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
            }
            int status = connection.getResponseCode();
            try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
                String answer = in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
                if (status >= 400) {
                    throw new CloudRefusal(status, "refused", answer, status >= 500);
                }
                return answer;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the local cloud at " + cloud + " does not answer", e);
        }
    }
}
