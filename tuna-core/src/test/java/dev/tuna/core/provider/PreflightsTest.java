package dev.tuna.core.provider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.ProviderException;
import dev.tuna.api.ProviderNotFoundException;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.spi.ReplicaSpec;
import dev.tuna.spi.ServerlessSpec;
import dev.tuna.testkit.time.VirtualTime;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PreflightsTest {

    private static final Check GOOD = Check.passed("api_key", "is set");
    private static final Check BAD = Check.failed("quota", "is 0", "https://quota");

    @TempDir
    Path directory;

    @Test
    void aReportPassesThrough() {
        Preflights preflights = preflights(
                List.of(serverless("alpha", () -> new PreflightReport("alpha", List.of(GOOD, BAD)))), List.of());

        PreflightReport report = preflights.check("alpha", Map.of());

        assertThat(report).isEqualTo(new PreflightReport("alpha", List.of(GOOD, BAD)));
        assertThat(report.passed()).isFalse();
    }

    @Test
    void checksForASmallModelOnOneL4AndMendsNothing() {
        var asked = new ArrayList<ServerlessSpec>();
        var mended = new ArrayList<Boolean>();
        var provider = new FakeServerless("alpha", context -> new FakeServerless.Cloud() {
            @Override
            public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
                asked.add(spec);
                mended.add(fix);
                return new PreflightReport("alpha", List.of());
            }
        });
        Preflights preflights = preflights(List.of(provider), List.of());

        preflights.check("alpha", Map.of("region", "eu"));

        assertThat(asked.get(0).engine().gpu()).isEqualTo("L4");
        assertThat(asked.get(0).engine().gpuCount()).isEqualTo(1);
        assertThat(asked.get(0).options()).isEqualTo(Map.of("region", "eu"));
        assertThat(mended).containsExactly(false);

        preflights.check("alpha", "H100", Map.of(), true);

        assertThat(asked.get(1).engine().gpu()).isEqualTo("H100");
        assertThat(mended).containsExactly(false, true);
    }

    @Test
    void aNameOfBothKindsIsCheckedForBoth() {
        var spot = new FakeSpot("alpha", context -> new FakeSpot.Cloud() {
            @Override
            public PreflightReport preflight(ReplicaSpec spec, boolean fix) {
                return new PreflightReport("alpha", List.of(BAD));
            }
        });
        var serverless = serverless("alpha", () -> new PreflightReport("alpha", List.of(GOOD)));

        assertThat(preflights(List.of(serverless), List.of(spot))
                        .check("alpha", Map.of())
                        .checks())
                .containsExactly(GOOD, BAD);
    }

    @Test
    void anUnknownProviderIsToldWithTheArtifactToAdd() {
        Preflights preflights = preflights(List.of(), List.of());

        assertThatThrownBy(() -> preflights.check("modal", Map.of()))
                .isInstanceOf(ProviderNotFoundException.class)
                .hasMessageContaining("dev.tuna:tuna-provider-modal");
    }

    static Stream<Arguments> failures() {
        return Stream.of(
                Arguments.of(refusal(ErrorCode.UNREACHABLE), "reachable"),
                Arguments.of(refusal(ErrorCode.CREDENTIALS), "credentials"),
                Arguments.of(refusal(ErrorCode.QUOTA), "capacity"),
                Arguments.of(refusal(ErrorCode.PROVIDER_REFUSED), "preflight"),
                Arguments.of(new IllegalStateException("it is odd"), "preflight"));
    }

    private static ProviderException refusal(ErrorCode code) {
        return ProviderException.of("alpha", "read account")
                .code(code)
                .message("it is odd")
                .build();
    }

    @ParameterizedTest
    @MethodSource("failures")
    void aProviderThatFailsGivesAFailedCheck(RuntimeException failure, String name) {
        Preflights preflights = preflights(
                List.of(serverless("alpha", () -> {
                    throw failure;
                })),
                List.of());

        PreflightReport report = preflights.check("alpha", Map.of());

        assertThat(report.passed()).isFalse();
        assertThat(report.checks()).singleElement().satisfies(check -> {
            assertThat(check.name()).isEqualTo(name);
            assertThat(check.message()).contains("alpha", "it is odd");
        });
    }

    @Test
    void aPluginThatCannotBeOpenedGivesAFailedCheck() {
        var broken = new FakeServerless("alpha", context -> {
            throw new IllegalStateException("no native library");
        });

        assertThat(preflights(List.of(broken), List.of())
                        .check("alpha", Map.of())
                        .checks())
                .singleElement()
                .satisfies(check -> assertThat(check.message()).contains("no native library"));
    }

    private static FakeServerless serverless(String name, Supplier<PreflightReport> report) {
        return new FakeServerless(name, context -> new FakeServerless.Cloud() {
            @Override
            public PreflightReport preflight(ServerlessSpec spec, boolean fix) {
                return report.get();
            }
        });
    }

    private Preflights preflights(List<FakeServerless> serverless, List<FakeSpot> spot) {
        return new Preflights(new Clouds(
                ProviderCatalog.of(serverless, spot),
                Map.of(),
                new InMemoryStateStore("owner"),
                new FileSecretStore(directory),
                HttpClient.newHttpClient(),
                VirtualTime.create()));
    }
}
