/**
 * Serverless GPU services on Google Cloud Run, through its Admin API v2.
 *
 * <p>Start at {@link dev.tuna.provider.cloudrun.CloudRunProvider}.
 */
@NullMarked
package dev.tuna.provider.cloudrun;

import org.jspecify.annotations.NullMarked;
