package dev.tuna.provider.cloudrun;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Checks;
import dev.tuna.provider.support.ModelHub;
import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.ServerlessPlan;
import dev.tuna.spi.ServerlessSpec;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/** Checks what Google can tell without making anything. Confined to one report. */
final class CloudRunPreflight {

    private static final String LOGIN = "gcloud auth application-default login";
    private static final String INVOKE_PAGE =
            "https://docs.cloud.google.com/run/docs/authenticating/service-to-service";

    /** What vLLM takes beside the files it has downloaded. */
    private static final long ENGINE_GIB = 6;

    private final ProviderContext context;
    private final CloudRunSettings settings;
    private final GoogleAccess access;
    private final RunApi api;
    private final ProjectApi projects;
    private final ServerlessSpec spec;
    private final List<Check> checks = new ArrayList<>();

    CloudRunPreflight(
            ProviderContext context,
            CloudRunSettings settings,
            GoogleAccess access,
            RunApi api,
            ProjectApi projects,
            ServerlessSpec spec) {
        this.settings = settings;
        this.context = context;
        this.access = access;
        this.api = api;
        this.projects = projects;
        this.spec = spec;
    }

    /**
     * Makes the checks, up to one without which the others would say the same.
     *
     * @param plan what would be sent
     * @param fix whether to enable APIs that are not
     */
    PreflightReport report(Supplier<ServerlessPlan> plan, boolean fix) {
        boolean token = hasToken();
        Checks.missingSecrets(spec.engine(), context.secrets()).forEach(checks::add);
        Optional<ServicePlan> wanted = checkPlan(plan);
        wanted.ifPresent(this::checkModel);
        if (token && wanted.isPresent()) {
            checkProject(wanted.get(), fix);
        }
        return new PreflightReport(CloudRunProvider.NAME, checks);
    }

    private void checkProject(ServicePlan plan, boolean fix) {
        String project = plan.place().project();
        if (!isActive(project)) {
            return;
        }
        checkBilling(project);
        boolean enabled = checkApis(project, plan, fix);
        checkRights(project, plan);
        checkIdTokens(plan);
        if (enabled) {
            new QuotaChecks(projects, plan, checks::add).run();
            checkAccepted(plan);
        }
    }

    private Optional<ServicePlan> checkPlan(Supplier<ServerlessPlan> plan) {
        try {
            ServerlessPlan made = plan.get();
            checks.add(Check.passed("request_valid", made.summary()));
            return Optional.of(ServicePlan.read(made.body()));
        } catch (ConfigurationException e) {
            e.problems()
                    .forEach(problem -> checks.add(
                            problem.contains("the project is not known")
                                    ? Check.failed("project_set", problem, "export GOOGLE_CLOUD_PROJECT=my-project")
                                    : Check.failed(
                                            "request_valid", problem, "change the request as the message says")));
            return Optional.empty();
        }
    }

    /** The hub may not be reached, or not know; then nothing is said. */
    private void checkModel(ServicePlan plan) {
        var hub = new ModelHub(context, settings.hubUrl());
        Optional<Secret> token =
                Optional.ofNullable(spec.engine().secrets().get("HF_TOKEN")).flatMap(context.secrets()::get);
        GpuType.of(spec.engine().gpu())
                .flatMap(gpu -> hub.tooLarge(spec.engine(), gpu.memoryGb(), token))
                .ifPresent(problem -> checks.add(Check.warning("model_fits", problem)));
        if (plan.service().path("template").has("volumes")) {
            return;
        }
        long memory = QuotaChecks.memoryGib(plan.service());
        OptionalLong weights = hub.weightBytes(spec.engine().model(), token);
        if (weights.isPresent() && weights.getAsLong() > (memory - ENGINE_GIB) << 30) {
            checks.add(new Check(
                    "model_fits_memory",
                    Outcome.WARNING,
                    "the model's files of " + (weights.getAsLong() >> 30) + " GiB are downloaded into the container's "
                            + memory + " GiB of memory, which the engine needs too",
                    Optional.of("put them into a bucket and set the option weights_bucket, or raise memory_gib")));
        }
    }

    private boolean hasToken() {
        try {
            Optional<Login> login = access.login();
            if (login.isEmpty()) {
                checks.add(Check.failed(
                        "credentials_present",
                        "there are no Google credentials: no secret '"
                                + settings.credentials().name() + "', no " + CredentialSource.FILE_VARIABLE
                                + ", no login of gcloud, no metadata server",
                        LOGIN));
                return false;
            }
            checks.add(Check.passed(
                    "credentials_present",
                    login.get().type() + " of " + login.get().where()));
            access.accessToken();
            checks.add(Check.passed("credentials_valid", "Google gives an access token for them"));
            return true;
        } catch (TunaException e) {
            checks.add(
                    e.code() == ErrorCode.UNREACHABLE
                            ? Checks.failed("google_reachable", e, "curl -sS https://oauth2.googleapis.com/")
                            : Checks.failed("credentials_valid", e, LOGIN));
            return false;
        }
    }

    /** An API that only checks need, and that this project has not enabled or does not let this account use. */
    static Check untold(String name, TunaException e, String host, String project) {
        return e.retryable()
                ? Check.unknown(name, String.valueOf(e.getMessage()))
                : new Check(
                        name,
                        Outcome.WARNING,
                        "cannot be checked: " + e.getMessage(),
                        Optional.of("gcloud services enable " + host + " --project=" + project));
    }

    private boolean isActive(String project) {
        try {
            Optional<String> state = projects.state(project);
            boolean active = state.filter("ACTIVE"::equals).isPresent();
            checks.add(
                    active
                            ? Check.passed("project_active", "project " + project + " is active")
                            : Check.failed(
                                    "project_active",
                                    "project " + project
                                            + state.map(what -> " is in state " + what)
                                                    .orElse(" does not exist"),
                                    "gcloud projects list"));
            return active;
        } catch (TunaException e) {
            checks.add(untold("project_active", e, GoogleHosts.RESOURCE_MANAGER, project));
            return !e.retryable();
        }
    }

    private void checkBilling(String project) {
        try {
            checks.add(
                    projects.isBilled(project)
                            ? Check.passed("billing_enabled", "project " + project + " has a billing account")
                            : Check.failed(
                                    "billing_enabled",
                                    "project " + project + " has no billing account",
                                    "https://console.cloud.google.com/billing/linkedaccount?project=" + project));
        } catch (TunaException e) {
            checks.add(untold("billing_enabled", e, GoogleHosts.BILLING, project));
        }
    }

    private boolean checkApis(String project, ServicePlan plan, boolean fix) {
        List<String> needed = new ArrayList<>(List.of(GoogleHosts.RUN));
        if (!invoker(plan).isEmpty()) {
            needed.add(GoogleHosts.IAM_CREDENTIALS);
        }
        try {
            List<String> missing = projects.disabled(project, needed);
            if (missing.isEmpty()) {
                checks.add(Check.passed("apis_enabled", "enabled: " + String.join(", ", needed)));
                return true;
            }
            String names = String.join(" ", missing);
            if (fix) {
                projects.enable(project, missing);
                checks.add(new Check(
                        "apis_enabled",
                        Outcome.FIXED,
                        "enabled " + names + ", which may take some minutes to be felt",
                        Optional.empty()));
            } else {
                checks.add(Check.failed(
                        "apis_enabled",
                        "not enabled: " + names,
                        "gcloud services enable " + names + " --project=" + project));
            }
            return false;
        } catch (TunaException e) {
            checks.add(untold("apis_enabled", e, GoogleHosts.SERVICE_USAGE, project));
            return !e.retryable();
        }
    }

    private void checkRights(String project, ServicePlan plan) {
        List<String> needed = new ArrayList<>(
                List.of("run.services.create", "run.services.get", "run.services.update", "run.services.delete"));
        boolean open = plan.service().path("invokerIamDisabled").asBoolean();
        if (open) {
            needed.add("run.services.setIamPolicy");
        }
        List<String> asked = new ArrayList<>(needed);
        asked.add("iam.serviceAccounts.actAs");
        try {
            Set<String> held = projects.held(project, asked);
            needed.removeAll(held);
            checks.add(
                    needed.isEmpty()
                            ? Check.passed("permissions", "services may be made, changed and deleted")
                            : Check.failed(
                                    "permissions",
                                    "not permitted in project " + project + ": " + String.join(", ", needed),
                                    "gcloud projects add-iam-policy-binding " + project + " --member=" + member()
                                            + " --role=roles/run.admin"));
            if (!held.contains("iam.serviceAccounts.actAs")) {
                checks.add(new Check(
                        "permission_act_as",
                        Outcome.WARNING,
                        "iam.serviceAccounts.actAs is not held on the whole project; it is needed on the account that"
                                + " the container runs as",
                        Optional.of("gcloud projects add-iam-policy-binding " + project + " --member=" + member()
                                + " --role=roles/iam.serviceAccountUser")));
            }
        } catch (TunaException e) {
            checks.add(untold("permissions", e, GoogleHosts.RESOURCE_MANAGER, project));
        }
    }

    private String member() {
        return access.login()
                .flatMap(Login::account)
                .map(account -> "serviceAccount:" + account)
                .orElse("user:YOUR_ACCOUNT");
    }

    private static String invoker(ServicePlan plan) {
        return plan.service().path("annotations").path(Service.INVOKER).asText("");
    }

    /** A private service is of no use to a router that cannot call it. */
    private void checkIdTokens(ServicePlan plan) {
        if (plan.service().path("invokerIamDisabled").asBoolean()) {
            checks.add(Check.warning("access", ServicePlanner.OPEN));
            return;
        }
        String account = invoker(plan);
        try {
            access.idToken(URI.create("https://" + plan.place().service() + ".example.run.app"), account);
            checks.add(Check.passed(
                    "id_token",
                    "the router can call private services as "
                            + access.invoker(account).orElse("the credential's account")));
        } catch (TunaException e) {
            checks.add(Checks.failed(
                    "id_token",
                    e,
                    account.isEmpty()
                            ? "set the option invoker_service_account, see " + INVOKE_PAGE
                            : "gcloud iam service-accounts add-iam-policy-binding " + account + " --member=" + member()
                                    + " --role=roles/iam.serviceAccountTokenCreator --project="
                                    + plan.place().project()));
        }
    }

    /** A dry run, with the secrets masked. */
    private void checkAccepted(ServicePlan plan) {
        try {
            boolean exists = api.service(plan.place()).isPresent();
            api.validate(plan.place(), plan.service(), exists);
            checks.add(Check.passed("request_accepted", "Cloud Run would take the service"));
        } catch (ProviderException e) {
            checks.add(Checks.failed("request_accepted", e, "change the request as the message says"));
        } catch (TunaException e) {
            checks.add(Checks.failed(
                    "request_accepted", e, QuotaChecks.page(plan.place().project())));
        }
    }
}
