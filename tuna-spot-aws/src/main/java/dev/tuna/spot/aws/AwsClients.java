package dev.tuna.spot.aws;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.builder.SdkSyncClientBuilder;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.pricing.PricingClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import software.amazon.awssdk.services.servicequotas.ServiceQuotasClient;
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.sts.StsClient;

/**
 * The SDK's clients, one for each service and region, made when first asked for: the first one takes a second. They share one
 * HTTP client and one source of credentials. Thread-safe; closed once, and of no use afterwards.
 */
final class AwsClients implements AutoCloseable {

    /** The prices of all regions are told in a few. */
    static final String PRICES = "us-east-1";

    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(20);

    private final AwsSettings settings;
    private final Supplier<AwsCredentialsProvider> credentials;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, SdkClient> clients = new ConcurrentHashMap<>();

    // Guarded by lock:
    private @Nullable SdkHttpClient http;
    private @Nullable AwsCredentialsProvider provider;
    private boolean closed;

    /** Makes nothing yet. */
    AwsClients(AwsSettings settings, Supplier<AwsCredentialsProvider> credentials) {
        this.settings = settings;
        this.credentials = credentials;
    }

    Ec2Client ec2(String region) {
        return client(Ec2Client.class, region, () -> configured(Ec2Client.builder(), region));
    }

    SsmClient ssm(String region) {
        return client(SsmClient.class, region, () -> configured(SsmClient.builder(), region));
    }

    ServiceQuotasClient quotas(String region) {
        return client(ServiceQuotasClient.class, region, () -> configured(ServiceQuotasClient.builder(), region));
    }

    StsClient sts(String region) {
        return client(StsClient.class, region, () -> configured(StsClient.builder(), region));
    }

    PricingClient pricing() {
        return client(PricingClient.class, PRICES, () -> configured(PricingClient.builder(), PRICES));
    }

    /** Buckets are on hosts of their own, unless one host stands for all of AWS. */
    S3Client s3(String region) {
        return client(
                S3Client.class,
                region,
                () -> configured(
                        S3Client.builder()
                                .forcePathStyle(settings.endpoint().isPresent())
                                .serviceConfiguration(configuration -> configuration.chunkedEncodingEnabled(false))
                                // What is sent has a checksum of its own, in its name.
                                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED),
                        region));
    }

    /** A URL by which whoever has it can fetch an object for a while, with the rights that these credentials have then. */
    URI presigned(String region, String bucket, String key, Duration time) {
        var builder = S3Presigner.builder()
                .region(Region.of(region))
                .credentialsProvider(keys())
                .serviceConfiguration(S3Configuration.builder()
                        .pathStyleAccessEnabled(settings.endpoint().isPresent())
                        .build());
        settings.endpoint().ifPresent(builder::endpointOverride);
        try (S3Presigner presigner = builder.build()) {
            return URI.create(presigner
                    .presignGetObject(request -> request.signatureDuration(time)
                            .getObjectRequest(object -> object.bucket(bucket).key(key)))
                    .url()
                    .toString());
        }
    }

    private AwsCredentialsProvider keys() {
        lock.lock();
        try {
            if (closed) {
                throw AwsCalls.closed();
            }
            AwsCredentialsProvider known = provider;
            if (known == null) {
                known = credentials.get();
                provider = known;
            }
            return known;
        } finally {
            lock.unlock();
        }
    }

    private <C extends SdkClient> C client(Class<C> type, String region, Supplier<C> make) {
        String key = type.getName() + " " + region;
        SdkClient known = clients.get(key);
        if (known == null) {
            lock.lock();
            try {
                known = clients.get(key);
                if (known == null) {
                    known = make.get();
                    clients.put(key, known);
                }
            } finally {
                lock.unlock();
            }
        }
        return type.cast(known);
    }

    private <B extends AwsClientBuilder<B, C> & SdkSyncClientBuilder<B, C>, C> C configured(B builder, String region) {
        if (closed) {
            throw AwsCalls.closed();
        }
        SdkHttpClient shared = http;
        if (shared == null) {
            shared = UrlConnectionHttpClient.builder()
                    .connectionTimeout(CONNECT)
                    .socketTimeout(ANSWER)
                    .build();
            http = shared;
        }
        settings.endpoint().ifPresent(builder::endpointOverride);
        return builder.region(Region.of(region))
                .credentialsProvider(keys())
                // A client that was not made here is not closed by the SDK's.
                .httpClient(shared)
                .overrideConfiguration(ClientOverrideConfiguration.builder()
                        .retryStrategy(AwsRetries.strategy())
                        .build())
                .build();
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            clients.values().forEach(SdkClient::close);
            clients.clear();
            if (provider instanceof AutoCloseable closeable) {
                closeQuietly(closeable);
            }
            if (http != null) {
                http.close();
            }
        } finally {
            lock.unlock();
        }
    }

    private static void closeQuietly(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            // A source of credentials that cannot be closed keeps nothing that matters.
        }
    }
}
