/**
 * Rented GPU machines on Amazon EC2, on spare capacity and at list price, through the AWS SDK for Java.
 *
 * <p>Start at {@link dev.tuna.spot.aws.AwsProvider}.
 */
@NullMarked
package dev.tuna.spot.aws;

import org.jspecify.annotations.NullMarked;
