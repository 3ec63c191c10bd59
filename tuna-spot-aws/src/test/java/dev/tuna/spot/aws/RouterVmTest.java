package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tuna.api.BackendPhase;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmObservation;
import dev.tuna.spi.RouterVmPlan;
import dev.tuna.spi.SpotCloud;
import dev.tuna.testkit.contract.ContractContext;
import dev.tuna.testkit.machine.LiveFiles;
import dev.tuna.testkit.machine.MachineSandbox;
import dev.tuna.testkit.secret.SecretSearch;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
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
            HttpResponse<InputStream> stream = RouterRig.stream(control);
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
            HttpResponse<InputStream> stream = RouterRig.stream(control);
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.US_ASCII))) {
                assertThat(lines.readLine()).isEqualTo("beat 0 of 1");
                String old = RouterRig.version(control);
                URI next = rig.delivered(rig.jar("2"));
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
    void anUpgradeThatDoesNotRunIsTakenBackHoweverLongItWaitedFirst() {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            BackendAddress control = rig.ready(vm);
            String before = RouterRig.version(control);
            URI next = rig.delivered(rig.jar("late"));
            RouterRig.ask(control, "/next", next.toString());
            RouterRig.until(
                    () -> RouterRig.version(control),
                    version -> version.startsWith("1 ") && !version.equals(before),
                    () -> rig.sandbox(vm).text("var/lib/tuna/run.log"));
            assertThat(rig.sandbox(vm).text("var/lib/tuna/run.log"))
                    .contains("it is broken , and the upgrade is taken back");
        }
    }

    @Test
    void aRebootNeedsNobody() {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            BackendAddress control = rig.ready(vm);
            String certificate = RouterRig.ask(control, "/listener", "").body();
            rig.context().secrets().remove(RouterCloud.environment(RouterRig.NAME));
            rig.sandbox(vm).reboot();
            assertThat(RouterRig.until(
                                    () -> {
                                        try {
                                            return RouterRig.ask(control, "/environment", "")
                                                    .body();
                                        } catch (UncheckedIOException e) {
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

    @Test
    void whoHasNothingKeptFindsItTalksToItAndRemovesIt() {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            rig.ready(vm);
            assertThat(rig.aws().cloud().parameters())
                    .containsExactly("us-east-1/tuna/" + rig.context().ownerId() + "/router-vm/front");
            ContractContext elsewhere = rig.elsewhere();
            try (SpotCloud cloud = new AwsProvider().open(elsewhere)) {
                RouterCloud routers = cloud.routers().orElseThrow();
                FoundRouterVm found = routers.find().get(0);
                assertThat(found)
                        .isEqualTo(new FoundRouterVm(
                                vm, RouterRig.NAME, rig.context().ownerId()));
                BackendAddress control = rig.await(
                                routers, found.resource(), seen -> seen.phase() == BackendPhase.READY)
                        .control()
                        .orElseThrow();
                assertThat(RouterRig.ask(control, "/echo", "from elsewhere").body())
                        .isEqualTo("from elsewhere");
                assertThat(rig.aws().cloud().exchanges())
                        .as("let in from its own address too")
                        .anyMatch(exchange -> exchange.request().body().contains("AuthorizeSecurityGroupIngress")
                                && exchange.request().body().contains("127.0.0.1%2F32"));
                assertThat(elsewhere.secrets().refs())
                        .noneMatch(ref -> ref.name().contains("router-vm"));
                routers.terminate(found.resource());
                rig.await(routers, found.resource(), seen -> seen.phase() == BackendPhase.GONE);
                routers.cleanUp(found);
                assertThat(rig.aws().cloud().things()).isEmpty();
                assertThat(routers.find()).isEmpty();
            }
            rig.routers()
                    .cleanUp(new FoundRouterVm(vm, RouterRig.NAME, rig.context().ownerId()));
            assertThat(rig.context().journal().open(RouterCloud.journal(RouterRig.NAME)))
                    .isEmpty();
        }
    }

    @Test
    void withoutItsParameterItCannotBeTalkedToFromElsewhereAndSaysSo() {
        try (RouterRig rig = new RouterRig(directory)) {
            RouterVmPlan plan = rig.routers().plan(rig.spec(rig.jar("1")), "front-1");
            ResourceRef vm = rig.routers().launch(plan);
            RouterVmObservation waiting =
                    rig.await(rig.routers(), vm, seen -> seen.detail().contains("router-vm/front/environment"));
            assertThat(waiting.phase()).isEqualTo(BackendPhase.BOOTING);
            try (SpotCloud cloud = new AwsProvider().open(rig.elsewhere())) {
                assertThat(cloud.routers()
                                .orElseThrow()
                                .observe(vm, RouterRig.NAME)
                                .detail())
                        .contains("neither in the secret store nor in parameter /tuna/");
            }
            rig.bringEnvironment();
            rig.ready(vm);
        }
    }

    @Test
    void aJarThatWasExchangedOnTheWayIsNotRun() {
        try (RouterRig rig = new RouterRig(directory)) {
            RouterJar jar = rig.jar("1");
            rig.putObject(Names.routerJars(rig.context().ownerId(), RouterRig.NAME) + jar.sha256() + ".jar", "evil");
            rig.bringEnvironment();
            ResourceRef vm = rig.routers().launch(rig.routers().plan(rig.spec(jar), "front-1"));
            RouterVmObservation failed = rig.await(rig.routers(), vm, seen -> seen.phase() == BackendPhase.FAILED);
            assertThat(failed.detail())
                    .contains("has the checksum")
                    .contains("and not " + jar.sha256())
                    .doesNotContain("X-Amz-Signature");
            assertThat(rig.sandbox(vm).root().resolve("var/lib/tuna/tuna.jar")).doesNotExist();
        }
    }

    @Test
    void aProgramThatEndsAgainAndAgainIsToldWithWhatItSays() {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("broken");
            RouterVmObservation failed = rig.await(rig.routers(), vm, seen -> seen.phase() == BackendPhase.FAILED);
            assertThat(failed.detail()).isEqualTo("the router ended with status 4: it is broken , again and again");
        }
    }

    @Test
    void anAgentThatDiesIsStartedAgainAndNothingEndsAMachineThatIsNeeded() {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            BackendAddress control = rig.ready(vm);
            RouterRig.ask(control, "/needed", "");
            String program = RouterRig.version(control);
            assertThat(rig.isNeeded(vm)).isTrue();
            List<ProcessHandle> agents = rig.processes(vm, "agent.py");
            List<ProcessHandle> guards = rig.processes(vm, "guard");
            assertThat(agents).hasSize(1);
            assertThat(guards).isNotEmpty();
            agents.forEach(ProcessHandle::destroyForcibly);
            guards.forEach(ProcessHandle::destroyForcibly);
            assertThat(RouterRig.until(
                            () -> {
                                try {
                                    return RouterRig.version(control);
                                } catch (UncheckedIOException e) {
                                    return "";
                                }
                            },
                            version -> !version.isEmpty(),
                            () -> ""))
                    .as("the router itself has noticed nothing")
                    .isEqualTo(program);
            assertThat(rig.processes(vm, "agent.py")).hasSize(1).doesNotContainAnyElementsOf(agents);
            assertThat(rig.sandbox(vm).isOff()).isFalse();
        }
    }

    @Test
    void aCertificateThatWasBroughtIsShownToClients() {
        try (RouterRig rig = new RouterRig(directory)) {
            rig.bringEnvironment(Map.of(
                    "TUNA_LISTENER_CERT_BASE64", base64("the certificate\n"),
                    "TUNA_LISTENER_KEY_BASE64", base64("the key\n")));
            ResourceRef vm = rig.routers().launch(rig.routers().plan(rig.spec(rig.jar("1")), "front-1"));
            BackendAddress control = rig.ready(vm);
            assertThat(RouterRig.ask(control, "/listener", "").body()).isEqualTo("the certificate\n");
            assertThat(rig.sandbox(vm).text("var/lib/tuna/listener.key")).isEqualTo("the key\n");
            assertThat(RouterRig.ask(control, "/environment", "").body()).doesNotContain("TUNA_LISTENER_KEY_BASE64");
        }
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void clientsAreShownACertificateForItsNameAndAddress() throws Exception {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            String pem = RouterRig.ask(rig.ready(vm), "/listener", "").body();
            var certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)));
            assertThat(certificate.getSubjectAlternativeNames())
                    .extracting(name -> name.get(1).toString())
                    .containsExactlyInAnyOrder(
                            "front.router.tuna",
                            rig.aws().cloud().instances().get(0).publicAddress().orElseThrow());
        }
    }

    @Test
    void lastingSecretsAreNowhereButWhereTheyBelong() throws Exception {
        try (RouterRig rig = new RouterRig(directory)) {
            ResourceRef vm = rig.launched("1");
            rig.ready(vm);
            SecretSearch search = new SecretSearch();
            search.add("control token", RouterRig.CONTROL.reveal());
            search.add("provider key", RouterRig.KEY.reveal());
            search.add("AWS key", rig.aws().cloud().secretKey().reveal());
            rig.sandbox(vm).processes().forEach(search::commandLines);
            search.text("console", rig.sandbox(vm).console());
            for (String log : List.of("run.log", "agent.log", "guard.log")) {
                search.text(log, rig.sandbox(vm).text("var/lib/tuna/" + log));
            }
            search.text(
                    "plan",
                    rig.routers().plan(rig.spec(rig.jar("1")), "front-1").toString());
            search.text("observation", rig.routers().observe(vm, RouterRig.NAME).toString());
            rig.context().journal().intents().forEach(intent -> search.text("journal", intent.toString()));
            rig.aws().cloud().instances().forEach(it -> search.text("machine", it.tags() + it.script()));
            rig.aws().cloud().exchanges().stream()
                    .filter(exchange -> !exchange.request()
                            .header("X-Amz-Target")
                            .filter("AmazonSSM.PutParameter"::equals)
                            .isPresent())
                    .filter(exchange -> !exchange.body().contains("SecureString"))
                    .forEach(exchange -> search.text("call", exchange.request().body() + exchange.body()));
            assertThat(search.hits()).isEmpty();
            assertThat(LiveFiles.under(rig.sandbox(vm).root()).stream()
                            .filter(file -> file.toString().contains("/tuna/"))
                            .flatMap(file -> LiveFiles.permissions(file).stream())
                            .map(PosixFilePermissions::toString))
                    .isNotEmpty()
                    .allMatch(permissions -> permissions.endsWith("------"));
        }
    }
}
