package dev.tuna.spot.aws;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The least that whoever calls AWS for Tuna must be allowed. Pure. */
public final class IamPolicy {

    /** What only looks. */
    private static final List<String> READ = List.of(
            "ec2:DescribeFleets",
            "ec2:DescribeImages",
            "ec2:DescribeInstanceTypeOfferings",
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeInstances",
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:DescribeLaunchTemplates",
            "ec2:DescribeRegions",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSpotInstanceRequests",
            "ec2:DescribeSpotPriceHistory",
            "ec2:DescribeSubnets",
            "ec2:DescribeTags",
            "ec2:DescribeVolumes",
            "ec2:DescribeVpcs",
            "ec2:GetSpotPlacementScores",
            "pricing:GetProducts",
            "servicequotas:GetAWSDefaultServiceQuota",
            "servicequotas:GetServiceQuota",
            "sts:GetCallerIdentity");

    /** What makes something new, with the owner's tag. A fleet runs instances in the name of whoever creates it. */
    private static final List<String> CREATE =
            List.of("ec2:CreateFleet", "ec2:CreateLaunchTemplate", "ec2:CreateSecurityGroup", "ec2:RunInstances");

    /** What changes or ends only what carries an owner's tag. */
    private static final List<String> OWN = List.of(
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:CreateLaunchTemplateVersion",
            "ec2:DeleteFleets",
            "ec2:DeleteLaunchTemplate",
            "ec2:DeleteLaunchTemplateVersions",
            "ec2:DeleteSecurityGroup",
            "ec2:DeleteVolume",
            "ec2:RevokeSecurityGroupIngress",
            "ec2:TerminateInstances");

    private static final String TAG = "ec2:CreateTags";
    private static final String IMAGE = "ssm:GetParameter";
    private static final String ROLE = "iam:CreateServiceLinkedRole";
    private static final String PASS_ROLE = "iam:PassRole";

    /** What else it takes to have routers on machines of their own: their jars, and what is known of how to talk to them. */
    private static final List<String> JARS = List.of("s3:DeleteObject", "s3:GetObject", "s3:PutObject");

    private static final List<String> LIST = List.of("s3:ListBucket");
    private static final List<String> ACCESS = List.of("ssm:DeleteParameter", "ssm:GetParameter", "ssm:PutParameter");

    private static final List<String> TAGGED_BY =
            List.of("CreateFleet", "CreateLaunchTemplate", "CreateSecurityGroup", "RunInstances");
    private static final List<String> SERVICES = List.of("spot.amazonaws.com", "ec2fleet.amazonaws.com");

    private IamPolicy() {}

    /**
     * Every action that the policy allows.
     *
     * @return names such as {@code ec2:CreateFleet}, sorted
     */
    public static List<String> actions() {
        var actions = new TreeSet<String>();
        Stream.of(READ, CREATE, OWN, List.of(TAG, IMAGE, ROLE, PASS_ROLE), JARS, LIST, ACCESS)
                .forEach(actions::addAll);
        return List.copyOf(actions);
    }

    /**
     * The policy for machines that have no instance profile.
     *
     * @return an IAM policy document
     */
    public static String json() {
        return policy(Optional.empty()).toPrettyString();
    }

    /**
     * The policy for machines with an instance profile.
     *
     * @param roleArn ARN of the profile's role
     * @return an IAM policy document
     */
    public static String json(String roleArn) {
        return policy(Optional.of(roleArn)).toPrettyString();
    }

    /**
     * What whoever has routers on machines of their own must be allowed beside {@link #json()}. The machines' role itself needs
     * {@link #json()} if they are to rent replicas, and otherwise nothing.
     *
     * @param roleArn ARN of the role of {@code router_instance_profile}
     * @param bucket name of {@code artifact_bucket}
     * @return an IAM policy document
     */
    public static String routerJson(String roleArn, String bucket) {
        return routerPolicy(roleArn, bucket).toPrettyString();
    }

    static ObjectNode routerPolicy(String roleArn, String bucket) {
        ObjectNode policy = SdkJson.JSON.createObjectNode().put("Version", "2012-10-17");
        policy.putArray("Statement")
                .add(statement("RouterJars", JARS, "arn:aws:s3:::" + bucket + "/tuna/*"))
                .add(statement("FindRouterJars", LIST, "arn:aws:s3:::" + bucket))
                .add(statement("TalkToRouters", ACCESS, "arn:aws:ssm:*:*:parameter/tuna/*"))
                .add(statement("GiveRoutersTheirRole", List.of(PASS_ROLE), roleArn));
        return policy;
    }

    static ObjectNode policy(Optional<String> roleArn) {
        ObjectNode policy = SdkJson.JSON.createObjectNode().put("Version", "2012-10-17");
        var statements = policy.putArray("Statement");
        statements.add(statement("Look", READ, "*"));
        statements.add(statement("Make", CREATE, "*"));
        ObjectNode tag = statement("TagWhatIsMade", List.of(TAG), "arn:aws:ec2:*:*:*");
        TAGGED_BY.forEach(condition(tag, "StringEquals", "ec2:CreateAction")::add);
        statements.add(tag);
        ObjectNode own = statement("ChangeAndEndWhatIsOwned", OWN, "*");
        condition(own, "StringLike", "aws:ResourceTag/" + Names.OWNER).add("*");
        statements.add(own);
        statements.add(statement("FindImage", List.of(IMAGE), "arn:aws:ssm:*::parameter/aws/service/*"));
        ObjectNode role = statement("FirstUseOfSpot", List.of(ROLE), "arn:aws:iam::*:role/aws-service-role/*");
        SERVICES.forEach(condition(role, "StringEquals", "iam:AWSServiceName")::add);
        statements.add(role);
        roleArn.ifPresent(arn -> statements.add(statement("GiveMachinesTheirRole", List.of(PASS_ROLE), arn)));
        return policy;
    }

    private static ObjectNode statement(String name, List<String> actions, String resource) {
        ObjectNode statement = SdkJson.JSON.createObjectNode().put("Sid", name).put("Effect", "Allow");
        actions.forEach(statement.putArray("Action")::add);
        return statement.put("Resource", resource);
    }

    private static ArrayNode condition(ObjectNode statement, String operator, String key) {
        return statement.putObject("Condition").putObject(operator).putArray(key);
    }
}
