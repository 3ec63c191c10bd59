package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Typed reading of a JSON object; absent and null are the same, a wrong type is a 400 that names the field. */
record Fields(JsonNode body) {

    boolean has(String name) {
        return body.hasNonNull(name);
    }

    JsonNode at(String name) {
        return body.path(name);
    }

    boolean flag(String name, boolean otherwise) throws ApiError {
        JsonNode value = body.path(name);
        if (!has(name)) {
            return otherwise;
        } else if (!value.isBoolean()) {
            throw wrong(name, "a boolean", value);
        }
        return value.booleanValue();
    }

    int number(String name, int otherwise, int least) throws ApiError {
        JsonNode value = body.path(name);
        if (!has(name)) {
            return otherwise;
        } else if (!value.canConvertToInt() || !value.isIntegralNumber()) {
            throw wrong(name, "an integer", value);
        } else if (value.intValue() < least) {
            throw wrong(name, "at least " + least, value);
        }
        return value.intValue();
    }

    double real(String name, double otherwise, double least, double greatest) throws ApiError {
        JsonNode value = body.path(name);
        if (!has(name)) {
            return otherwise;
        } else if (!value.isNumber() || value.doubleValue() < least || value.doubleValue() > greatest) {
            throw wrong(name, "a number from " + least + " to " + greatest, value);
        }
        return value.doubleValue();
    }

    /** A string, or a list of strings. */
    List<String> strings(String name) throws ApiError {
        JsonNode value = body.path(name);
        List<String> strings = new ArrayList<>();
        if (value.isTextual()) {
            strings.add(value.textValue());
        } else if (has(name)) {
            for (JsonNode item : list(name)) {
                if (!item.isTextual()) {
                    throw wrong(name, "a string or a list of strings", value);
                }
                strings.add(item.textValue());
            }
        }
        return strings;
    }

    JsonNode list(String name) throws ApiError {
        if (has(name) && !body.path(name).isArray()) {
            throw wrong(name, "a list", body.path(name));
        }
        return body.path(name);
    }

    /** Token ids, each within the vocabulary. */
    static int[] ids(String name, JsonNode list) throws ApiError {
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = list.get(i);
            if (!id.isIntegralNumber() || !id.canConvertToInt() || !StandInTokenizer.contains(id.intValue())) {
                throw ApiError.badParameter(name, "Token id " + id + " is out of vocabulary");
            }
            ids[i] = id.intValue();
        }
        return ids;
    }

    private static ApiError wrong(String name, String wanted, JsonNode value) {
        return ApiError.badParameter(name, name + ": must be " + wanted + ", got " + value);
    }
}
