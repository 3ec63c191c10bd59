package dev.tuna.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.tuna.api.BackendPhase;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.PreflightReport;
import dev.tuna.api.ProviderException;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.Credential;
import dev.tuna.spi.EngineSpec;
import dev.tuna.spi.FoundResource;
import dev.tuna.spi.ResourceRef;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.opentest4j.TestAbortedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the contracts of both kinds of provider have in common. */
public abstract class ProviderContract {

    private static final Logger LOG = LoggerFactory.getLogger(ProviderContract.class);
    private static final int THREADS = 8;
    private static final Duration POLL = Duration.ofMillis(50);

    private final List<AutoCloseable> opened = new ArrayList<>();
    private ContractContext current = ContractContext.create();

    ProviderContract() {}

    /**
     * A context with which the provider works: its settings, credentials and, if need be, a clock.
     *
     * @return a new context for each test, all of them for the same cloud
     */
    protected abstract ContractContext context();

    /**
     * A context with which the provider cannot work: a wrong credential, or an API that nobody answers at.
     *
     * @param working a context from {@link #context()}, to derive the broken one from
     * @return a context with which preflight fails
     */
    protected abstract ContractContext broken(ContractContext working);

    /**
     * What this cloud cannot do. The tests that need it are skipped, and the reason is printed.
     *
     * @return ability to reason; empty by default
     */
    protected Map<Ability, String> cannot() {
        return Map.of();
    }

    /**
     * How long {@link #eventually} waits; 60 s by default.
     *
     * @return longer than zero
     */
    protected Duration patience() {
        return Duration.ofSeconds(60);
    }

    /**
     * Lets time pass until a condition holds. By default real time; a cloud on virtual time moves that instead.
     *
     * @param condition asked again and again, by this thread
     * @return whether it came true within {@link #patience()}
     */
    protected boolean eventually(BooleanSupplier condition) {
        long deadline = System.nanoTime() + patience().toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            try {
                TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    /**
     * The engine that the tests ask for: one small GPU, both secrets of {@link ContractContext}.
     *
     * @param deployment the deployment's name, which is also the served model name
     * @return the engine
     */
    protected EngineSpec engine(String deployment) {
        return new EngineSpec(
                "contract/tiny",
                deployment,
                "L4",
                Optional.of("8.9"),
                1,
                1,
                4096,
                Optional.empty(),
                false,
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.of(ContractContext.ENGINE_KEY),
                Map.of("HF_TOKEN", ContractContext.MODEL_TOKEN));
    }

    @BeforeEach
    void newContext() {
        current = context();
    }

    @AfterEach
    void leaveNothing() throws Exception {
        try {
            removeEverything();
        } finally {
            for (AutoCloseable cloud : opened) {
                cloud.close();
            }
        }
    }

    /** Ends whatever the test began and waits until the cloud confirms. */
    abstract void removeEverything();

    final ContractContext here() {
        return current;
    }

    final <T extends AutoCloseable> T opened(T cloud) {
        opened.add(cloud);
        return cloud;
    }

    static String newDeployment() {
        return "tuna-" + ContractContext.random().substring(0, 8);
    }

    final void needs(Ability ability) {
        String reason = cannot().get(ability);
        if (reason != null) {
            LOG.warn("{} skips what needs {}: {}", getClass().getSimpleName(), ability, reason);
            throw new TestAbortedException(ability + ": " + reason);
        }
    }

    /** Not every cloud can do it; one that cannot says so when it is asked, and the rest of the test is skipped. */
    final void unlessRefused(Runnable call) {
        try {
            call.run();
        } catch (ConfigurationException e) {
            LOG.warn("{} skips what its cloud refuses: {}", getClass().getSimpleName(), e.getMessage());
            throw new TestAbortedException(e.getMessage(), e);
        }
    }

    final void waitFor(String what, BooleanSupplier condition) {
        assertThat(eventually(condition)).as(what).isTrue();
    }

    /** Lets at least a second pass on the context's clock. */
    final void letTimePass() {
        Instant start = current.clock().instant();
        waitFor("the clock moves on", () -> !current.clock().instant().isBefore(start.plusSeconds(1)));
    }

    final void checkName(Supplier<String> name) {
        assertThat(name.get()).matches("[a-z0-9][a-z0-9-]*").isEqualTo(name.get());
    }

    final <T> void checkLoadable(Class<T> service, T provider) {
        needs(Ability.LOAD_AS_SERVICE);
        Class<?> type = provider.getClass();
        assertThat(type).as("the loaded class").isPublic().isFinal();
        assertThat(Arrays.stream(type.getConstructors()))
                .as("public constructors of %s without parameters", type.getName())
                .anyMatch(constructor -> constructor.getParameterCount() == 0);
        assertThat(ServiceLoader.load(service, type.getClassLoader()))
                .as("what META-INF/services/%s declares", service.getName())
                .anyMatch(found -> found.getClass() == type);
    }

    static void checkStateless(Object provider) {
        List<Field> changing = Arrays.stream(provider.getClass().getDeclaredFields())
                .filter(field -> !field.isSynthetic() && !Modifier.isFinal(field.getModifiers()))
                .toList();
        assertThat(changing)
                .as("fields of %s that can change", provider.getClass().getName())
                .isEmpty();
    }

    static void checkReport(PreflightReport report, String provider) {
        assertThat(report.provider()).isEqualTo(provider);
        assertThat(report.checks()).as("checks made").isNotEmpty().allSatisfy(check -> {
            assertThat(check.name()).as("check name").matches("[a-z][a-z0-9_]*");
            assertThat(check.message()).as("message of %s", check.name()).isNotBlank();
            if (check.outcome() == PreflightReport.Outcome.FAILED) {
                assertThat(check.fix())
                        .as("fix for %s", check.name())
                        .hasValueSatisfying(fix -> assertThat(fix).isNotBlank());
            }
        });
    }

    static void checkPrice(Optional<BigDecimal> usdPerHour) {
        usdPerHour.ifPresent(price ->
                assertThat(price).as("a price per hour; unknown is empty").isNotNegative());
    }

    /** Records one more phase and checks that none is passed backwards on the way up. */
    static void checkOnTheWayUp(List<BackendPhase> seen, BackendPhase next) {
        assertThat(next).as("a phase on the way up, after %s", seen).isLessThanOrEqualTo(BackendPhase.READY);
        if (!seen.isEmpty()) {
            assertThat(next).as("the phase after %s", seen).isGreaterThanOrEqualTo(seen.get(seen.size() - 1));
        }
        seen.add(next);
    }

    final void checkServes(Optional<BackendAddress> address, String model, boolean publicAccess) {
        assertThat(address).as("address of what is READY").isPresent();
        needs(Ability.SERVE_REQUESTS);
        // A backend that no public authority knows is reached over TLS of its own.
        HttpClient http = address.orElseThrow()
                .tls()
                .map(tls -> HttpClient.newBuilder().sslContext(tls.sslContext()).build())
                .orElse(current.http());
        Probe probe = new Probe(http, address.orElseThrow(), model);
        waitFor("health answers 200", () -> probe.health().statusCode() == 200);
        Optional<Credential> credential = address.orElseThrow().credential();
        waitFor("a chat request answers 200", () -> probe.chat(credential).statusCode() == 200);
        assertThat(probe.chat(credential).body()).as("the chat answer").contains("\"choices\"");
        if (!publicAccess) {
            needs(Ability.GUARD_ENDPOINT);
            assertThat(credential).as("credential of a guarded endpoint").isPresent();
            assertThat(probe.chat(Optional.empty()).statusCode())
                    .as("status without a credential")
                    .isIn(401, 403);
            Credential wrong = new Credential(credential.orElseThrow().header(), Secret.of("Bearer wrong"));
            assertThat(probe.chat(Optional.of(wrong)).statusCode())
                    .as("status with a wrong credential")
                    .isIn(401, 403);
        }
    }

    /** Notes what is declared after it is there already. */
    final List<ResourceRef> watchForLateIntents(Supplier<List<FoundResource>> find) {
        List<ResourceRef> late = new ArrayList<>();
        current.journal().watch(resource -> {
            if (find.get().stream().anyMatch(found -> found.resource().equals(resource))) {
                late.add(resource);
            }
        });
        return late;
    }

    static List<FoundResource> of(String deployment, List<FoundResource> found) {
        return found.stream()
                .filter(resource -> resource.deployment().equals(deployment))
                .toList();
    }

    /** A failure must be of a kind that core knows how to treat, and its retryable flag must fit its code. */
    final Optional<TunaException> failure(ThrowingCallable call) {
        try {
            call.call();
            return Optional.empty();
        } catch (TunaException e) {
            checkRetryable(e);
            checkNoSecret("an exception", e);
            return Optional.of(e);
        } catch (AssertionError e) {
            throw e;
        } catch (Throwable e) {
            return fail("only TunaException kinds may be thrown, not " + e, e);
        }
    }

    private static void checkRetryable(TunaException error) {
        if (error.code() == ErrorCode.CREDENTIALS
                || error.code() == ErrorCode.NOT_CONFIGURED
                || error.code() == ErrorCode.QUOTA) {
            assertThat(error.retryable()).as("retryable, %s", error).isFalse();
        }
        if (error instanceof ProviderException && error.code() == ErrorCode.UNREACHABLE) {
            assertThat(error.retryable()).as("retryable, %s", error).isTrue();
        }
    }

    final void checkNoSecret(String what, Object value) {
        String text = value instanceof Throwable error ? stackTrace(error) : value.toString();
        for (Secret secret : current.secrets().seen()) {
            // Not "doesNotContain": a failing assertion would print the secret.
            boolean leaks = text.contains(secret.reveal()) || text.contains(base64(secret));
            assertThat(leaks).as("%s contains a secret", what).isFalse();
        }
    }

    /** What a plugin sent or stored, and what it shows of itself. */
    final void checkNoSecretIn(Map<String, Object> values) {
        values.forEach(this::checkNoSecret);
        current.journal().intents().forEach(intent -> checkNoSecret("the journal", intent));
    }

    private static String base64(Secret secret) {
        return Base64.getEncoder()
                .withoutPadding()
                .encodeToString(secret.reveal().getBytes(StandardCharsets.UTF_8));
    }

    private static String stackTrace(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    /** Runs the same call in several threads that start as one. */
    final <T> List<T> atOnce(Callable<T> call) {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, work -> {
            Thread thread = new Thread(work, "tuna-contract");
            thread.setDaemon(true);
            return thread;
        });
        try {
            CountDownLatch start = new CountDownLatch(THREADS);
            List<Future<T>> running = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                running.add(threads.submit(() -> {
                    start.countDown();
                    start.await();
                    return call.call();
                }));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> result : running) {
                results.add(result.get(patience().toSeconds(), TimeUnit.SECONDS));
            }
            return results;
        } catch (ExecutionException e) {
            return fail("a call made at the same time as others failed", e.getCause());
        } catch (java.util.concurrent.TimeoutException e) {
            return fail("a call made at the same time as others hangs", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return fail("interrupted", e);
        } finally {
            threads.shutdownNow();
        }
    }
}
