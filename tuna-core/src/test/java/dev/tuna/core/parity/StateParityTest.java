package dev.tuna.core.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.DeploymentPhase;
import dev.tuna.api.DeploymentStatus;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.Orphan;
import dev.tuna.api.Secret;
import dev.tuna.api.SecretRef;
import dev.tuna.api.StoreException;
import dev.tuna.core.Tuna;
import dev.tuna.core.TunaBuilder;
import dev.tuna.core.control.ControlTimings;
import dev.tuna.testkit.cloud.LocalCloud;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept in the state directory and what is made outside, with a cloud in this JVM. */
class StateParityTest {

    private static final ControlTimings FAST = ControlTimings.DEFAULT.toBuilder()
            .observeInterval(Duration.ofMillis(200))
            .busyInterval(Duration.ofMillis(50))
            .probeInterval(Duration.ofMillis(50))
            .build();

    @TempDir
    private Path directory;

    @SuppressWarnings("NullAway.Init")
    private LocalCloud cloud;

    @BeforeEach
    void startCloud() {
        cloud = LocalCloud.builder().startInProcess();
    }

    @AfterEach
    void closeCloud() {
        cloud.close();
    }

    private TunaBuilder tuna(String name) {
        return Tuna.builder()
                .stateDirectory(directory.resolve(name))
                .listen("127.0.0.1", 0)
                .timings(FAST)
                .providerSettings("local", cloud.settings())
                .providerSettings("local-spot", cloud.settings());
    }

    private static DeployRequest.Builder request(String model) {
        return DeployRequest.builder(model, "L4").serviceName("chat").serverlessOnly(true);
    }

    private static void ready(Deployment deployment) throws Exception {
        assertThat(deployment.ready().get(60, TimeUnit.SECONDS)).isEqualTo(deployment);
    }

    @Test
    @DisplayName("D-01: a deployment is stored whole, in a file whose schema has a version")
    void isStoredWhole() throws Exception {
        DeployRequest asked = request("org/model").maxModelLen(2048).build();
        try (Tuna first = tuna("a").start()) {
            ready(first.deploy(asked));
        }
        assertThat(version()).isPositive();
        try (Tuna second = tuna("a").start()) {
            Deployment again = second.deployment("chat").orElseThrow();
            assertThat(again.request()).isEqualTo(asked);
            assertThat(again.status().backends()).hasSize(1);
            second.destroyAll().get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    @DisplayName("D-01: a file of a later version is refused and left as it is")
    void refusesALaterVersion() throws Exception {
        tuna("a").start().close();
        sql("INSERT INTO schema_version VALUES (1000, 0)");
        byte[] before = Files.readAllBytes(directory.resolve("a/state.db"));

        assertThatThrownBy(() -> tuna("a").start())
                .isInstanceOfSatisfying(
                        StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_TOO_NEW))
                .hasMessageContaining("state.db")
                .hasMessageContaining("1000")
                .hasMessageContaining("later one");
        assertThat(Files.readAllBytes(directory.resolve("a/state.db"))).isEqualTo(before);

        sql("DELETE FROM schema_version WHERE version = 1000");
        tuna("a").start().close();
    }

    private int version() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            return statement
                    .executeQuery("SELECT max(version) FROM schema_version")
                    .getInt(1);
        }
    }

    private void sql(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("a/state.db"));
    }

    @Test
    @DisplayName(
            "D-02 F-14: a live name cannot be deployed over; once it is over, its record stays beside its successor's")
    void losesNoRecord() throws Exception {
        try (Tuna tuna = tuna("a").start()) {
            Deployment first = tuna.deploy(request("org/one").build());
            ready(first);
            assertThatThrownBy(() -> tuna.deploy(request("org/two").build()))
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.NAME_TAKEN));
            assertThat(tuna.deployment("chat").orElseThrow().request().model()).isEqualTo("org/one");
            first.destroy().get(60, TimeUnit.SECONDS);

            Deployment second = tuna.deploy(request("org/two").build());
            ready(second);
            second.destroy().get(60, TimeUnit.SECONDS);

            assertThat(tuna.history(10)).extracting(DeploymentStatus::name).containsExactly("chat", "chat");
            assertThat(cloud.snapshot().empty()).isTrue();
        }
    }

    @Test
    @DisplayName("D-03 C-07: a deployment that fails is FAILED, also after a restart")
    void writesFailed() throws Exception {
        DeployRequest failing = request("org/model")
                .secrets(Map.of("HF_TOKEN", new SecretRef("missing")))
                .build();
        try (Tuna tuna = tuna("a").start()) {
            assertThat(tuna.deploy(failing).ready())
                    .failsWithin(60, TimeUnit.SECONDS)
                    .withThrowableThat()
                    .withMessageContaining("missing");
        }
        try (Tuna tuna = tuna("a").start()) {
            assertThat(tuna.deployments()).isEmpty();
            assertThat(tuna.history(10))
                    .singleElement()
                    .satisfies(ended -> assertThat(ended.phase()).isEqualTo(DeploymentPhase.FAILED))
                    .satisfies(ended -> assertThat(ended.problems()).isNotEmpty());
        }
    }

    @Test
    @DisplayName("D-04: of two deploys of one name at once exactly one is accepted")
    void acceptsOneOfTwo() throws Exception {
        try (Tuna tuna = tuna("a").start()) {
            Supplier<String> deploy = () -> {
                try {
                    return tuna.deploy(request("org/model").build()).name();
                } catch (ConfigurationException e) {
                    return e.code().name();
                }
            };
            List<CompletableFuture<String>> both = Stream.generate(() -> CompletableFuture.supplyAsync(deploy))
                    .limit(2)
                    .toList();
            assertThat(both.stream().map(CompletableFuture::join))
                    .containsExactlyInAnyOrder("chat", ErrorCode.NAME_TAKEN.name());
            tuna.destroyAll().get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    @DisplayName("D-05 W-05: what an installation that lost its state has made is found in the cloud by its labels")
    void isFoundAgain() throws Exception {
        try (Tuna lost = tuna("lost").start()) {
            ready(lost.deploy(request("org/model").build()));
            try (Tuna fresh = tuna("fresh").start()) {
                List<Orphan> found = fresh.orphans().found();
                assertThat(found).isNotEmpty().allSatisfy(orphan -> {
                    assertThat(orphan.deployment()).isEqualTo("chat");
                    assertThat(orphan.owner()).isNotEmpty();
                    assertThat(orphan.ours())
                            .as("another installation's, so nobody touches it")
                            .isFalse();
                });
                assertThat(lost.orphans().found())
                        .as("its own maker accounts for it")
                        .isEmpty();
            }
            lost.destroyAll().get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    @DisplayName("W-01: the directory is open to its owner only, and so is every file in it")
    void isOpenToItsOwnerOnly() throws Exception {
        try (Tuna tuna = tuna("a").start()) {
            ready(tuna.deploy(request("org/model").build()));
            assertThat(modes(directory.resolve("a"), 0)).containsExactly("rwx------");
            assertThat(names(directory.resolve("a")))
                    .contains("state.db", "state.db-wal", "state.db-shm", "secrets.json", "control.json", "lock");
            assertThat(modes(directory.resolve("a"), 1)).containsExactly("rw-------");
            tuna.destroyAll().get(60, TimeUnit.SECONDS);
        }
        assertThat(names(directory.resolve("a")))
                .as("what is left when it has closed")
                .containsExactlyInAnyOrder("state.db", "secrets.json", "secrets.lock", "lock");
    }

    private static Set<String> names(Path directory) throws IOException {
        var names = new HashSet<String>();
        try (Stream<Path> files = Files.list(directory)) {
            files.forEach(file -> names.add(file.getFileName().toString()));
        }
        return names;
    }

    /** The distinct modes of a directory, or of what is in it. */
    private static Set<String> modes(Path directory, int depth) throws IOException {
        var modes = new HashSet<String>();
        try (Stream<Path> files = Files.walk(directory, depth)) {
            for (Path file :
                    files.filter(each -> depth == 0 || !each.equals(directory)).toList()) {
                modes.add(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
            }
        }
        return modes;
    }

    @Test
    @DisplayName(
            "W-03 W-04 O-23: two installations have nothing in common, and a destroy leaves neither key nor machine behind")
    void leavesNothingAndSharesNothing() throws Exception {
        try (Tuna left = tuna("left").start();
                Tuna right = tuna("right").start()) {
            Deployment one = left.deploy(request("org/model").build());
            Deployment two = right.deploy(request("org/model").build());
            ready(one);
            ready(two);
            Secret key = two.apiKey().orElseThrow();
            assertThat(one.apiKey()).isPresent().isNotEqualTo(two.apiKey());
            assertThat(left.adminKey()).isNotEqualTo(right.adminKey());

            left.destroyAll().get(60, TimeUnit.SECONDS);
            assertThat(cloud.snapshot().endpoints())
                    .filteredOn(endpoint -> endpoint.endedAt().isEmpty())
                    .as("the other one's")
                    .hasSize(1);
            assertThat(right.deployment("chat").orElseThrow().apiKey()).contains(key);
            right.destroyAll().get(60, TimeUnit.SECONDS);
        }
        assertThat(cloud.snapshot().empty()).isTrue();
        assertThat(Files.readString(directory.resolve("right/secrets.json")))
                .contains("admin-key")
                .doesNotContain("chat");
    }
}
