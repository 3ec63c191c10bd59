package dev.tuna.core.provider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.StoreException;
import dev.tuna.api.Tier;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.core.store.SqliteStateStore;
import dev.tuna.spi.DeploymentRecord;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.StateChange;
import dev.tuna.spi.StateStore;
import dev.tuna.testkit.time.VirtualTime;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreJournalTest {

    private static final ResourceRef TEMPLATE = new ResourceRef("alpha", "template", "tuna-chat");

    private final VirtualTime time = VirtualTime.create();
    private final InMemoryStateStore store = new InMemoryStateStore("owner");
    private final StoreJournal journal = new StoreJournal("alpha", store, time);

    @Test
    void anIntentIsInTheStoreWhenTheCallReturns() {
        deploy("d1", "chat", DeploymentPhase.ACTIVE);

        journal.intend("chat", TEMPLATE, "{\"image\":\"x\"}");

        assertThat(store.load().resources())
                .containsExactly(new ResourceRecord(
                        "d1/alpha/template/tuna-chat",
                        "d1",
                        "alpha",
                        Optional.empty(),
                        ResourceRecord.State.INTENDED,
                        Optional.of(TEMPLATE),
                        "{\"image\":\"x\"}",
                        "{}",
                        time.instant(),
                        time.instant()));
    }

    @Test
    void anIntentSurvivesTheProcess(@TempDir Path directory) {
        try (StateStore first = SqliteStateStore.open(directory, time)) {
            first.save(StateChange.of(deployment("d1", "chat", DeploymentPhase.ACTIVE)));
            new StoreJournal("alpha", first, time).intend("chat", TEMPLATE, "{}");
        }
        try (StateStore second = SqliteStateStore.open(directory, time)) {
            assertThat(new StoreJournal("alpha", second, time).open("chat")).containsExactly(TEMPLATE);
        }
    }

    @Test
    void declaringAgainKeepsOneRecordWithItsPlaceAndTheNewBody() {
        deploy("d1", "chat", DeploymentPhase.ACTIVE);
        Instant start = time.instant();
        ResourceRef other = new ResourceRef("alpha", "key", "tuna-chat");
        journal.intend("chat", TEMPLATE, "1");
        journal.intend("chat", other, "2");
        time.advance(Duration.ofMinutes(1));
        journal.intend("chat", TEMPLATE, "3");

        assertThat(journal.open("chat")).containsExactly(TEMPLATE, other);
        assertThat(store.load().resources()).first().satisfies(record -> {
            assertThat(record.plan()).isEqualTo("3");
            assertThat(record.createdAt()).isEqualTo(start);
            assertThat(record.updatedAt()).isEqualTo(start.plusSeconds(60));
        });
    }

    @Test
    void whatIsGoneIsOpenNoMoreAndCanBeDeclaredAgain() {
        deploy("d1", "chat", DeploymentPhase.ACTIVE);
        journal.intend("chat", TEMPLATE, "{}");

        journal.gone(TEMPLATE);
        journal.gone(TEMPLATE);
        assertThat(journal.open("chat")).isEmpty();
        assertThat(store.load().resources()).isEmpty();

        journal.intend("chat", TEMPLATE, "{}");
        assertThat(journal.open("chat")).containsExactly(TEMPLATE);
    }

    @Test
    void whatWasNeverDeclaredMayBeGone() {
        journal.gone(TEMPLATE);

        assertThat(store.load().resources()).isEmpty();
    }

    @Test
    void aNameUsedAgainDoesNotMixTwoDeployments() {
        deploy("d1", "chat", DeploymentPhase.ACTIVE);
        journal.intend("chat", TEMPLATE, "1");
        deploy("d1", "chat", DeploymentPhase.DESTROYED);
        deploy("d2", "chat", DeploymentPhase.ACTIVE);

        assertThat(journal.open("chat")).isEmpty();
        journal.intend("chat", TEMPLATE, "2");
        assertThat(store.load().resources())
                .extracting(ResourceRecord::deploymentId)
                .containsExactly("d1", "d2");
    }

    @Test
    void aDeploymentThatIsBeingDestroyedStillHasItsJournal() {
        deploy("d1", "chat", DeploymentPhase.ACTIVE);
        journal.intend("chat", TEMPLATE, "1");
        deploy("d1", "chat", DeploymentPhase.DESTROYING);

        assertThat(journal.open("chat")).containsExactly(TEMPLATE);
    }

    @Test
    void showsNeitherOtherProvidersResourcesNorMachines() {
        deploy("d1", "chat", DeploymentPhase.ACTIVE);
        new StoreJournal("beta", store, time).intend("chat", new ResourceRef("beta", "template", "t"), "{}");
        store.save(StateChange.of(new ResourceRecord(
                "main",
                "d1",
                "alpha",
                Optional.of(Tier.SERVERLESS),
                ResourceRecord.State.LIVE,
                Optional.of(new ResourceRef("alpha", "endpoint", "tuna-chat")),
                "{}",
                "{}",
                time.instant(),
                time.instant())));

        assertThat(journal.open("chat")).isEmpty();
    }

    @Test
    void anIntentForNoDeploymentIsRefusedAndNothingStored() {
        assertThatThrownBy(() -> journal.intend("chat", TEMPLATE, "{}"))
                .isInstanceOfSatisfying(
                        ConfigurationException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NO_SUCH_DEPLOYMENT))
                .hasMessageContaining("'chat'")
                .hasMessageContaining(TEMPLATE.toString());
        assertThat(journal.open("chat")).isEmpty();
        assertThat(store.load().resources()).isEmpty();
    }

    @Test
    void anotherProvidersResourceIsRefused() {
        deploy("d1", "chat", DeploymentPhase.ACTIVE);

        assertThatThrownBy(() -> journal.intend("chat", new ResourceRef("beta", "template", "t"), "{}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("beta/template/t");
    }

    @Test
    void anIntentThatCannotBeStoredFails() {
        deploy("d1", "chat", DeploymentPhase.ACTIVE);
        store.close();

        assertThatThrownBy(() -> journal.intend("chat", TEMPLATE, "{}")).isInstanceOf(StoreException.class);
    }

    @Test
    void keysOfDifferentResourcesDiffer() {
        assertThat(StoreJournal.key("d", new ResourceRef("p", "a/b", "c")))
                .isNotEqualTo(StoreJournal.key("d", new ResourceRef("p", "a", "b/c")));
        assertThat(StoreJournal.key("d", new ResourceRef("p", "a%2Fb", "c")))
                .isNotEqualTo(StoreJournal.key("d", new ResourceRef("p", "a/b", "c")));
    }

    @Test
    void losesNothingWhenManyThreadsDeclareAndEnd() throws Exception {
        deploy("d1", "chat", DeploymentPhase.ACTIVE);
        int threads = 8;
        int each = 50;
        var gate = new CountDownLatch(1);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            var running = new ArrayList<Future<?>>();
            for (int thread = 0; thread < threads; thread++) {
                int number = thread;
                running.add(pool.submit(() -> {
                    gate.await();
                    for (int i = 0; i < each; i++) {
                        ResourceRef resource = resource(number, i);
                        journal.intend("chat", resource, "{}");
                        if (i % 2 == 1) {
                            journal.gone(resource);
                        }
                    }
                    return number;
                }));
            }
            gate.countDown();
            for (Future<?> future : running) {
                future.get(60, TimeUnit.SECONDS);
            }
        } finally {
            pool.shutdownNow();
        }

        List<ResourceRef> expected = IntStream.range(0, threads)
                .boxed()
                .flatMap(thread ->
                        IntStream.range(0, each).filter(i -> i % 2 == 0).mapToObj(i -> resource(thread, i)))
                .toList();
        assertThat(journal.open("chat")).containsExactlyInAnyOrderElementsOf(expected);
    }

    private static ResourceRef resource(int thread, int number) {
        return new ResourceRef("alpha", "key", thread + "-" + number);
    }

    private void deploy(String id, String name, DeploymentPhase phase) {
        store.save(StateChange.of(deployment(id, name, phase)));
    }

    private DeploymentRecord deployment(String id, String name, DeploymentPhase phase) {
        return new DeploymentRecord(id, name, phase, "{}", "{}", time.instant(), time.instant());
    }
}
