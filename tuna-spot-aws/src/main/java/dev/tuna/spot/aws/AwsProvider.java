package dev.tuna.spot.aws;

import dev.tuna.spi.ProviderContext;
import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;

/**
 * The provider {@code aws}: GPU machines on Amazon EC2, on spare capacity and at list price.
 *
 * <p>Settings of the installation are described at {@link AwsSettings}, options of a request at {@link AwsOptions}; each of the
 * latter may be a setting too. Credentials are found by the AWS SDK itself.
 */
public final class AwsProvider implements SpotProvider {

    private final ReplicaLink.Maker links;

    /** For {@link java.util.ServiceLoader}. */
    public AwsProvider() {
        this(ChannelLink::new);
    }

    /** With other links, for tests. */
    AwsProvider(ReplicaLink.Maker links) {
        this.links = links;
    }

    @Override
    public String name() {
        return AwsOptions.PROVIDER;
    }

    @Override
    public SpotCloud open(ProviderContext context) {
        return new AwsSpotCloud(context, links);
    }
}
