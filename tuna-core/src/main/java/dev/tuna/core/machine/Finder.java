package dev.tuna.core.machine;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.TimedOutException;
import dev.tuna.api.TunaException;
import dev.tuna.core.provider.Clouds;
import dev.tuna.core.remote.RemoteControlPlane;
import dev.tuna.spi.FoundRouterVm;
import dev.tuna.spi.RouterCloud;
import dev.tuna.spi.RouterVmObservation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Finds machines in their clouds, whichever installation made them. A machine's own name goes before that of a deployment, and
 * what this installation has made before what others have; where that leaves several, nobody is guessed at.
 */
final class Finder {

    /** Whoever was let in by a rule of its own a moment ago, or boots, does not answer at once. */
    private static final int LOOKS = 5;

    private final Clouds clouds;
    private final String owner;
    private final Runnable pause;

    Finder(Clouds clouds, String owner, Runnable pause) {
        this.clouds = clouds;
        this.owner = owner;
        this.pause = pause;
    }

    /** Where one is. */
    private record Place(RouterCloud cloud, FoundRouterVm found) {

        String text() {
            return "'" + found.name() + "' of installation " + found.ownerId() + " ("
                    + found.resource().provider() + " " + found.resource().id() + ")";
        }
    }

    /** What one said; there is a connection if it answers. */
    private record Answer(Place place, Optional<AttachedVm> vm, String problem, boolean worthAskingAgain) {

        static Answer silent(Place place, String problem, boolean again) {
            return new Answer(place, Optional.empty(), problem, again);
        }
    }

    /** The machine of this name, or {@code OWNER/NAME}, or else the one with a deployment of this name. */
    AttachedVm attach(String name) {
        var problems = new ArrayList<String>();
        List<Place> places = clouds.catalog().spotNames().stream()
                .flatMap(provider -> places(provider, problems).stream())
                .toList();
        List<Place> named =
                ownFirst(places.stream().filter(place -> isNamed(place, name)).toList(), Function.identity());
        if (named.size() > 1) {
            throw several(name, named, "");
        }
        return named.isEmpty() ? byDeployment(name, places, problems) : answering(named.get(0));
    }

    private List<Place> places(String provider, List<String> problems) {
        try {
            return clouds.spot(provider).routers().stream()
                    .flatMap(cloud -> cloud.find().stream().map(found -> new Place(cloud, found)))
                    .toList();
        } catch (TunaException e) {
            problems.add(provider + " cannot be searched: " + e.getMessage());
            return List.of();
        }
    }

    private static boolean isNamed(Place place, String name) {
        return name.equals(place.found().name())
                || name.equals(place.found().ownerId() + "/" + place.found().name());
    }

    /** Those of this installation if there are any, else all. */
    private <T> List<T> ownFirst(List<T> all, Function<T, Place> place) {
        List<T> own = all.stream()
                .filter(each -> place.apply(each).found().ownerId().equals(owner))
                .toList();
        return own.isEmpty() ? all : own;
    }

    private AttachedVm answering(Place place) {
        Answer answer = ask(place);
        for (int look = 1; look < LOOKS && answer.worthAskingAgain(); look++) {
            pause.run();
            answer = ask(place);
        }
        String problem = answer.problem();
        return answer.vm()
                .orElseThrow(() -> new TimedOutException("router VM " + place.text()
                        + " was found but does not answer: " + problem + "; try again when it does"));
    }

    private static Answer ask(Place place) {
        try {
            RouterVmObservation seen = place.cloud()
                    .observe(place.found().resource(), place.found().name());
            return seen.control()
                    .map(control -> new Answer(
                            place,
                            Optional.of(new AttachedVm(
                                    place.cloud(),
                                    place.found(),
                                    RemoteControlPlane.of(place.found().name(), control))),
                            "",
                            false))
                    .orElseGet(() -> Answer.silent(
                            place,
                            seen.detail(),
                            seen.phase() != BackendPhase.FAILED && seen.phase() != BackendPhase.GONE));
        } catch (TunaException e) {
            return Answer.silent(place, String.valueOf(e.getMessage()), e.retryable());
        }
    }

    /** Asks all of them, and those that are silent a few times, since any may be the one. */
    private AttachedVm byDeployment(String name, List<Place> places, List<String> problems) {
        List<Answer> answers = asked(name, places);
        for (int look = 1; look < LOOKS && !isDecided(answers); look++) {
            pause.run();
            List<Place> silent = answers.stream()
                    .filter(Answer::worthAskingAgain)
                    .map(Answer::place)
                    .toList();
            answers = Stream.concat(
                            answers.stream().filter(answer -> !answer.worthAskingAgain()), asked(name, silent).stream())
                    .toList();
        }
        List<Answer> having =
                answers.stream().filter(answer -> answer.vm().isPresent()).toList();
        List<Answer> chosen = ownFirst(having, Answer::place);
        if (chosen.size() == 1) {
            close(having, answer -> !answer.equals(chosen.get(0)));
            return chosen.get(0).vm().orElseThrow();
        }
        close(having, answer -> true);
        if (chosen.size() > 1) {
            throw several(name, chosen.stream().map(Answer::place).toList(), "a deployment of that name is on each; ");
        }
        throw none(name, answers, problems);
    }

    /** What has no deployment of this name is hung up on. */
    private static List<Answer> asked(String name, List<Place> places) {
        return places.stream()
                .map(Finder::ask)
                .map(answer -> having(name, answer))
                .toList();
    }

    private static Answer having(String name, Answer answer) {
        if (answer.vm().isEmpty()) {
            return answer;
        }
        AttachedVm vm = answer.vm().get();
        try {
            if (vm.plane().deployment(name).isPresent()) {
                return answer;
            }
            vm.close();
            return Answer.silent(answer.place(), "", false);
        } catch (TunaException e) {
            vm.close();
            return Answer.silent(answer.place(), String.valueOf(e.getMessage()), true);
        }
    }

    private boolean isDecided(List<Answer> answers) {
        return answers.stream().noneMatch(Answer::worthAskingAgain)
                || answers.stream()
                        .anyMatch(answer -> answer.vm().isPresent()
                                && answer.place().found().ownerId().equals(owner));
    }

    private static void close(List<Answer> answers, Predicate<Answer> which) {
        answers.stream().filter(which).flatMap(answer -> answer.vm().stream()).forEach(AttachedVm::close);
    }

    private static ConfigurationException several(String name, List<Place> places, String why) {
        return new ConfigurationException(
                ErrorCode.INVALID_REQUEST,
                "'" + name + "' may be any of several router VMs: " + why
                        + places.stream().map(Place::text).collect(Collectors.joining(", "))
                        + "; say which as INSTALLATION/VM, for instance "
                        + places.get(0).found().ownerId() + "/"
                        + places.get(0).found().name());
    }

    private static ConfigurationException none(String name, List<Answer> answers, List<String> problems) {
        String found = answers.stream()
                .map(answer -> answer.place().found().name()
                        + (answer.problem().isEmpty() ? "" : " (which does not answer: " + answer.problem() + ")"))
                .collect(Collectors.joining(", "));
        return new ConfigurationException(
                ErrorCode.NO_SUCH_DEPLOYMENT,
                "no router VM is named '" + name + "' or has a deployment of this name; "
                        + (found.isEmpty() ? "none was found" : "found were " + found)
                        + problems.stream().map(problem -> "; " + problem).collect(Collectors.joining()));
    }
}
