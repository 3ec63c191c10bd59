package dev.tuna.spot.aws;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.protocol.MarshallingKnownType;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.utils.builder.Buildable;

/**
 * Makes the SDK's requests of JSON in AWS's own words, as {@code aws ec2 create-fleet --cli-input-json} takes it, so that what
 * a plan shows is what is sent. Pure.
 */
final class SdkJson {

    static final ObjectMapper JSON = new ObjectMapper();

    private SdkJson() {}

    /**
     * Fills a request.
     *
     * @param builder of the request
     * @param json members by their names
     * @return the builder
     * @throws IllegalArgumentException if a member is not one of the request, or of another type
     */
    static <B extends SdkPojo> B fill(B builder, JsonNode json) {
        Map<String, SdkField<?>> fields = new HashMap<>();
        builder.sdkFields().forEach(field -> fields.put(field.memberName(), field));
        json.properties().forEach(member -> {
            SdkField<?> field = fields.get(member.getKey());
            if (field == null) {
                throw new IllegalArgumentException(member.getKey() + " is no member of "
                        + builder.getClass().getName() + ", which has " + fields.keySet());
            }
            field.set(builder, value(field, member.getValue()));
        });
        return builder;
    }

    private static Object value(SdkField<?> field, JsonNode json) {
        MarshallingKnownType type = field.marshallingType().getKnownType();
        return switch (type) {
            case STRING -> json.asText();
            case INTEGER -> json.intValue();
            case LONG -> json.longValue();
            case DOUBLE -> json.doubleValue();
            case BOOLEAN -> json.booleanValue();
            case LIST -> list(field, json);
            case SDK_POJO -> ((Buildable) fill(field.constructor().get(), json)).build();
            default -> throw new IllegalArgumentException(field.memberName() + " is of type " + type);
        };
    }

    private static List<Object> list(SdkField<?> field, JsonNode json) {
        SdkField<?> member = field.getRequiredTrait(ListTrait.class).memberFieldInfo();
        List<Object> values = new ArrayList<>();
        json.forEach(each -> values.add(value(member, each)));
        return values;
    }
}
