package dev.tuna.testkit.cloud.process;

import static dev.tuna.testkit.cloud.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.testkit.cloud.model.CloudJson;
import dev.tuna.testkit.cloud.model.CloudSettings;
import dev.tuna.testkit.cloud.model.LaunchRequest;
import dev.tuna.testkit.cloud.plugin.Specs;
import dev.tuna.testkit.crash.CallerDeath;
import dev.tuna.testkit.crash.CallerDeath.Moment;
import dev.tuna.testkit.crash.CallerFaults;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A caller dies before the cloud has acted on its call, before it has the answer, or just after. */
class CallerFaultsTest {

    private final AtomicInteger deaths = new AtomicInteger();

    private CloudHost cloud(Moment moment) {
        CallerFaults faults = call -> call.equals("POST /v1/replicas")
                ? Optional.of(new CallerDeath(moment, deaths::incrementAndGet))
                : Optional.empty();
        return CloudHost.start("127.0.0.1", 0, CloudSettings.DEFAULT, new InJvmMachines(List.of()), "", faults);
    }

    private static int launch(CloudHost cloud) throws IOException, InterruptedException {
        var request = new LaunchRequest(
                "token",
                "owner",
                "chat",
                List.of("local-1a/l4-1/SPOT"),
                Specs.engine(),
                Duration.ofMinutes(1),
                Optional.empty(),
                Map.of());
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(cloud.uri().resolve("/v1/replicas"))
                                .POST(HttpRequest.BodyPublishers.ofString(CloudJson.write(request)))
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    @Test
    void nothingIsDoneForACallerThatDiesBeforehand() {
        try (CloudHost cloud = cloud(Moment.BEFORE_ACTING)) {
            assertThatThrownBy(() -> launch(cloud)).isInstanceOf(IOException.class);
            assertThat(deaths).hasPositiveValue();
            assertThat(cloud.model().replicas()).isEmpty();
        }
    }

    @Test
    void theAnswerIsLostWithACallerThatDiesInBetween() {
        try (CloudHost cloud = cloud(Moment.BEFORE_ANSWERING)) {
            assertThatThrownBy(() -> launch(cloud)).isInstanceOf(IOException.class);
            assertThat(deaths).hasPositiveValue();
            assertThat(cloud.model().replicas()).hasSize(1);
        }
    }

    @Test
    void theAnswerComesBeforeTheDeath() throws Exception {
        try (CloudHost cloud = cloud(Moment.AFTER_ANSWERING)) {
            assertThat(launch(cloud)).isEqualTo(200);
            eventually("the death", () -> deaths.get() == 1);
            assertThat(cloud.model().replicas()).hasSize(1);
        }
    }
}
