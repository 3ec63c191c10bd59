package dev.tuna.examples;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.core.Tuna;
import java.nio.file.Path;

/** What an application needs: one object, one request, one endpoint. */
public final class Embed {

    private Embed() {}

    /**
     * Deploys with whatever providers are on the class path, shows the endpoint and takes everything down again.
     *
     * @param arguments none
     */
    public static void main(String[] arguments) {
        try (Tuna tuna = Tuna.builder().stateDirectory(Path.of("state")).start()) {
            DeployRequest request =
                    DeployRequest.builder("Qwen/Qwen3-0.6B", "L4").build();
            Deployment chat = tuna.deploy(request); // returns at once; the endpoint answers already
            System.out.println("OPENAI_BASE_URL=" + chat.endpoint());
            chat.ready().join(); // serverless is up; spot boots
            System.out.println(chat.status());
            System.out.println(chat.destroy().join().cost().total() + " USD, and nothing is left running");
        }
    }
}
