package dev.tuna.provider.baseten;

import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a model, or brings one that is there to what a plan says. What is there is looked at before every step, so that an
 * answer that was lost, a crash in between or somebody who does the same makes nothing twice. Confined to one push.
 */
final class ModelPush {

    private static final Logger LOG = LoggerFactory.getLogger(ModelPush.class);

    /** For so long a model may not show the deployment that it was made with. */
    static final Duration HIDDEN = Duration.ofMinutes(1);

    private final BasetenApi api;
    private final ArchiveUpload upload;
    private final ModelPlan plan;
    private final Instant now;

    ModelPush(BasetenApi api, ArchiveUpload upload, ModelPlan plan, Instant now) {
        this.api = api;
        this.upload = upload;
        this.plan = plan;
        this.now = now;
    }

    /** The model that counts afterwards. */
    Model run() {
        Optional<Model> existing = api.models(plan.name()).stream().findFirst();
        if (existing.isPresent()) {
            bring(existing.get());
            return existing.get();
        }
        return create();
    }

    private UploadTarget uploaded(Optional<Model> existing) {
        UploadTarget target = api.prepare(existing, plan);
        upload.put(target, ModelArchive.of(plan.config()));
        return target;
    }

    private Model create() {
        Model made;
        try {
            made = api.create(plan, uploaded(Optional.empty()));
        } catch (ProviderException e) {
            // The answer may have been a yes that was lost, or a no because somebody else was quicker.
            return foundAfter(e);
        }
        List<Model> all = api.models(plan.name());
        Model kept = all.stream().findFirst().orElse(made);
        all.stream().skip(1).filter(this::isOurs).forEach(spare -> api.deleteModel(spare.id()));
        return kept;
    }

    private Model foundAfter(ProviderException failure) {
        try {
            return api.models(plan.name()).stream().findFirst().orElseThrow(() -> failure);
        } catch (TunaException e) {
            if (e != failure) {
                failure.addSuppressed(e);
            }
            throw failure;
        }
    }

    private boolean isOurs(Model model) {
        return api.deployments(model.id()).orElse(List.of()).stream()
                .anyMatch(deployment -> deployment.isOfPlan(plan.fingerprint()));
    }

    private void bring(Model model) {
        List<Deployment> all = api.deployments(model.id()).orElse(List.of());
        List<Deployment> same = all.stream()
                .filter(deployment -> deployment.isOfPlan(plan.fingerprint()))
                .toList();
        Optional<Deployment> stopped = last(same, Deployment::isStopped);
        Optional<Deployment> failed = last(same, Deployment::isFailed);
        Optional<Deployment> alive = last(same, deployment -> !deployment.isStopped() && !deployment.isFailed());
        if (alive.isPresent()) {
            alive.filter(Deployment::isParked).ifPresent(api::unpark);
            return;
        }
        if (stopped.isPresent()) {
            activate(stopped.get());
        } else if (failed.isPresent() && api.retry(failed.get())) {
            LOG.info(
                    "{}: deployment {} had failed and is tried again",
                    plan.name(),
                    failed.get().id());
        } else if (!all.isEmpty() || !isYoung(model)) {
            push(model);
        }
    }

    private void activate(Deployment stopped) {
        if (stopped.isParked()) {
            api.unpark(stopped);
        } else {
            api.activate(stopped);
        }
    }

    private boolean isYoung(Model model) {
        return model.createdAt().isBefore(Instant.MAX)
                && now.isBefore(model.createdAt().plus(HIDDEN));
    }

    private void push(Model model) {
        UploadTarget target = uploaded(Optional.of(model));
        ProviderException failure = null;
        try {
            api.push(model, plan, target);
        } catch (ProviderException e) {
            failure = e;
        }
        List<Deployment> same = api.deployments(model.id()).orElse(List.of()).stream()
                .filter(deployment -> deployment.isOfPlan(plan.fingerprint()) && !deployment.isFailed())
                .toList();
        if (failure != null && same.isEmpty()) {
            throw failure;
        }
        // Somebody else may have pushed the same; the oldest counts, unless another one serves already.
        same.stream()
                .skip(1)
                .filter(deployment -> !deployment.isProduction())
                .forEach(spare -> deleteSpare(model, spare));
    }

    private void deleteSpare(Model model, Deployment spare) {
        try {
            api.deleteDeployment(model.id(), spare.id());
        } catch (ProviderException e) {
            LOG.debug("{}: spare deployment {} stays: {}", plan.name(), spare.id(), e.getMessage());
        }
    }

    private static Optional<Deployment> last(List<Deployment> oldestFirst, Predicate<Deployment> which) {
        return oldestFirst.stream().filter(which).reduce((earlier, later) -> later);
    }
}
