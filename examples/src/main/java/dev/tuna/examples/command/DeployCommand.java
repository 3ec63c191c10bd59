package dev.tuna.examples.command;

import dev.tuna.api.ControlPlane;
import dev.tuna.api.DeployPlan;
import dev.tuna.api.DeployRequest;
import dev.tuna.core.Tuna;
import dev.tuna.core.store.FileSecretStore;
import dev.tuna.core.store.InMemoryStateStore;
import dev.tuna.examples.terminal.Table;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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

    DeployCommand(Session session) {
        super(session);
    }

    @Override
    public Integer call() {
        options.absent().refuse(spec);
        // Whatever is wrong with it is told before anything is asked or started.
        DeployRequest request = options.request(Map.of());
        if (dryRun) {
            return plan(request);
        }
        Optional<ControlPlane> host = Tuna.running(stateDirectory());
        if (!yes.given() && !session.agrees(question(request))) {
            session.err().println("Nothing was deployed.");
            host.ifPresent(ControlPlane::close);
            return ExitCode.BROKEN_OFF;
        }
        DeployRequest complete =
                options.request(secrets.keep(session.environment(), new FileSecretStore(stateDirectory()), spec));
        if (host.isPresent() || detach) {
            try (ControlPlane plane = host.orElseGet(this::background)) {
                return new Following(this, plane).deploy(complete, noWait);
            }
        }
        var hosted = new Hosting(this, listen, overall);
        return hosted.host(tuna -> Optional.of(tuna.deploy(complete)));
    }

    private ControlPlane background() {
        return new Background(stateDirectory()).start(Hosting.words(this, listen, overall));
    }

    private int plan(DeployRequest request) {
        try (Tuna tuna = unheard().store(new InMemoryStateStore("none")).start()) {
            DeployPlan plan = tuna.plan(request);
            var table = new Table("PROVIDER", "TIER", "WHAT");
            plan.steps().forEach(step -> table.row(step.provider(), word(step.tier()), step.summary()));
            var lines = new ArrayList<>(table.lines());
            plan.adaptations().forEach(adaptation -> lines.add("adapted: " + adaptation));
            print(plan, table, lines);
            return ExitCode.DONE;
        }
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
                + " may run, and cost money while they do ('tuna show-gpus --gpu " + request.gpu() + "' has prices).";
    }
}
