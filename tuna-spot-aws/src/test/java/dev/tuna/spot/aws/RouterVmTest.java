package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterVmObservation;
import dev.tuna.testkit.machine.MachineSandbox;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Machines of routers as core has them, with the real boot script and agent on machines of the stand-in. */
class RouterVmTest {

    @TempDir
    private Path directory;

    @BeforeEach
    void machinesCanBeRunHere() {
        assumeTrue(
                MachineSandbox.missing().isEmpty(),
                () -> MachineSandbox.missing().orElse(""));
    }

    @Test
    void runsTheJarWithWhatItWasBroughtAndIsReachedThroughItsAgent() throws Exception {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            BackendAddress control = rig.ready(vm);
            assertThat(RouterRig.ask(control, "/echo", "hello").body()).isEqualTo("hello");
            List<String> environment =
                    RouterRig.ask(control, "/environment", "").body().lines().toList();
            assertThat(environment)
                    .contains("PROVIDER_KEY=" + RouterRig.KEY.reveal(), "TUNA_LISTENER_PORT=18443")
                    .anyMatch(line -> line.startsWith("TUNA_DIR="))
                    .anyMatch(line -> line.startsWith("TUNA_RUN="));
            assertThat(rig.sandbox(vm).commands()).contains("dnf install -y -q java-17-amazon-corretto-headless");
            RouterVmObservation seen = rig.routers().observe(vm, RouterRig.NAME);
            String address =
                    rig.aws().cloud().instances().get(0).publicAddress().orElseThrow();
            assertThat(seen.endpoint()).contains(URI.create("https://" + address + ":18443"));
            assertThat(seen.launchedAt()).isPresent();
            assertThat(seen.usdPerHour())
                    .hasValueSatisfying(usd -> assertThat(usd).isEqualByComparingTo("0.02799"));
        }
    }

    @Test
    void streamsGoOnForHoursAsLongAsTheyHaveSomethingToSay() throws Exception {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            BackendAddress control = rig.ready(vm);
            HttpResponse<java.io.InputStream> stream = RouterRig.stream(control);
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.US_ASCII))) {
                assertThat(lines.readLine()).isEqualTo("beat 0 of 1");
                RouterRig.ask(control, "/needed", "");
                rig.sandbox(vm).pass(Duration.ofHours(12));
                for (int beat = 1; beat < 20; beat++) {
                    assertThat(lines.readLine()).isEqualTo("beat " + beat + " of 1");
                }
                RouterRig.ask(control, "/finish", "");
                assertThat(lines.lines()).last().isEqualTo("end");
            }
        }
    }

    @Test
    void aCrashIsMended() {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            BackendAddress control = rig.ready(vm);
            String before = RouterRig.version(control);
            assertThat(RouterRig.ask(control, "/crash", "").statusCode()).isEqualTo(502);
            assertThat(RouterRig.version(control)).startsWith("1 ").isNotEqualTo(before);
            assertThat(rig.ready(vm)).isEqualTo(control);
        }
    }

    @Test
    void anUpgradeFinishesStreams() throws Exception {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            BackendAddress control = rig.ready(vm);
            HttpResponse<java.io.InputStream> stream = RouterRig.stream(control);
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.US_ASCII))) {
                assertThat(lines.readLine()).isEqualTo("beat 0 of 1");
                String old = RouterRig.version(control);
                URI next = rig.routers().deliver(rig.spec(rig.jar("2")));
                assertThat(RouterRig.ask(control, "/next", next.toString()).statusCode())
                        .isEqualTo(200);
                RouterRig.until(() -> RouterRig.version(control), version -> version.startsWith("2 "), () -> "");
                for (int beat = 1; beat < 10; beat++) {
                    assertThat(lines.readLine()).isEqualTo("beat " + beat + " of 1");
                }
                long process = Long.parseLong(old.substring(2));
                assertThat(ProcessHandle.of(process)).isPresent();
            }
            // With its last stream it ends, and is not started again.
            long gone = rig.sandbox(vm).processes().size();
            RouterRig.until(() -> (long) rig.sandbox(vm).processes().size(), now -> now < gone, () -> "");
            assertThat(RouterRig.version(control)).startsWith("2 ");
        }
    }

    @Test
    void aRebootNeedsNobody() {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            BackendAddress control = rig.ready(vm);
            String certificate = RouterRig.ask(control, "/listener", "").body();
            rig.context().secrets().remove(dev.tuna.spi.RouterCloud.environment(RouterRig.NAME));
            rig.sandbox(vm).reboot();
            assertThat(RouterRig.until(
                                    () -> {
                                        try {
                                            return RouterRig.ask(control, "/environment", "")
                                                    .body();
                                        } catch (java.io.UncheckedIOException e) {
                                            return "";
                                        }
                                    },
                                    answer -> answer.contains("PROVIDER_KEY"),
                                    () -> rig.sandbox(vm).text("var/lib/tuna/run.log"))
                            .lines())
                    .contains("PROVIDER_KEY=" + RouterRig.KEY.reveal());
            assertThat(RouterRig.ask(control, "/listener", "").body()).isEqualTo(certificate);
            assertThat(rig.ready(vm)).isEqualTo(control);
        }
    }

    @Test
    void aMachineThatLooksAfterNothingEndsItselfWhenNobodySpeaksToIt() {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            BackendAddress control = rig.ready(vm);
            RouterRig.ask(control, "/needed", "");
            rig.sandbox(vm).pass(RouterRig.ORPHAN.multipliedBy(100));
            RouterRig.until(
                    () -> rig.sandbox(vm).text("run/tuna/contact"),
                    contact -> !contact.isEmpty() && Double.parseDouble(contact) > RouterRig.ORPHAN.toSeconds() * 100,
                    () -> "");
            assertThat(rig.sandbox(vm).isOff()).isFalse();
            RouterRig.ask(control, "/not-needed", "");
            rig.sandbox(vm).pass(RouterRig.ORPHAN.plusMinutes(1));
            RouterVmObservation gone = rig.await(rig.routers(), vm, seen -> seen.phase() == BackendPhase.GONE);
            assertThat(gone.detail()).contains("it shut itself down");
        }
    }
}
