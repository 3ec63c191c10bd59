/**
 * The local cloud: serverless endpoints and rented machines on this computer, for tests, examples and a developer's
 * laptop. Start at {@link dev.tuna.testkit.cloud.LocalCloud}, or {@link dev.tuna.testkit.cloud.LocalCloudMain} for the
 * command line.
 */
@NullMarked
package dev.tuna.testkit.cloud;

import org.jspecify.annotations.NullMarked;
