/**
 * What goes on between the host and a replica: who both are, what the replica runs, and what it tells. Start at {@link
 * dev.tuna.spot.aws.channel.ReplicaChannel} for a machine that is there, and at {@link
 * dev.tuna.spot.aws.channel.UserData} for one that is to be.
 */
@NullMarked
package dev.tuna.spot.aws.channel;

import org.jspecify.annotations.NullMarked;
