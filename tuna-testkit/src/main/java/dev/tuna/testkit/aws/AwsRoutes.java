package dev.tuna.testkit.aws;

import dev.tuna.api.Secret;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorRequest;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/** All services on one port, as a function from request to answer. Thread-safe. */
final class AwsRoutes {

    static final String REHEARSED = " (dry run)";
    static final String EC2_VERSION = "2016-11-15";

    private static final String EC2 = "ec2";
    private static final String STS = "sts";
    private static final String S3 = "s3";

    /** Prefix of X-Amz-Target to the service. */
    private static final Map<String, String> TARGETS = Map.of(
            "AmazonSSM", "ssm",
            "AWSPriceListService", "pricing",
            "ServiceQuotasV20190624", "servicequotas");

    private final AwsAccount account;
    private final JsonServices json;
    private final Map<String, Ec2Call.Action> actions = new TreeMap<>();

    AwsRoutes(AwsAccount account) {
        this.account = account;
        this.json = new JsonServices(account);
        NetworkActions.addTo(actions);
        CatalogueActions.addTo(actions);
        TemplateActions.addTo(actions);
        GroupActions.addTo(actions);
        FleetActions.addTo(actions);
        InstanceActions.addTo(actions);
        OtherActions.addTo(actions);
    }

    /**
     * What a call is named when faults are matched: region and action as policies have it, {@code us-east-1 ec2:RunInstances},
     * followed by {@link #REHEARSED} if nothing is to be done.
     */
    static String nameOf(VendorRequest request) {
        if (Buckets.isFor(request)) {
            return Buckets.nameOf(request);
        }
        if (request.method().equals("GET")) {
            return request.toString();
        }
        String region = Signature.of(request).map(Signature::region).orElse("unsigned");
        boolean rehearsed = Form.parse(request.body()).flag("DryRun");
        return region + " " + actionOf(request) + (rehearsed ? REHEARSED : "");
    }

    private static String actionOf(VendorRequest request) {
        Optional<String[]> target = request.header("X-Amz-Target").map(text -> text.split("\\.", 2));
        if (target.isPresent() && target.get().length == 2) {
            return TARGETS.getOrDefault(target.get()[0], target.get()[0]) + ":" + target.get()[1];
        }
        String service = Signature.of(request).map(Signature::service).orElse(EC2);
        return service + ":" + Form.parse(request.body()).text("Action").orElse("");
    }

    VendorAnswer handle(VendorRequest request) {
        if (Buckets.isFor(request)) {
            try {
                return account.with(() -> account.buckets().answer(request));
            } catch (AwsError e) {
                return Buckets.error(e);
            }
        }
        if (request.method().equals("GET")) {
            return request.path().equals("/")
                    ? VendorAnswer.of(
                            200, "text/plain", InetAddress.getLoopbackAddress().getHostAddress() + "\n")
                    : VendorAnswer.empty(404);
        }
        String action = actionOf(request);
        String service = action.substring(0, action.indexOf(':'));
        try {
            if (!request.path().equals("/") || !request.method().equals("POST")) {
                throw AwsError.bad("InvalidAction", "Only POST / is known here");
            }
            AwsRegion region = authenticate(request, service);
            return account.with(() -> carryOut(request, action, service, region));
        } catch (AwsError e) {
            return error(service, e);
        }
    }

    private AwsRegion authenticate(VendorRequest request, String service) {
        Signature signature = Signature.of(request)
                .orElseThrow(() -> service.equals(EC2) || service.equals(STS)
                        ? new AwsError(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
                        : new AwsError(400, "MissingAuthenticationTokenException", "Missing Authentication Token"));
        if (!Secret.of(signature.accessKey()).equals(account.accessKey())) {
            throw switch (service) {
                case EC2 -> notValid();
                case STS ->
                    new AwsError(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
                default ->
                    new AwsError(
                            400,
                            "UnrecognizedClientException",
                            "The security token included in the request is invalid.");
            };
        }
        if (!signature.service().equals(service)) {
            throw new AwsError(
                    403,
                    "SignatureDoesNotMatch",
                    "Credential should be scoped to correct service: '" + service + "'. ");
        }
        return account.region(signature.region()).orElseThrow(AwsRoutes::notValid);
    }

    private static AwsError notValid() {
        return new AwsError(401, "AuthFailure", "AWS was not able to validate the provided access credentials");
    }

    private VendorAnswer carryOut(VendorRequest request, String action, String service, AwsRegion region) {
        return switch (service) {
            case EC2 -> ec2(request, action, region);
            case STS -> sts(action);
            default ->
                VendorAnswer.of(200, "application/x-amz-json-1.1", json.answer(action, region, request.body()))
                        .with("x-amzn-RequestId", UUID.randomUUID().toString());
        };
    }

    private VendorAnswer ec2(VendorRequest request, String named, AwsRegion region) {
        String name = named.substring(EC2.length() + 1);
        Form form = Form.parse(request.body());
        Ec2Call.Action action = actions.get(name);
        if (action == null || !form.text("Version").orElse("").equals(EC2_VERSION)) {
            throw AwsError.bad(
                    "InvalidAction", "The action " + name + " is not valid for this web service, or not known here.");
        }
        Ec2Call call = new Ec2Call(account, region, form, account.now());
        call.needs(named);
        if (account.tagFor(named)
                .filter(key -> !OtherActions.areTagged(call, key))
                .isPresent()) {
            throw AwsError.unauthorized();
        }
        Xml out = new Xml();
        out.put("requestId", UUID.randomUUID());
        action.answer(call, out);
        call.commit();
        return VendorAnswer.of(
                200,
                "text/xml;charset=UTF-8",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%sResponse xmlns=\"http://ec2.amazonaws.com/doc/%s/\">%s</%sResponse>"
                        .formatted(name, EC2_VERSION, out, name));
    }

    private VendorAnswer sts(String action) {
        if (!action.equals("sts:GetCallerIdentity")) {
            throw AwsError.bad("InvalidAction", action + " is not known here");
        }
        Xml result = new Xml()
                .put("Arn", "arn:aws:iam::" + account.caller() + ":user/tuna")
                .put("UserId", "AIDASTANDIN0123456789")
                .put("Account", account.caller());
        return VendorAnswer.of(
                200,
                "text/xml",
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
                        + result + "</GetCallerIdentityResult><ResponseMetadata><RequestId>" + UUID.randomUUID()
                        + "</RequestId></ResponseMetadata></GetCallerIdentityResponse>");
    }

    /** An error in the words of a service's protocol. */
    static VendorAnswer error(String service, AwsError error) {
        Xml inside = new Xml();
        return switch (service) {
            case EC2 ->
                VendorAnswer.of(
                        error.status(),
                        "text/xml;charset=UTF-8",
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>"
                                + inside.put("Code", error.code()).put("Message", error.text())
                                + "</Error></Errors><RequestID>" + UUID.randomUUID() + "</RequestID></Response>");
            case STS ->
                VendorAnswer.of(
                        error.status(),
                        "text/xml",
                        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
                                + inside.put("Code", error.code()).put("Message", error.text())
                                + "</Error><RequestId>" + UUID.randomUUID() + "</RequestId></ErrorResponse>");
            case S3 -> Buckets.error(error);
            default -> VendorAnswer.of(error.status(), "application/x-amz-json-1.1", JsonServices.error(error));
        };
    }
}
