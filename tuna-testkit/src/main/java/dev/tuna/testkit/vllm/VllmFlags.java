package dev.tuna.testkit.vllm;

import java.util.Map;
import java.util.Set;

/** The options of {@code vllm serve} that the stand-in knows by name; most are accepted and have no effect here. */
final class VllmFlags {

    private static final Set<String> WITH_VALUE = words("""
            host port uds root-path uvicorn-log-level ssl-keyfile ssl-certfile ssl-ca-certs config
            model tokenizer tokenizer-mode tokenizer-revision revision code-revision config-format hf-config-path
            hf-overrides hf-token runner convert chat-template chat-template-content-format response-role
            generation-config override-generation-config reasoning-parser tool-call-parser tool-server
            dtype quantization kv-cache-dtype kv-cache-memory-bytes gpu-memory-utilization cpu-offload-gb block-size
            max-model-len max-num-seqs max-num-batched-tokens max-logprobs max-log-len seed
            tensor-parallel-size pipeline-parallel-size data-parallel-size data-parallel-rank nnodes node-rank
            master-addr master-port distributed-executor-backend attention-backend compilation-config
            download-dir load-format model-loader-extra-config safetensors-load-strategy ignore-patterns
            limit-mm-per-prompt mm-processor-kwargs structured-outputs-config speculative-config additional-config
            kv-transfer-config kv-events-config max-loras max-lora-rank
            shutdown-timeout sse-keep-alive-interval stream-interval scheduling-policy scheduler-cls
            disable-access-log-for-endpoints fingerprint-mode otlp-traces-endpoint allowed-origins
            standin-boot-time standin-boot-failure standin-ttft standin-tokens-per-second standin-capacity
            standin-version standin-keep-requests""");

    private static final Set<String> WITH_VALUES = words("served-model-name api-key lora-modules middleware");

    private static final Set<String> SWITCHES = words("""
            enforce-eager trust-remote-code enable-prefix-caching enable-chunked-prefill enable-auto-tool-choice
            enable-log-requests enable-log-outputs disable-log-stats disable-fastapi-docs disable-uvicorn-access-log
            enable-server-load-tracking enable-request-id-headers enable-force-include-usage
            enable-prompt-tokens-details enable-per-request-metrics enable-lora enable-sleep-mode enable-scale-out
            enable-expert-parallel enable-tokenizer-info-endpoint tokens-only async-scheduling disable-sliding-window
            disable-custom-all-reduce skip-tokenizer-init headless language-model-only allow-credentials
            standin-ignore-prompt-token-ids standin-exit-on-stdin-eof standin-environment-on-stdin""");

    private static final Map<String, String> SHORT = Map.of(
            "tp",
            "tensor-parallel-size",
            "pp",
            "pipeline-parallel-size",
            "dp",
            "data-parallel-size",
            "q",
            "quantization");

    private VllmFlags() {}

    /** How many values an option takes. */
    enum Arity {
        NONE,
        ONE,
        MANY,
        UNKNOWN
    }

    static Arity arity(String name) {
        if (WITH_VALUE.contains(name)) {
            return Arity.ONE;
        } else if (WITH_VALUES.contains(name)) {
            return Arity.MANY;
        }
        boolean known = SWITCHES.contains(name) || (name.startsWith("no-") && SWITCHES.contains(name.substring(3)));
        return known ? Arity.NONE : Arity.UNKNOWN;
    }

    /** The name behind {@code --max_model_len} or {@code -tp}; what is no option is empty. */
    static String nameOf(String argument) {
        if (argument.startsWith("--")) {
            return argument.substring(2).replace('_', '-');
        }
        return argument.startsWith("-") ? SHORT.getOrDefault(argument.substring(1), argument) : "";
    }

    private static Set<String> words(String text) {
        return Set.of(text.split("\\s+"));
    }
}
