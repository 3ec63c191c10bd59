/**
 * What a router's machine runs: its boot script, which keeps the router running, and beside it the agent of
 * {@link dev.tuna.spot.aws.channel}. Start at {@link dev.tuna.spot.aws.router.RouterBoot}.
 */
@NullMarked
package dev.tuna.spot.aws.router;

import org.jspecify.annotations.NullMarked;
