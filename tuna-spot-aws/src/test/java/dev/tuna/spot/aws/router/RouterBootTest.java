package dev.tuna.spot.aws.router;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.Secret;
import dev.tuna.provider.support.tls.CertificateAuthority;
import dev.tuna.spot.aws.Shellcheck;
import dev.tuna.spot.aws.channel.UserData;
import java.io.File;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RouterBootTest {

    private static RouterBoot boot(String jar) {
        return new RouterBoot(
                "front",
                8443,
                443,
                Duration.ofMinutes(15),
                URI.create(jar),
                "0123456789abcdef".repeat(4),
                CertificateAuthority.create("front", Instant.EPOCH).certificate(),
                Secret.of("feedbeef".repeat(8)));
    }

    /** What temporary credentials sign with is long, and is noise to who compresses it. */
    @Test
    void fitsIntoUserDataWithTheLongestUrl() {
        byte[] noise = new byte[1100];
        new Random(1).nextBytes(noise);
        String session = Base64.getUrlEncoder().encodeToString(noise);
        int size = boot("https://artifacts.s3.amazonaws.com/tuna/x.jar?X-Amz-Security-Token=" + session)
                .userData()
                .bytes()
                .length;
        System.out.println("router's user data: " + size + " of " + UserData.MOST_BYTES + " bytes");
        assertThat(size).isLessThan(UserData.MOST_BYTES);
    }

    @Test
    void theOnlySecretInItIsTheTokenAndNoTextShowsThat() {
        RouterBoot boot = boot("https://repo.example.org/tuna.jar?X-Amz-Signature=abc");
        UserData data = boot.userData();
        assertThat(data.script())
                .contains(boot.token().reveal(), "jar_url='https://repo.example.org/tuna.jar?X-Amz-Signature=abc'\n")
                .doesNotContain("PRIVATE KEY-----\n");
        assertThat(data.toString() + boot).doesNotContain(boot.token().reveal(), "abc");
    }

    @Test
    void isAScriptWithoutItsCommentsToo(@TempDir Path directory) throws Exception {
        String script = boot("https://repo.example.org/it's.jar").userData().script();
        Path file = Files.writeString(directory.resolve("user-data"), script);
        Process shell =
                new ProcessBuilder("sh", "-n", file.toString()).inheritIO().start();
        assertThat(shell.waitFor()).isZero();
        assertThat(script).contains("#!/bin/sh\n. \"${0%/*}/machine.sh\"\n");
    }

    /** Machines of the stand-in have no systemd; what one that has is told is looked at here. */
    @Test
    void systemdKeepsEverythingRunning(@TempDir Path root) throws Exception {
        Path units = Files.createDirectories(root.resolve("etc/systemd/system"));
        Files.createDirectories(root.resolve("run/systemd/system"));
        Path systemctl = Files.createDirectories(root.resolve("bin")).resolve("systemctl");
        Files.writeString(systemctl, "#!/bin/sh\necho \"$@\" >>\"$TUNA_ROOT/systemctl\"\n");
        Files.setPosixFilePermissions(systemctl, PosixFilePermissions.fromString("rwx------"));
        Path script = Files.writeString(
                root.resolve("user-data"),
                boot("https://repo.example.org/tuna.jar").userData().script());
        ProcessBuilder install = new ProcessBuilder("sh", script.toString()).inheritIO();
        install.environment().put("TUNA_ROOT", root.toString());
        install.environment().put("TUNA_SHUTDOWN", "false");
        install.environment().put("TUNA_POWEROFF", "false");
        install.environment().compute("PATH", (name, path) -> root.resolve("bin") + File.pathSeparator + path);
        assertThat(install.start().waitFor()).isZero();
        assertThat(Files.readAllLines(root.resolve("systemctl")))
                .containsExactly(
                        "daemon-reload",
                        "enable -q tuna-agent tuna-guard tuna-router",
                        "start --no-block tuna-agent tuna-guard tuna-router");
        for (String unit : List.of("agent", "guard", "router")) {
            assertThat(Files.readString(units.resolve("tuna-" + unit + ".service")))
                    .contains("\nRestart=always\nRestartSec=1\nLimitNOFILE=65536\n", "\nWantedBy=multi-user.target\n");
        }
        assertThat(Files.readString(units.resolve("tuna-router.service")))
                .contains("ExecStart=/bin/sh " + root + "/var/lib/tuna/boot.sh run\n", "RestartPreventExitStatus=3\n")
                .doesNotContain("KillMode");
    }

    @Test
    void shellcheckFindsNothing(@TempDir Path directory) throws Exception {
        Shellcheck.findsNothingIn(Shellcheck.copy(RouterBoot.class, "boot-router.sh", directory));
    }
}
