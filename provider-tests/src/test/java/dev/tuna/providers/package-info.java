/**
 * The control plane before the stand-ins of all vendors. Start at {@link dev.tuna.providers.VendorCrashMatrixIT} and
 * {@link dev.tuna.providers.VendorSecretsIT}.
 */
@NullMarked
package dev.tuna.providers;

import org.jspecify.annotations.NullMarked;
