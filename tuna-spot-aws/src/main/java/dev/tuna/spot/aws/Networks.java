package dev.tuna.spot.aws;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Vpc;

/**
 * Finds the network of a region. Keeps nothing; thread-safe.
 *
 * @param clients the SDK's
 * @param region where
 */
record Networks(AwsClients clients, String region) {

    static final String CREATE_DEFAULT = "aws ec2 create-default-vpc --region ";

    private AwsCalls calls() {
        return new AwsCalls(region);
    }

    /**
     * The network that is allowed: the one that is named, the one of the subnets named, or the region's default.
     *
     * @return the network; empty if there is none
     * @throws ConfigurationException if what is named does not fit together
     */
    Optional<Network> find(Optional<String> vpc, List<String> subnetsAllowed) {
        List<Subnet> subnets = subnets(vpc, subnetsAllowed);
        List<String> networks = subnets.stream().map(Subnet::vpcId).distinct().toList();
        if (networks.size() > 1) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "provider aws: the subnets of " + region + " belong to " + String.join(" and ", networks)
                            + "; machines of a region must be in one network");
        }
        if (networks.isEmpty()) {
            return Optional.empty();
        }
        return calls()
                .call(
                        "list networks",
                        "ec2:DescribeVpcs",
                        () -> clients.ec2(region)
                                .describeVpcs(request -> request.filters(filter("vpc-id", networks.get(0)))))
                .vpcs()
                .stream()
                .findFirst()
                .map(network -> network(network, subnets));
    }

    private static Network network(Vpc vpc, List<Subnet> subnets) {
        return new Network(
                vpc.vpcId(),
                vpc.cidrBlock(),
                subnets.stream()
                        .collect(Collectors.groupingBy(
                                Subnet::availabilityZone,
                                Collectors.mapping(
                                        Subnet::subnetId,
                                        Collectors.collectingAndThen(
                                                Collectors.toList(),
                                                ids -> ids.stream().sorted().toList())))));
    }

    /** A network that is named is used with all its subnets; of the default one those that are a zone's default. */
    private List<Subnet> subnets(Optional<String> vpc, List<String> allowed) {
        List<Filter> filters = vpc.isPresent()
                ? List.of(filter("vpc-id", vpc.get()))
                : allowed.isEmpty()
                        ? List.of(filter("default-for-az", "true"))
                        : List.of(filter("subnet-id", allowed.toArray(String[]::new)));
        return calls().call(
                        "list subnets",
                        "ec2:DescribeSubnets",
                        () ->
                                clients
                                        .ec2(region)
                                        .describeSubnetsPaginator(request -> request.filters(filters))
                                        .subnets()
                                        .stream()
                                        .filter(subnet -> allowed.isEmpty() || allowed.contains(subnet.subnetId()))
                                        .toList());
    }

    static Filter filter(String name, String... values) {
        return Filter.builder().name(name).values(values).build();
    }
}
