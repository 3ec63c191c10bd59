package dev.tuna.testkit.cloud.process;

import dev.tuna.testkit.cloud.model.MachineSpec;
import java.net.URI;
import java.util.List;
import java.util.Optional;

/** How a model server is started as a child process. Immutable. */
public sealed interface ServerCommand permits StandInCommand, ForeignCommand {

    /**
     * The program and its arguments, without secrets.
     *
     * @param spec what to run
     * @return the words of the command line, and the address if it is known beforehand
     */
    Launch launch(MachineSpec spec);

    /**
     * The address, if a line of the child's output tells it.
     *
     * @param line one line
     * @return the address; empty if the line says nothing about it
     */
    Optional<URI> addressIn(String line);

    /**
     * A command line ready to run.
     *
     * @param words program and arguments
     * @param address where it will listen once healthy; empty if its output tells
     * @param environmentOnStdin whether it reads further environment variables, among them its secrets, as a JSON object on
     *     the first line of its input; otherwise they go into the process's own environment
     */
    record Launch(List<String> words, Optional<URI> address, boolean environmentOnStdin) {

        /** Copies the list. */
        public Launch {
            words = List.copyOf(words);
        }
    }
}
