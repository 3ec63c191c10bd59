package dev.tuna.spot.aws;

import dev.tuna.api.PreflightReport.Check;
import dev.tuna.api.PreflightReport.Outcome;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Checks;
import java.util.List;
import java.util.Optional;

/**
 * Whether an account may have a machine at all: EC2 counts virtual CPUs, by market and by kind of type, in each region. New
 * accounts often have none for GPUs. Keeps nothing.
 *
 * @param clients the SDK's
 * @param region where
 */
record QuotaChecks(AwsClients clients, String region) {

    private static final String EC2 = "ec2";

    /**
     * One market.
     *
     * @param spot which
     * @param types those that would do, the smallest first
     */
    Check check(boolean spot, List<MachineType> types) {
        String name = spot ? "spot_quota" : "on_demand_quota";
        MachineType smallest = types.get(0);
        String code = smallest.quota().code(spot);
        String what = (spot ? "spot" : "on-demand") + " vCPUs of "
                + smallest.quota().types() + " types in " + region + " (" + code + ")";
        try {
            int has = (int) value(code);
            if (has >= smallest.vcpus()) {
                return Check.passed(
                        name, has + " " + what + ": enough for " + has / smallest.vcpus() + " x " + smallest.name());
            }
            return new Check(
                    name,
                    Outcome.FAILED,
                    "the account may have " + has + " " + what + ", and " + smallest.name() + " has "
                            + smallest.vcpus(),
                    Optional.of(increase(code, Math.max(smallest.vcpus() * 4, 16))));
        } catch (TunaException e) {
            return Checks.failed(
                    name,
                    e,
                    "https://console.aws.amazon.com/servicequotas/home/services/ec2/quotas/" + code + "?region="
                            + region);
        }
    }

    private String increase(String code, int value) {
        return "aws service-quotas request-service-quota-increase --service-code ec2 --quota-code " + code
                + " --desired-value " + value + " --region " + region;
    }

    /** What was never raised is only known as AWS's default. */
    private double value(String code) {
        AwsCalls calls = new AwsCalls(region);
        return calls.unless(
                        AwsFault.NOT_FOUND,
                        "read quota",
                        "servicequotas:GetServiceQuota",
                        () -> clients.quotas(region)
                                .getServiceQuota(
                                        request -> request.serviceCode(EC2).quotaCode(code))
                                .quota()
                                .value())
                .orElseGet(() -> calls.call(
                        "read quota",
                        "servicequotas:GetAWSDefaultServiceQuota",
                        () -> clients.quotas(region)
                                .getAWSDefaultServiceQuota(
                                        request -> request.serviceCode(EC2).quotaCode(code))
                                .quota()
                                .value()));
    }
}
