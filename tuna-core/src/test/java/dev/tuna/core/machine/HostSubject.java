package dev.tuna.core.machine;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.RouterPlacement;
import dev.tuna.core.Tuna;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;

/** A host in a process of its own, to be killed: brings a deployment to a router VM, and back, and to its end. */
final class HostSubject {

    static final String MODEL = "Qwen/Qwen3-0.6B";

    private HostSubject() {}

    /** How a host is set up; the same for the one that is killed and for the next one. */
    record Setting(Path state, String cloud, Path machines, Path jar, int port) {

        Tuna start() {
            return Tuna.builder()
                    .stateDirectory(state)
                    .listen("127.0.0.1", 0)
                    .providerSettings("local", Map.of("url", cloud))
                    .providerSettings("local-spot", Map.of("url", cloud, "router_dir", machines.toString()))
                    .routerVms(RouterVmOptions.builder()
                            .jar(jar.toUri())
                            .port(port)
                            .build())
                    .start();
        }

        static DeployRequest request(RouterPlacement placement) {
            return DeployRequest.builder(MODEL, "L4")
                    .serviceName("chat")
                    .spotCloud("local-spot")
                    .routerPlacement(placement)
                    .build();
        }
    }

    /** What a host does until it is killed; each goes on from wherever the one before was killed. */
    enum Act {
        DEPLOY {
            @Override
            void on(Tuna tuna) {
                accepted(tuna, RouterPlacement.SEPARATE_VM).ready().join();
            }
        },
        GIVE {
            @Override
            void on(Tuna tuna) {
                accepted(tuna, RouterPlacement.EMBEDDED).ready().join();
                tuna.routerVms().give("chat").join();
            }
        },
        TAKE_BACK {
            @Override
            void on(Tuna tuna) {
                accepted(tuna, RouterPlacement.SEPARATE_VM).ready().join();
                System.out.println("READY");
                tuna.routerVms().takeBack("chat").join();
            }
        },
        DESTROY {
            @Override
            void on(Tuna tuna) {
                accepted(tuna, RouterPlacement.SEPARATE_VM).ready().join();
                System.out.println("READY");
                tuna.destroy("chat").join();
            }
        };

        abstract void on(Tuna tuna);

        /** From then on it must not be forgotten. */
        private static Deployment accepted(Tuna tuna, RouterPlacement placement) {
            Deployment deployed = tuna.deploy(Setting.request(placement));
            System.out.println("ACCEPTED");
            return deployed;
        }
    }

    /**
     * Acts, and waits to be killed.
     *
     * @param arguments state directory, cloud, directory of machines, jar, port, act
     */
    public static void main(String[] arguments) throws InterruptedException {
        var setting = new Setting(
                Path.of(arguments[0]),
                URI.create(arguments[1]).toString(),
                Path.of(arguments[2]),
                Path.of(arguments[3]),
                Integer.parseInt(arguments[4]));
        try (Tuna tuna = setting.start()) {
            System.out.println("STARTED");
            Act.valueOf(arguments[5]).on(tuna);
            System.out.println("DONE");
            Thread.currentThread().join();
        }
    }
}
