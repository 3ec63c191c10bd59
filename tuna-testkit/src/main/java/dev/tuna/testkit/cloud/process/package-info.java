/**
 * The cloud with real model servers and a real port: machines as child processes or inside this JVM, and the HTTP API in
 * front. Start at {@link dev.tuna.testkit.cloud.process.CloudHost}.
 */
@NullMarked
package dev.tuna.testkit.cloud.process;

import org.jspecify.annotations.NullMarked;
