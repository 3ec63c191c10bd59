package dev.tuna.examples.command;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeployPlan;
import dev.tuna.api.DeployRequest;
import dev.tuna.api.Deployment;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderNotFoundException;
import dev.tuna.api.RouterPlacement;
import dev.tuna.api.TimedOutException;
import dev.tuna.core.Tuna;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.examples.terminal.Dollars;
import dev.tuna.examples.terminal.Table;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tuna deploy}: asks for a deployment, shows how it comes up, and hosts it or has it hosted. */
@Command(
        name = "deploy",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Deploys a model, shows how it comes up and hosts its endpoint in the foreground, or with --detach in the"
                    + " background. If a process hosts this state directory already, that one takes it on.",
            "Ctrl-C asks whether to detach, destroy or go on. Nothing is lost either way: 'tuna list' shows what there is."
        })
final class DeployCommand extends HostingCommand {

    private static final int LOOKS = 50;
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(100);

    @Mixin
    private final RequestOptions options = new RequestOptions();

    @Mixin
    private final EnvironmentSecrets secrets = new EnvironmentSecrets();

    @Mixin
    private final OverallBudget overall = new OverallBudget();

    @Mixin
    private final Listen listen = new Listen();

    @Option(
            names = {"-d", "--detach"},
            description = "Host it in the background; returns when every part is up or cannot come up.")
    private boolean detach;

    @Option(names = "--no-wait", description = "With --detach: return as soon as it is accepted.")
    private boolean noWait;

    @Option(names = "--dry-run", description = "Show what would be sent to whom; do nothing.")
    private boolean dryRun;

    @Mixin
    private final Yes yes = new Yes();

    /** Whether anybody has taken it on, so that it has its secrets from now on. */
    private boolean accepted;

    DeployCommand(Session session) {
        super(session);
    }

    @Override
    public Integer call() {
        options.absent().refuse(spec);
        // Whatever is wrong with it is told before anything is asked or started.
        DeployRequest request = options.request(usualSpotCloud());
        if (dryRun) {
            return plan(request);
        }
        boolean elsewhere = request.routerPlacement() == RouterPlacement.SEPARATE_VM;
        var unusedBudget = overall.budget();
        Optional<ControlPlane> host = host(elsewhere);
        if (!yes.given() && !session.agrees(question(request))) {
            session.err().println("Nothing was deployed.");
            host.ifPresent(ControlPlane::close);
            return ExitCode.BROKEN_OFF;
        }
        DeployRequest complete = withSecrets(request);
        try {
            return deployed(complete, host, elsewhere);
        } catch (ConfigurationException | ProviderNotFoundException e) {
            if (!accepted) {
                forgetSecrets(complete);
            }
            throw e;
        }
    }

    /** Under a name that is its own from now on, since that is in the references. */
    private DeployRequest withSecrets(DeployRequest request) {
        String service = request.serviceName().orElseGet(Drawn::name);
        return request.toBuilder()
                .serviceName(service)
                .secrets(secrets.keep(service, session.environment(), secretStore(), spec))
                .build();
    }

    private int deployed(DeployRequest complete, Optional<ControlPlane> host, boolean elsewhere) {
        Optional<Integer> taken = host.flatMap(plane -> follow(plane, complete));
        if (taken.isPresent()) {
            return taken.get();
        }
        if (elsewhere) {
            return follow(unheard().start(), complete)
                    .orElseThrow(
                            () -> new ConfigurationException(ErrorCode.CLOSED, "it was not taken on; deploy it again"));
        }
        if (detach) {
            return follow(background(), complete)
                    .orElseThrow(() -> new TimedOutException("the background process ended before it took it on; see "
                            + new Background(stateDirectory()).log()));
        }
        var hosted = new Hosting(this, listen, overall);
        return hosted.host(tuna -> {
            Deployment deployment = tuna.deploy(complete);
            accepted = true;
            return Optional.of(deployment);
        });
    }

    /**
     * The process that would take it on.
     *
     * @throws picocli.CommandLine.ParameterException if there is an option that only a process which begins to host obeys
     */
    private Optional<ControlPlane> host(boolean elsewhere) {
        boolean own = given("--listen") || !overall.words().isEmpty();
        if (own && elsewhere) {
            throw usage(
                    "--listen and --total-budget-* are for the process that hosts, and with --use-different-vm-for-lb"
                            + " a machine does: leave them out. TUNA_ROUTER_VM_PORT is the port there, and --budget-* limit the"
                            + " deployment");
        }
        Optional<ControlPlane> host = Tuna.running(stateDirectory());
        for (int look = 0;
                own && look < LOOKS && host.filter(DeployCommand::isIdle).isPresent();
                look++) {
            // In the background it is about to end.
            host.get().close();
            var unusedEnd = session.isEndedWithin(BETWEEN_LOOKS);
            host = Tuna.running(stateDirectory());
        }
        if (host.isPresent() && own) {
            host.get().close();
            throw usage("--listen and --total-budget-* are for the process that hosts, and one hosts "
                    + stateDirectory()
                    + " already: leave them out ('tuna budget --all' changes the budget of all), or end"
                    + " that one first");
        }
        if (host.isEmpty() && noWait && elsewhere) {
            throw usage("--no-wait cannot be: the deployment is handed over when its machine is up, and nothing hosts "
                    + stateDirectory() + " that could do that after this command");
        }
        if (host.isEmpty() && noWait && !detach) {
            throw usage("--no-wait needs --detach, since nothing hosts " + stateDirectory() + " yet");
        }
        return host;
    }

    private static boolean isIdle(ControlPlane plane) {
        try {
            return plane.deployments().isEmpty();
        } catch (ConfigurationException e) {
            return e.code() == ErrorCode.CLOSED;
        }
    }

    private boolean given(String option) {
        return spec.commandLine().getParseResult().hasMatchedOption(option);
    }

    /** Nothing if that process ended before it took it on. */
    private Optional<Integer> follow(ControlPlane host, DeployRequest request) {
        try (host) {
            var following = new Following(this, host);
            try {
                return Optional.of(following.deploy(request, noWait));
            } catch (ConfigurationException e) {
                if (e.code() != ErrorCode.CLOSED || following.isAccepted()) {
                    throw e;
                }
                return Optional.empty();
            } finally {
                accepted = following.isAccepted();
            }
        }
    }

    @Override
    Set<String> secretVariables() {
        return secrets.names();
    }

    private ControlPlane background() {
        try {
            return new Background(stateDirectory())
                    .start(Hosting.words(this, listen, overall), settings(), secretVariables());
        } catch (TimedOutException e) {
            // Another one was quicker.
            return Tuna.running(stateDirectory()).orElseThrow(() -> e);
        }
    }

    private int plan(DeployRequest request) {
        try (Tuna tuna = unheard().store(new InMemoryStateStore("none")).start()) {
            DeployPlan plan = tuna.plan(request);
            var table = new Table("PROVIDER", "TIER", "WHAT");
            plan.router().ifPresent(router -> table.row(router.provider(), "router", text(router)));
            plan.steps().forEach(step -> table.row(step.provider(), word(step.tier()), step.summary()));
            var lines = new ArrayList<>(table.lines());
            plan.adaptations().forEach(adaptation -> lines.add("adapted: " + adaptation));
            print(plan, table, lines);
            return ExitCode.DONE;
        }
    }

    private static String text(DeployPlan.RouterMachine router) {
        String price =
                router.usdPerHour().map(usd -> Dollars.text(usd) + " per hour").orElse("at a price that is not known");
        return router.summary() + ", " + price + (router.shared() ? ", there already and shared" : "");
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String question(DeployRequest request) {
        String machine = request.gpuCount() + "x" + request.gpu();
        int replicas = request.effectiveScaling().spot().maxReplicas();
        int workers = request.effectiveScaling().serverless().workersMax();
        return "Deploy " + request.model() + " on " + machine + "? Up to " + workers + " serverless containers"
                + (replicas == 0 ? "" : " and " + replicas + " rented replicas")
                + (request.routerPlacement() == RouterPlacement.SEPARATE_VM ? " beside one machine for the router" : "")
                + " may run, and cost money while they do ('tuna show-gpus --gpu " + request.gpu() + "' has prices).";
    }
}
