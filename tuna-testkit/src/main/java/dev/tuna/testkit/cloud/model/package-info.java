/**
 * What a cloud does, without any I/O of its own: the same rules serve the local cloud's process and the simulation on
 * virtual time. Start at {@link dev.tuna.testkit.cloud.model.CloudModel}.
 */
@NullMarked
package dev.tuna.testkit.cloud.model;

import org.jspecify.annotations.NullMarked;
