package dev.tuna.core.provider;

import dev.tuna.api.ProviderException;
import dev.tuna.spi.ResourceRecord;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.StateStore;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What plugins declared in their journals beside endpoints and replicas: templates, groups, keys. Blocks; thread-safe.
 *
 * @param clouds the plugins that made them
 * @param store where the journals are kept
 */
public record Helpers(Clouds clouds, StateStore store) {

    /**
     * Makes sure that nothing is left of a deployment. What its journals still have is asked to go once more.
     *
     * @param deploymentId {@link ResourceRecord#deploymentId()}
     * @param deployment the deployment's name at its providers
     * @throws dev.tuna.api.TunaException naming what is left, if something is; to be tried again
     */
    public void sweep(String deploymentId, String deployment) {
        List<ResourceRef> declared = open(deploymentId);
        if (declared.isEmpty()) {
            return;
        }
        declared.stream()
                .collect(Collectors.groupingBy(ResourceRef::provider))
                .forEach((provider, helpers) -> remove(provider, helpers, deployment));
        List<ResourceRef> left = open(deploymentId);
        if (!left.isEmpty()) {
            throw ProviderException.of(left.get(0).provider(), "remove helpers")
                    .message("its journal still has " + left + "; if they are gone, its plugin has not said so")
                    .retryable(true)
                    .build();
        }
    }

    private void remove(String provider, List<ResourceRef> helpers, String deployment) {
        if (clouds.catalog().spotNames().contains(provider)) {
            clouds.spot(provider).cleanUp(deployment);
        }
        if (clouds.catalog().serverlessNames().contains(provider)) {
            helpers.forEach(clouds.serverless(provider)::destroy);
        }
    }

    private List<ResourceRef> open(String deploymentId) {
        return store.load().resources().stream()
                .filter(record ->
                        record.tier().isEmpty() && record.deploymentId().equals(deploymentId))
                .flatMap(record -> record.resource().stream())
                .toList();
    }
}
