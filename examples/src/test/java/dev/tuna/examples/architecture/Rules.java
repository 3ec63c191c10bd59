package dev.tuna.examples.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the design says about who may see whom and what pure code may touch, for all packages under one root, so that the
 * same rules can be tried on classes that break them.
 */
final class Rules {

    private static final Set<String> CLOCKS = Set.of(
            "java.lang.System.currentTimeMillis()",
            "java.lang.System.nanoTime()",
            "java.time.Instant.now()",
            "java.time.LocalDate.now()",
            "java.time.LocalDateTime.now()",
            "java.time.OffsetDateTime.now()",
            "java.time.ZonedDateTime.now()",
            "java.time.Clock.systemUTC()",
            "java.time.InstantSource.system()");

    private static final Set<String> WALL_CLOCKS =
            Set.of("java.lang.System.currentTimeMillis()", "java.time.Instant.now()");

    private static final Set<String> SLEEPS = Set.of(
            "java.lang.Thread.sleep(long)",
            "java.lang.Thread.sleep(long, int)",
            "java.lang.Thread.sleep(java.time.Duration)",
            "java.util.concurrent.TimeUnit.sleep(long)");

    private static final Set<String> EXITS =
            Set.of("java.lang.System.exit(int)", "java.lang.Runtime.exit(int)", "java.lang.Runtime.halt(int)");

    private static final Set<String> CHANCE = Set.of(
            "java.lang.Math.random()",
            "java.util.UUID.randomUUID()",
            "java.util.Random.<init>()",
            "java.util.SplittableRandom.<init>()",
            "java.util.concurrent.ThreadLocalRandom.current()");

    private final String root;

    Rules(String root) {
        this.root = root;
    }

    // Who may see whom

    ArchRule apiStandsAlone() {
        return arrow("api and spi", in("api", "spi"), "router", "core", "provider", "spot", "testkit", "examples");
    }

    ArchRule apiDoesNotSeeSpi() {
        return arrow("api", in("api"), "spi");
    }

    ArchRule routerSeesNoCoreAndNoCloud() {
        return arrow("the router", in("router"), "core", "provider", "spot", "testkit", "examples");
    }

    ArchRule coreSeesNoProvider() {
        return arrow("core", in("core"), "provider", "spot", "testkit", "examples");
    }

    ArchRule providersSeeNeitherCoreNorRouter() {
        return arrow("a provider", in("provider", "spot"), "core", "router", "testkit", "examples");
    }

    ArchRule testkitSeesNeitherCoreNorRouter() {
        return arrow("the testkit", in("testkit"), "core", "router", "examples");
    }

    ArchRule providersDoNotSeeEachOther() {
        return slices().assignedFrom(byName("provider", javaClass -> {
                    String rest = under(javaClass, "provider.");
                    return rest.startsWith("support") ? "" : rest.replaceAll("\\..*", "");
                }))
                .should()
                .notDependOnEachOther()
                .allowEmptyShould(true);
    }

    /** The libraries of the design's module table; Java itself and JSpecify are everybody's. */
    ArchRule onlyLibrariesOfTheDesign(String module, String... libraries) {
        String[] allowed = Stream.concat(
                        Stream.of(
                                "java..",
                                "javax..",
                                "org.jspecify..",
                                "com.google.errorprone.annotations..",
                                root + ".."),
                        Arrays.stream(libraries))
                .toArray(String[]::new);
        return classes()
                .that()
                .resideInAnyPackage(in(module))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(allowed).or(primitivesAndArrays()))
                .as(module + " should use no libraries but " + List.of(libraries))
                .allowEmptyShould(true);
    }

    /**
     * An entry point lies beside the words it is told in and opens what lies deeper, so a module's entry points count as a
     * slice of their own: they may see every package of the module, and none of these may see them.
     */
    ArchRule noPackageCycles(String module, String... entryPoints) {
        Set<String> entries = Arrays.stream(entryPoints)
                .map(entry -> root + "." + module + "." + entry)
                .collect(Collectors.toSet());
        return slices().assignedFrom(byName(module, javaClass -> {
                    String outermost = javaClass.getName().replaceAll("\\$.*", "");
                    return entries.contains(outermost) ? "entry points" : javaClass.getPackageName();
                }))
                .should()
                .beFreeOfCycles()
                .as("packages of " + module + " should be free of cycles")
                .allowEmptyShould(true);
    }

    // What code may touch

    ArchRule pureCodeDoesNoInputOrOutput() {
        return noClasses()
                .that()
                .resideInAnyPackage(pure())
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                                "java.net..",
                                "java.nio.channels..",
                                "java.nio.file..",
                                "java.sql..",
                                "org.slf4j..",
                                "io.netty.channel..",
                                "io.netty.bootstrap..")
                        .or(resideInAnyPackage("java.io..").and(describe("no exception", Rules::isNoException)))
                        .or(type(Thread.class)))
                .as("pure packages should do no I/O, log nothing and start no threads")
                .allowEmptyShould(true);
    }

    ArchRule pureCodeAsksNoClockAndLeavesNothingToChance() {
        return noClasses()
                .that()
                .resideInAnyPackage(pure())
                .should()
                .accessTargetWhere(calling(CLOCKS).or(calling(SLEEPS)).or(calling(CHANCE)))
                .as("pure packages should take time and chance as arguments")
                .allowEmptyShould(true);
    }

    ArchRule timeIsInjected() {
        return noClasses()
                .that()
                .resideInAnyPackage(in("core", "router", "provider", "spot"))
                .should()
                .accessTargetWhere(calling(WALL_CLOCKS))
                .as("core, router and providers should take the time from an injected clock")
                .allowEmptyShould(true);
    }

    ArchRule nobodySleeps() {
        return noClasses()
                .that()
                .resideInAnyPackage(in("core", "router", "provider", "spot"))
                // The one place where waiting really takes time, injected everywhere else.
                .and()
                .doNotHaveFullyQualifiedName(root + ".provider.support.Sleeper")
                .should()
                .accessTargetWhere(calling(SLEEPS))
                .as("core, router and providers should wait through what is injected")
                .allowEmptyShould(true);
    }

    ArchRule onlyProgramsExit() {
        return noClasses()
                .that(describe("are no programs", javaClass -> !isProgram(javaClass)))
                // The last line that main programs share.
                .and()
                .doNotHaveFullyQualifiedName(root + ".examples.OrderlyExit")
                .should()
                .accessTargetWhere(calling(EXITS))
                .as("only main classes should end the process")
                .allowEmptyShould(true);
    }

    ArchRule librariesPrintNothing() {
        return noClasses()
                .that()
                .resideInAnyPackage(in("api", "spi", "core", "router", "provider", "spot"))
                .and(describe("are no programs", javaClass -> !isProgram(javaClass)))
                .should()
                .accessTargetWhere(describe("System.out or System.err", Rules::isStandardStream))
                .as("libraries should log through slf4j and print nothing")
                .allowEmptyShould(true);
    }

    ArchRule noJavaUtilLogging() {
        return noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.util.logging..", "org.apache.log4j..", "org.apache.logging..")
                .allowEmptyShould(true);
    }

    ArchRule everyPackageIsNullMarked() {
        return classes()
                .that()
                .resideInAnyPackage(root + "..")
                .should(new ArchCondition<JavaClass>("reside in a @NullMarked package") {
                    @Override
                    public void check(JavaClass javaClass, ConditionEvents events) {
                        boolean marked = javaClass.getPackage().isAnnotatedWith("org.jspecify.annotations.NullMarked");
                        events.add(new SimpleConditionEvent(
                                javaClass, marked, javaClass.getName() + ": its package-info lacks @NullMarked"));
                    }
                })
                .allowEmptyShould(true);
    }

    private ArchRule arrow(String who, String[] from, String... forbidden) {
        return noClasses()
                .that()
                .resideInAnyPackage(from)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(in(forbidden))
                .as(who + " should not see " + String.join(", ", forbidden))
                .allowEmptyShould(true);
    }

    private String[] in(String... modules) {
        return Arrays.stream(modules).map(module -> root + "." + module + "..").toArray(String[]::new);
    }

    private String[] pure() {
        return in(
                "router.state",
                "router.breaker",
                "router.select",
                "core.ledger",
                "core.budget",
                "core.autoscale",
                "core.placement");
    }

    private String under(JavaClass javaClass, String prefix) {
        String name = javaClass.getPackageName();
        String start = root + "." + prefix;
        return name.startsWith(start) ? name.substring(start.length()) : "";
    }

    /** Slices of one module; a class whose slice has no name belongs to none. */
    private SliceAssignment byName(String module, Function<JavaClass, String> slice) {
        return new SliceAssignment() {
            @Override
            public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
                String packageName = javaClass.getPackageName();
                String start = root + "." + module;
                boolean inside = packageName.equals(start) || packageName.startsWith(start + ".");
                String name = inside ? slice.apply(javaClass) : "";
                return name.isEmpty() ? SliceIdentifier.ignore() : SliceIdentifier.of(name);
            }

            @Override
            public String getDescription() {
                return "slices of " + module;
            }
        };
    }

    private static DescribedPredicate<JavaClass> primitivesAndArrays() {
        return describe(
                "primitives and arrays of them",
                javaClass -> javaClass.getBaseComponentType().isPrimitive());
    }

    private static boolean isNoException(JavaClass javaClass) {
        return !javaClass.isAssignableTo(Throwable.class) && !javaClass.isEquivalentTo(java.io.Serializable.class);
    }

    private static boolean isProgram(JavaClass javaClass) {
        return javaClass.getMethods().stream()
                .anyMatch(method -> method.getName().equals("main")
                        && method.getModifiers().containsAll(Set.of(JavaModifier.PUBLIC, JavaModifier.STATIC)));
    }

    private static boolean isStandardStream(JavaAccess<?> access) {
        return access.getTargetOwner().isEquivalentTo(System.class)
                && (access.getName().equals("out") || access.getName().equals("err"));
    }

    private static DescribedPredicate<JavaAccess<?>> calling(Set<String> signatures) {
        Predicate<JavaAccess<?>> calls =
                access -> signatures.contains(access.getTarget().getFullName());
        return describe("a call or reference to one of " + signatures, calls);
    }
}
