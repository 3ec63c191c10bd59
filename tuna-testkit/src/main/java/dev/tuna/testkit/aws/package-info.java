/**
 * Amazon's cloud on a loopback port, as far as it takes to rent GPU machines: EC2, and what belongs to it of SSM, Pricing,
 * Service Quotas and STS.
 *
 * <p>Start at {@link dev.tuna.testkit.aws.AwsStandIn}.
 */
@NullMarked
package dev.tuna.testkit.aws;

import org.jspecify.annotations.NullMarked;
