/**
 * The stand-in of AWS, asked by AWS's own clients: what they understand is what AWS says.
 *
 * <p>Start at {@link dev.tuna.spot.aws.standin.FleetsTest}.
 */
@NullMarked
package dev.tuna.spot.aws.standin;

import org.jspecify.annotations.NullMarked;
