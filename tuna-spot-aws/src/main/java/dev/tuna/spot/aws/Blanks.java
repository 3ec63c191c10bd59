package dev.tuna.spot.aws;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import java.util.Map;

/** What is left open in a plan and filled in when it is sent. Pure. */
final class Blanks {

    static final String IMAGE = "${image}";
    static final String ROOT_DEVICE = "${root-device}";
    static final String VPC = "${vpc}";
    static final String VPC_CIDR = "${vpc-cidr}";
    static final String HOST_CIDR = "${host-cidr}";
    static final String GROUP = "${security-group}";
    static final String USER_DATA = "${user-data}";
    static final String SUBNET_CHOSEN = "${subnet}";
    static final String VERSION = "${launch-template-version}";

    private static final String SUBNET = "${subnet-in:";
    private static final String END = "}";

    private Blanks() {}

    static String subnet(String zone) {
        return SUBNET + zone + END;
    }

    /** A copy in which every text that is one of the blanks is what it stands for. */
    static JsonNode fill(JsonNode body, Map<String, String> values) {
        if (body.isTextual()) {
            String value = values.get(body.textValue());
            return value == null ? body : TextNode.valueOf(value);
        } else if (body.isObject()) {
            ObjectNode filled = SdkJson.JSON.createObjectNode();
            body.properties().forEach(member -> filled.set(member.getKey(), fill(member.getValue(), values)));
            return filled;
        } else if (body.isArray()) {
            ArrayNode filled = SdkJson.JSON.createArrayNode();
            body.forEach(each -> filled.add(fill(each, values)));
            return filled;
        }
        return body;
    }

    /** A copy of overrides, one for each subnet of the zone that each stands for; none where the zone has none. */
    static ArrayNode overrides(JsonNode overrides, Map<String, List<String>> subnets) {
        ArrayNode filled = SdkJson.JSON.createArrayNode();
        for (JsonNode override : overrides) {
            String blank = override.path("SubnetId").asText();
            String zone = blank.substring(SUBNET.length(), blank.length() - END.length());
            for (String subnet : subnets.getOrDefault(zone, List.of())) {
                filled.add(((ObjectNode) override.deepCopy()).put("SubnetId", subnet));
            }
        }
        return filled;
    }
}
