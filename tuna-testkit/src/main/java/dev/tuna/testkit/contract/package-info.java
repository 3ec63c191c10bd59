/**
 * What every provider plugin must hold to, as JUnit tests that a plugin's author extends; JUnit and AssertJ must be on
 * the class path.
 *
 * <p>Start at {@link dev.tuna.testkit.contract.ServerlessProviderContract} or
 * {@link dev.tuna.testkit.contract.SpotProviderContract}.
 */
@NullMarked
package dev.tuna.testkit.contract;

import org.jspecify.annotations.NullMarked;
