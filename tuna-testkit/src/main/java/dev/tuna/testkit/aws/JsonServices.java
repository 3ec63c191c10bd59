package dev.tuna.testkit.aws;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.aws.MachineType.Bucket;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The services that speak JSON 1.1: SSM, Pricing and Service Quotas. Confined to the account's lock. */
final class JsonServices {

    private static final JsonMapper JSON = new JsonMapper();
    private static final Set<String> PRICING = Set.of("us-east-1", "eu-central-1", "ap-south-1");
    private static final int MOST_PRODUCTS = 100;
    private static final String SECURE = "SecureString";
    private static final int LONGEST_PARAMETER = 4096;

    private final AwsAccount account;

    JsonServices(AwsAccount account) {
        this.account = account;
    }

    /** Carries out {@code service:Action}. */
    String answer(String action, AwsRegion region, String body) {
        JsonNode input;
        try {
            input = JSON.readTree(body);
        } catch (JacksonException e) {
            throw AwsError.bad("SerializationException", "the body is no JSON");
        }
        if (!account.allows(action)) {
            throw AwsError.bad(
                    "AccessDeniedException",
                    "User: arn:aws:iam::%s:user/tuna is not authorized to perform: %s because no identity-based policy allows the %s action"
                            .formatted(AwsAccount.ID, action, action));
        }
        ObjectNode out = JSON.createObjectNode();
        switch (action) {
            case "ssm:GetParameter" -> parameter(region, input, out);
            case "ssm:PutParameter" -> put(region, input, out);
            case "ssm:DeleteParameter" -> delete(region, input);
            case "ssm:GetParameters" -> parameters(region, input, out);
            case "pricing:GetProducts" -> products(region, input, out);
            case "servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota" ->
                quota(region, input, out);
            case "servicequotas:ListServiceQuotas", "servicequotas:ListAWSDefaultServiceQuotas" ->
                quotas(region, input, out);
            default -> throw AwsError.bad("UnknownOperationException", action + " is not known here");
        }
        return out.toString();
    }

    private static String require(JsonNode input, String name) {
        String value = input.path(name).asText("");
        if (value.isEmpty()) {
            throw AwsError.bad(
                    "ValidationException",
                    "1 validation error detected: Value null at '" + name
                            + "' failed to satisfy constraint: Member must not be null");
        }
        return value;
    }

    // --- parameters ---

    private static void parameter(AwsRegion region, JsonNode input, ObjectNode out) {
        String name = require(input, "Name");
        AwsRegion.Parameter own = region.parameters().get(name);
        if (own != null) {
            boolean sealed =
                    own.type().equals(SECURE) && !input.path("WithDecryption").asBoolean();
            ObjectNode told = parameter(region, name, sealed ? "AQICAHh" + Ids.fixed("", name) : own.value());
            out.set("Parameter", told.put("Type", own.type()).put("Version", own.version()));
            return;
        }
        String value = region.images()
                .parameter(name)
                .orElseThrow(() -> AwsError.bad("ParameterNotFound", "Parameter " + name + " not found."));
        out.set("Parameter", parameter(region, name, value));
    }

    private static void put(AwsRegion region, JsonNode input, ObjectNode out) {
        String name = require(input, "Name");
        String value = require(input, "Value");
        boolean overwrite = input.path("Overwrite").asBoolean();
        AwsRegion.Parameter before = region.parameters().get(name);
        if (!name.matches("/?[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+){0,15}") || name.matches("(?i)/?(aws|ssm).*")) {
            throw AwsError.bad("ValidationException", "Parameter name: can't be prefixed with \"aws\" or \"ssm\" ...");
        }
        if (value.length() > LONGEST_PARAMETER) {
            throw AwsError.bad(
                    "ValidationException",
                    "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.");
        }
        if (before != null && !overwrite) {
            throw AwsError.bad(
                    "ParameterAlreadyExists",
                    "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.");
        }
        if (overwrite && !input.path("Tags").isEmpty()) {
            throw AwsError.bad("ValidationException", "Invalid request: tags and overwrite can't be used together.");
        }
        int version = before == null ? 1 : before.version() + 1;
        region.parameters().put(name, new AwsRegion.Parameter(input.path("Type").asText("String"), value, version));
        out.put("Version", version).put("Tier", "Standard");
    }

    private static void delete(AwsRegion region, JsonNode input) {
        String name = require(input, "Name");
        if (region.parameters().remove(name) == null) {
            throw AwsError.bad("ParameterNotFound", "Parameter " + name + " not found.");
        }
    }

    private static ObjectNode parameter(AwsRegion region, String name, String value) {
        return JSON.createObjectNode()
                .put("Name", name)
                .put("Type", "String")
                .put("Value", value)
                .put("Version", 42)
                .put("LastModifiedDate", 1.7855424E9)
                .put("ARN", "arn:aws:ssm:" + region.name() + "::parameter" + name)
                .put("DataType", "text");
    }

    private static void parameters(AwsRegion region, JsonNode input, ObjectNode out) {
        ArrayNode found = out.putArray("Parameters");
        ArrayNode unknown = out.putArray("InvalidParameters");
        for (JsonNode name : input.path("Names")) {
            Optional<String> value = region.images().parameter(name.asText());
            value.ifPresent(text -> found.add(parameter(region, name.asText(), text)));
            if (value.isEmpty()) {
                unknown.add(name.asText());
            }
        }
    }

    // --- prices ---

    private void products(AwsRegion region, JsonNode input, ObjectNode out) {
        if (!PRICING.contains(region.name())) {
            throw new AwsError(404, "UnknownEndpoint", "Pricing has no endpoint in " + region.name());
        }
        if (!require(input, "ServiceCode").equals("AmazonEC2")) {
            throw AwsError.bad("InvalidParameterException", "Invalid ServiceCode");
        }
        List<ObjectNode> found = new ArrayList<>();
        for (AwsRegion each : account.regions()) {
            MachineTypes.all().stream()
                    .filter(type -> !each.zonesOf(type).isEmpty())
                    .flatMap(type -> PriceList.products(each.name(), type).stream())
                    .filter(product -> matches(product, input.path("Filters")))
                    .forEach(found::add);
        }
        Page<ObjectNode> page = Page.of(
                found,
                Optional.of(input.path("NextToken").asText("")).filter(token -> !token.isEmpty()),
                Math.min(Math.min(input.path("MaxResults").asInt(MOST_PRODUCTS), MOST_PRODUCTS), account.pageSize()),
                AwsError.bad("InvalidNextTokenException", "Invalid NextToken"));
        out.put("FormatVersion", "aws_v1");
        ArrayNode list = out.putArray("PriceList");
        page.items().forEach(product -> list.add(product.toString()));
        page.next().ifPresent(next -> out.put("NextToken", next));
    }

    private static boolean matches(JsonNode product, JsonNode filters) {
        JsonNode attributes = product.path("product").path("attributes");
        for (JsonNode filter : filters) {
            if (!filter.path("Type").asText().equals("TERM_MATCH")) {
                throw AwsError.bad("InvalidParameterException", "Only TERM_MATCH is known here");
            }
            String has = attributes.path(filter.path("Field").asText()).asText("");
            if (!has.equalsIgnoreCase(filter.path("Value").asText())) {
                return false;
            }
        }
        return true;
    }

    // --- quotas ---

    private void quota(AwsRegion region, JsonNode input, ObjectNode out) {
        checkService(input);
        String code = require(input, "QuotaCode");
        for (Bucket bucket : Bucket.values()) {
            for (boolean spot : new boolean[] {true, false}) {
                if (bucket.code(spot).equals(code)) {
                    out.set("Quota", quota(region, bucket, spot));
                    return;
                }
            }
        }
        throw AwsError.bad(
                "NoSuchResourceException", "The request failed because the specified service does not exist.");
    }

    private void quotas(AwsRegion region, JsonNode input, ObjectNode out) {
        checkService(input);
        List<ObjectNode> all = new ArrayList<>();
        for (Bucket bucket : Bucket.values()) {
            all.add(quota(region, bucket, true));
            all.add(quota(region, bucket, false));
        }
        Page<ObjectNode> page = Page.of(
                all,
                Optional.of(input.path("NextToken").asText("")).filter(token -> !token.isEmpty()),
                Math.min(input.path("MaxResults").asInt(100), account.pageSize()),
                AwsError.bad("InvalidPaginationTokenException", "Invalid NextToken"));
        ArrayNode list = out.putArray("Quotas");
        page.items().forEach(list::add);
        page.next().ifPresent(next -> out.put("NextToken", next));
    }

    private static void checkService(JsonNode input) {
        if (!require(input, "ServiceCode").equals("ec2")) {
            throw AwsError.bad(
                    "NoSuchResourceException", "The request failed because the specified service does not exist.");
        }
    }

    private ObjectNode quota(AwsRegion region, Bucket bucket, boolean spot) {
        String code = bucket.code(spot);
        return JSON.createObjectNode()
                .put("ServiceCode", "ec2")
                .put("ServiceName", "Amazon Elastic Compute Cloud (Amazon EC2)")
                .put("QuotaArn", "arn:aws:servicequotas:" + region.name() + ":" + AwsAccount.ID + ":ec2/" + code)
                .put("QuotaCode", code)
                .put("QuotaName", bucket.title(spot))
                .put("Value", (double) account.quota(region.name(), bucket, spot))
                .put("Unit", "None")
                .put("Adjustable", true)
                .put("GlobalQuota", false);
    }

    /** An error's body. */
    static String error(AwsError error) {
        return JSON.createObjectNode()
                .put("__type", error.code())
                .put("message", error.text())
                .toString();
    }
}
