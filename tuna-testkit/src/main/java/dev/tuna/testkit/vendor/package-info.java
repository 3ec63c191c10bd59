/**
 * What the stand-ins of vendors' APIs have in common: a real HTTP server that records what it was asked and what it
 * answered, and that can fail at any step.
 *
 * <p>Start at {@link dev.tuna.testkit.vendor.VendorServer}.
 */
@NullMarked
package dev.tuna.testkit.vendor;

import org.jspecify.annotations.NullMarked;
