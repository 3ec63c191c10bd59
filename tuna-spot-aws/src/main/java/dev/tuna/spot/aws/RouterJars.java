package dev.tuna.spot.aws;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.spi.Journal;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Takes jars to a bucket of the user's, each once for each machine, and hands out URLs that are good for an hour. The bucket
 * itself is neither made nor changed. Keeps nothing; thread-safe.
 *
 * @param clients the SDK's
 * @param journal where what is put into a bucket is declared
 * @param ownerId the installation
 */
record RouterJars(AwsClients clients, Journal journal, String ownerId) {

    private static final Logger LOG = LoggerFactory.getLogger(RouterJars.class);

    /** As long as a machine may take from its launch until it fetches its jar. */
    static final Duration GOOD_FOR = Duration.ofHours(1);

    private static final String TYPE = "application/java-archive";

    /**
     * Where a machine can fetch a jar.
     *
     * @param region where the bucket is
     * @param bucket needed for a file
     * @param vm the machine's name
     * @throws ConfigurationException if the file is not there, or not the one that is meant
     */
    URI deliver(String region, Optional<String> bucket, String vm, URI jar, String sha256) {
        if (!"file".equals(jar.getScheme())) {
            return jar;
        }
        String name = bucket.orElseThrow(() -> problem("option artifact_bucket was missing when router VM '" + vm
                + "' was planned, and the jar " + jar + " is a file, which reaches a machine by a bucket of yours in "
                + region + "; name a jar by an https URL, or deploy to another machine"));
        Path file = checked(jar, sha256);
        String prefix = Names.routerJars(ownerId, vm);
        String key = prefix + sha256 + ".jar";
        if (!isThere(region, name, key)) {
            journal.intend(
                    RouterCloud.journal(vm),
                    Names.ref(Names.JARS, region, name + "/" + prefix),
                    "{\"Key\":\"" + key + "\"}");
            new AwsCalls(region)
                    .call(
                            "put jar into bucket " + name,
                            "s3:PutObject",
                            () -> clients.s3(region)
                                    .putObject(
                                            request -> request.bucket(name)
                                                    .key(key)
                                                    .contentType(TYPE),
                                            RequestBody.fromFile(file)));
            LOG.info("router VM {}: {} is in bucket {}", vm, file.getFileName(), name);
        }
        return clients.presigned(region, name, key, GOOD_FOR);
    }

    private boolean isThere(String region, String bucket, String key) {
        // Who may not list a bucket is not told what is not in it.
        return new AwsCalls(region)
                .unlessAny(
                        Set.of(AwsFault.NOT_FOUND, AwsFault.PERMISSION),
                        "look for jar in bucket " + bucket,
                        "s3:GetObject",
                        () -> clients.s3(region)
                                .headObject(request -> request.bucket(bucket).key(key)))
                .isEmpty();
    }

    private static Path checked(URI jar, String sha256) {
        try {
            Path file = Path.of(jar);
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (InputStream in = Files.newInputStream(file)) {
                byte[] some = new byte[64 << 10];
                for (int read = in.read(some); read >= 0; read = in.read(some)) {
                    digest.update(some, 0, read);
                }
            }
            String found = HexFormat.of().formatHex(digest.digest());
            if (!found.equals(sha256)) {
                throw problem("the jar " + jar + " has the checksum " + found + " and not " + sha256);
            }
            return file;
        } catch (IOException | IllegalArgumentException e) {
            throw problem("the jar " + jar + " cannot be read: " + e.getMessage());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static ConfigurationException problem(String what) {
        return new ConfigurationException(ErrorCode.INVALID_REQUEST, AwsOptions.PROVIDER + ": " + what);
    }

    /** Removes every jar of a machine from a bucket. */
    void remove(String region, String bucket, String owner, String vm) {
        String prefix = Names.routerJars(owner, vm);
        Optional<List<String>> keys = new AwsCalls(region)
                .unless(
                        AwsFault.NOT_FOUND,
                        "list jars in bucket " + bucket,
                        "s3:ListBucket",
                        () -> clients
                                .s3(region)
                                .listObjectsV2Paginator(
                                        request -> request.bucket(bucket).prefix(prefix))
                                .contents()
                                .stream()
                                .map(S3Object::key)
                                .toList());
        keys.orElse(List.of())
                .forEach(key -> new AwsCalls(region)
                        .unless(
                                AwsFault.NOT_FOUND,
                                "delete jar from bucket " + bucket,
                                "s3:DeleteObject",
                                () -> clients.s3(region)
                                        .deleteObject(request ->
                                                request.bucket(bucket).key(key))));
    }

    /** The bucket of a declared resource. */
    static String bucket(ResourceRef jars) {
        String id = Names.id(jars);
        return id.substring(0, id.indexOf('/'));
    }
}
