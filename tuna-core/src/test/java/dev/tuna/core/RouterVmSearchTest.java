package dev.tuna.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TimedOutException;
import dev.tuna.core.machine.AttachedVm;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.ResourceRef;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which router VM a name means, for somebody with nothing but the cloud's credentials. */
class RouterVmSearchTest {

    private static final String OTHER = "fedcba9876543210";
    private static final String THIRD = "00000000ffffffff";

    private final RouterVmWorld world = new RouterVmWorld();

    @BeforeEach
    void start() throws Exception {
        world.start()
                .deploy(RouterVmWorld.request("chat", "Qwen/Qwen3-0.6B").build())
                .ready()
                .get(60, TimeUnit.SECONDS);
        world.host.close();
    }

    @AfterEach
    void close() {
        world.close();
    }

    /** The machine there is, as if another installation had one too, which is listed first. */
    private void beside(String name, String owner) {
        world.search = found -> Stream.concat(
                        Stream.of(new FoundRouterVm(found.get(0).resource(), name, owner)), found.stream())
                .toList();
    }

    @Test
    void aMachineIsFoundByItsNameOrByThatOfADeployment() {
        try (Tuna visitor = world.visitor(OTHER);
                AttachedVm byName = visitor.routerVms().attach("shared");
                AttachedVm byDeployment = visitor.routerVms().attach("chat")) {
            assertThat(byName.name()).isEqualTo("shared");
            assertThat(byDeployment.name()).isEqualTo("shared");
            assertThat(byDeployment.owner()).isEqualTo(RouterVmWorld.OWNER);
        }
    }

    @Test
    void whatThisInstallationHasMadeGoesBeforeWhatOthersHave() {
        beside("shared", OTHER);
        try (Tuna owner = world.visitor(RouterVmWorld.OWNER);
                AttachedVm byName = owner.routerVms().attach("shared");
                AttachedVm byDeployment = owner.routerVms().attach("chat")) {
            assertThat(byName.owner()).isEqualTo(RouterVmWorld.OWNER);
            assertThat(byDeployment.owner()).isEqualTo(RouterVmWorld.OWNER);
        }
    }

    @Test
    void aMachineOfThatNameGoesBeforeOneWithADeploymentOfThatName() {
        beside("chat", OTHER);
        try (Tuna visitor = world.visitor(THIRD);
                AttachedVm vm = visitor.routerVms().attach("chat")) {
            assertThat(vm.owner()).isEqualTo(OTHER);
        }
    }

    @Test
    void nobodyIsGuessedAtWhereOthersHaveSeveral() {
        beside("shared", OTHER);
        try (Tuna visitor = world.visitor(THIRD)) {
            for (String name : List.of("shared", "chat")) {
                assertThatThrownBy(() -> visitor.routerVms().attach(name))
                        .isInstanceOfSatisfying(
                                ConfigurationException.class,
                                e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                        .hasMessageContaining("'" + name + "'")
                        .hasMessageContaining(OTHER)
                        .hasMessageContaining(RouterVmWorld.OWNER)
                        .hasMessageContaining(OTHER + "/shared");
            }
            try (AttachedVm vm = visitor.routerVms().attach(RouterVmWorld.OWNER + "/shared")) {
                assertThat(vm.owner()).isEqualTo(RouterVmWorld.OWNER);
            }
        }
    }

    @Test
    void aCloudThatCannotBeSearchedIsNamedAndKeepsNobodyFromAskingTheOthers() {
        world.search = found -> {
            throw new ConfigurationException(ErrorCode.CREDENTIALS, "not for you, as scripted");
        };
        try (Tuna visitor = world.visitor(THIRD)) {
            assertThatThrownBy(() -> visitor.routerVms().attach("shared"))
                    .isInstanceOfSatisfying(
                            ConfigurationException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.NO_SUCH_DEPLOYMENT))
                    .hasMessageContaining("local-spot cannot be searched: not for you, as scripted");
        }
    }

    @Test
    void aMachineThatMayNotBeReadHidesNoOther() {
        var foreign = new ResourceRef("local-spot", "router-vm", "foreign");
        world.search = found -> Stream.concat(Stream.of(new FoundRouterVm(foreign, "secret", OTHER)), found.stream())
                .toList();
        world.beforeSight = vm -> {
            if (vm.equals(foreign)) {
                throw new ConfigurationException(ErrorCode.CREDENTIALS, "not for you, as scripted");
            }
        };
        try (Tuna visitor = world.visitor(THIRD)) {
            try (AttachedVm vm = visitor.routerVms().attach("chat")) {
                assertThat(vm.name()).isEqualTo("shared");
            }
            assertThatThrownBy(() -> visitor.routerVms().attach("nobody"))
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("secret (which does not answer: not for you, as scripted), shared");
        }
    }

    @Test
    void aMachineThatDoesNotAnswerAtOnceIsAskedAgain() {
        var looks = new AtomicInteger();
        world.sight = seen -> looks.incrementAndGet() < 2 ? RouterVmWorld.silent(seen, BackendPhase.BOOTING) : seen;
        try (Tuna visitor = world.visitor(THIRD)) {
            visitor.routerVms().attach("shared").close();
            looks.set(0);
            visitor.routerVms().attach("chat").close();
        }
    }

    @Test
    void aMachineThatWasFoundAndStaysSilentIsNotSaidToBeMissing() {
        world.sight = seen -> RouterVmWorld.silent(seen, BackendPhase.BOOTING);
        try (Tuna visitor = world.visitor(THIRD)) {
            assertThatThrownBy(() -> visitor.routerVms().attach("shared"))
                    .isInstanceOf(TimedOutException.class)
                    .hasMessageContaining("'shared' of installation " + RouterVmWorld.OWNER)
                    .hasMessageContaining("was found but does not answer: as scripted");
        }
    }
}
