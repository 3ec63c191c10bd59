package dev.tuna.testkit.vllm;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** A refusal in vLLM's shape: {@code {"error":{"message","type","param","code"}}}. */
final class ApiError extends Exception {

    private static final long serialVersionUID = 1L;

    private final int status;
    private final String type;
    private final transient Optional<String> param;

    private ApiError(int status, String type, String message, Optional<String> param) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.param = param;
    }

    static ApiError badRequest(String message) {
        return new ApiError(400, "BadRequestError", message, Optional.empty());
    }

    static ApiError badParameter(String param, String message) {
        return new ApiError(400, "BadRequestError", message, Optional.of(param));
    }

    static ApiError unknownModel(String model) {
        return new ApiError(404, "NotFoundError", "The model `" + model + "` does not exist.", Optional.of("model"));
    }

    static ApiError ofStatus(int status, String message) {
        String type = switch (status) {
            case 400 -> "BadRequestError";
            case 404 -> "NotFoundError";
            case 405 -> "Method Not Allowed";
            case 422 -> "UnprocessableEntityError";
            case 429 -> "RateLimitError";
            case 501 -> "NotImplementedError";
            case 503 -> "ServiceUnavailableError";
            default -> "InternalServerError";
        };
        return new ApiError(status, type, message, Optional.empty());
    }

    int status() {
        return status;
    }

    ObjectNode body() {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", getMessage())
                .put("type", type)
                .put("param", param.orElse(null))
                .put("code", status);
        return body;
    }
}
