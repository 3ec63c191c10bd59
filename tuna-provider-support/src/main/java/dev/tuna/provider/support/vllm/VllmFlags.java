package dev.tuna.provider.support.vllm;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The options of {@code vllm serve} and the versions that have them. Pure.
 *
 * <p>Sources: the options of 0.29.0 as its own parser lists them; for those that came or went, vLLM's release notes and
 * the pull requests that did it. Where only a later version is known to be without an option, that one is given: an older
 * one that has dropped it too is then left to say so itself.
 */
public final class VllmFlags {

    private static final String SWITCHES = """
            aggregate-engine-logging data-parallel-multi-port-external-lb disable-log-stats grpc headless""";

    private static final String PAIRS = """
            allow-credentials allow-deprecated-quantization async-scheduling cohere-is-reasoning-model
            cudagraph-metrics data-parallel-external-lb data-parallel-hybrid-lb dcp-q-replicate disable-cascade-attn
            disable-chunked-mm-input disable-custom-all-reduce disable-fastapi-docs disable-hybrid-kv-cache-manager
            disable-nccl-for-dp-synchronization disable-sliding-window disable-uvicorn-access-log
            enable-auto-tool-choice enable-batch-sharded-sampling enable-bf16x3-router-gemm enable-chunked-prefill
            enable-cumem-allocator enable-dbo enable-elastic-ep enable-ep-weight-filter enable-eplb
            enable-expert-parallel enable-fault-tolerance enable-flash-late-interaction enable-flashinfer-autotune
            enable-force-include-usage enable-layerwise-nvtx-tracing enable-log-deltas enable-log-outputs
            enable-logging-iteration-details enable-lora enable-mamba-cache-stochastic-rounding enable-mfu-metrics
            enable-mixed-moe-lora-format enable-mm-embeds enable-moe-shared-loras enable-offline-docs
            enable-per-request-metrics enable-prefix-caching enable-prompt-embeds enable-prompt-tokens-details
            enable-request-id-headers enable-return-routed-experts enable-server-load-tracking enable-sleep-mode
            enable-ssl-refresh enable-tokenizer-info-endpoint enable-tower-connector-lora enable-trace-replay
            enforce-eager exclude-tools-when-tool-choice-none fail-on-environ-validation fully-sharded-loras
            interleave-mm-strings jit-monitor-verbose kv-cache-metrics kv-sharing-fast-prefill language-model-only
            log-error-stack mm-device-do-normalize mm-encoder-only numa-bind ray-workers-use-nsight
            return-sampling-mask return-tokens-as-token-ids scheduler-reserve-full-isl skip-mm-profiling
            skip-tokenizer-init specialize-active-lora tokens-only trust-remote-code trust-request-chat-template
            use-fp64-gumbel use-replayssm use-tqdm-on-load""";

    private static final String WITH_ONE_VALUE = """
            additional-config all2all-backend allowed-headers allowed-local-media-path allowed-methods
            allowed-origins api-server-count attention-backend attention-config block-size chat-template
            chat-template-content-format code-revision cohere-format compilation-config config config-format convert
            cp-kv-cache-interleave-size cpu-distributed-timeout-seconds cpu-offload-gb data-parallel-address
            data-parallel-backend data-parallel-rank data-parallel-rpc-port data-parallel-size
            data-parallel-size-local data-parallel-start-rank data-parallel-supervisor-port
            dbo-decode-token-threshold dbo-prefill-token-threshold dcp-comm-backend dcp-kv-cache-interleave-size
            decode-context-parallel-size default-chat-template-kwargs default-mm-loras diffusion-config
            disable-access-log-for-endpoints distributed-executor-backend distributed-timeout-seconds download-dir
            dp-supervisor-probe-failure-threshold dp-supervisor-probe-interval-s dp-supervisor-probe-timeout-s dtype
            ec-manager-config ec-transfer-config eplb-config expert-placement-strategy fault-tolerance-config
            fingerprint-mode fingerprint-value gdn-prefill-backend generation-config gpu-memory-utilization
            h11-max-header-count h11-max-incomplete-event-size hf-config-path hf-overrides hf-token host
            io-processor-plugin ir-op-priority jit-monitor-mode kda-prefill-backend kernel-config kv-cache-dtype
            kv-cache-memory-bytes kv-cache-metrics-sample kv-events-config kv-offloading-backend kv-offloading-size
            kv-transfer-config limit-mm-per-prompt linear-backend load-format log-config-file logprobs-mode
            long-prefill-token-threshold lora-dtype mamba-backend mamba-block-size mamba-cache-dtype
            mamba-cache-mode mamba-cache-philox-rounds mamba-ssm-cache-dtype mamba-ssu-algorithm master-addr
            master-port max-cpu-loras max-cudagraph-capture-size max-log-len max-logprobs max-lora-rank max-loras
            max-model-len max-num-batched-tokens max-num-queued-reqs max-num-queued-tokens max-num-scheduled-tokens
            max-num-seqs max-parallel-loading-workers media-io-kwargs middleware mm-encoder-attn-backend
            mm-encoder-attn-dtype mm-encoder-fp8-scale-path mm-encoder-fp8-scale-save-margin
            mm-encoder-fp8-scale-save-path mm-encoder-tp-mode mm-hasher-algorithm mm-ipc-gpu-memory-gb
            mm-processor-cache-gb mm-processor-cache-type mm-processor-device mm-processor-kwargs
            mm-shm-cache-max-object-size-mb mm-tensor-ipc model model-class-overrides model-impl
            model-loader-extra-config moe-backend nnodes node-rank num-gpu-blocks-override numa-bind-nodes
            offload-backend offload-group-size offload-num-in-group offload-prefetch-step optimization-level
            otlp-traces-endpoint override-generation-config per-request-spec-decode-metrics performance-mode
            pipeline-parallel-size pooler-config port prefill-context-parallel-size prefill-schedule-interval
            prefix-cache-retention-interval prefix-caching-hash-algo prefix-match-unit profiler-config
            pt-load-map-location quantization quantization-config reasoning-config reasoning-parser
            reasoning-parser-plugin renderer-num-workers replayssm-buffer-len response-role revision root-path
            runner safetensors-load-strategy safetensors-prefetch-block-size safetensors-prefetch-num-threads
            scheduler-cls scheduling-policy seed show-hidden-metrics-for-version spec-method spec-model spec-tokens
            speculative-config ssl-ca-certs ssl-cert-reqs ssl-certfile ssl-ciphers ssl-keyfile stream-interval
            structured-outputs-config tensor-parallel-size tokenizer tokenizer-mode tokenizer-revision
            tool-call-parser tool-parser-plugin tool-server ubatch-size uds uvicorn-log-level video-pruning-method
            video-pruning-rate watermark weight-transfer-config worker-cls worker-extension-cls""";

    private static final String WITH_VALUES = """
            allowed-media-domains api-key collect-detailed-traces cpu-offload-params cudagraph-capture-sizes
            device-ids ignore-patterns kv-cache-dtype-skip-layers logits-processors lora-modules lora-target-modules
            numa-bind-cpus offload-params served-model-name""";

    /** What came or went: name, values, first version with it, first version without it, what to write instead. */
    private static final String CHANGED = """
            disable-log-requests              SWITCH - 0.12.0 leave it out: requests are not logged unless --enable-log-requests is given
            enable-log-requests               PAIR 0.10.2 - leave it out
            shutdown-timeout                  ONE 0.18.0 - leave it out
            sse-keep-alive-interval           ONE 0.29.0 - leave it out: the router sends heartbeats of its own
            enable-scale-out                  PAIR 0.30.0 - leave it out: what it opens is open before
            max-long-partial-prefills         ONE - 0.27.0 leave it out
            max-num-partial-prefills          ONE - 0.27.0 leave it out
            calculate-kv-scales               PAIR - 0.28.0 leave it out
            override-attention-dtype          ONE - 0.28.0 leave it out
            cuda-graph-sizes                  MANY - 0.27.0 use --compilation-config with cudagraph_capture_sizes
            disable-frontend-multiprocessing  PAIR - 0.27.0 leave it out
            disable-mm-preprocessor-cache     PAIR - 0.27.0 use --mm-processor-cache-gb 0
            enable-lora-bias                  PAIR - 0.27.0 leave it out
            enable-multimodal-encoder-data-parallel PAIR - 0.27.0 use --mm-encoder-tp-mode data
            eplb-log-balancedness             PAIR - 0.27.0 use --eplb-config
            eplb-step-interval                ONE - 0.27.0 use --eplb-config
            eplb-window-size                  ONE - 0.27.0 use --eplb-config
            guided-decoding-backend           ONE - 0.27.0 use --structured-outputs-config
            guided-decoding-disable-additional-properties PAIR - 0.27.0 use --structured-outputs-config
            guided-decoding-disable-any-whitespace PAIR - 0.27.0 use --structured-outputs-config
            guided-decoding-disable-fallback  PAIR - 0.27.0 use --structured-outputs-config
            logits-processor-pattern          ONE - 0.27.0 use --logits-processors
            lora-extra-vocab-size             ONE - 0.27.0 leave it out
            num-lookahead-slots               ONE - 0.27.0 use --speculative-config
            num-redundant-experts             ONE - 0.27.0 use --eplb-config
            override-pooler-config            ONE - 0.27.0 use --pooler-config
            rope-scaling                      ONE - 0.27.0 use --hf-overrides with rope_scaling
            rope-theta                        ONE - 0.27.0 use --hf-overrides with rope_theta
            swap-space                        ONE - 0.27.0 leave it out
            task                              ONE - 0.27.0 use --runner or --convert
            """;

    private static final Map<String, String> SHORT = Map.of(
            "tp", "tensor-parallel-size",
            "pp", "pipeline-parallel-size",
            "dp", "data-parallel-size",
            "dcp", "decode-context-parallel-size",
            "pcp", "prefill-context-parallel-size",
            "ep", "enable-expert-parallel",
            "q", "quantization",
            "cc", "compilation-config",
            "O", "optimization-level");

    private static final Pattern LEVEL = Pattern.compile("-O\\d");

    private static final Pattern NUMBER = Pattern.compile("-[\\d.]+");

    private static final Map<String, VllmFlag> BY_NAME = index();

    private VllmFlags() {}

    /**
     * Every option known, of whatever version.
     *
     * @return in no particular order
     */
    public static List<VllmFlag> all() {
        return List.copyOf(BY_NAME.values());
    }

    /**
     * The option that a word of a command line names, in any of vLLM's spellings: {@code --max-model-len},
     * {@code --max_model_len=8k}, {@code --no-enable-prefix-caching}, {@code --compilation-config.mode}, {@code -tp}.
     *
     * @param word a word that begins with a hyphen
     * @return the option; empty if none of any version is meant
     */
    public static Optional<VllmFlag> find(String word) {
        String name = nameIn(word);
        VllmFlag flag = BY_NAME.get(name);
        if (flag == null && name.startsWith("no-")) {
            return Optional.ofNullable(BY_NAME.get(name.substring("no-".length())))
                    .filter(pair -> pair.values() == VllmFlag.Values.PAIR);
        }
        return Optional.ofNullable(flag);
    }

    /**
     * Whether a word of a command line stands for an option, not for a value of the one before.
     *
     * @param word any word
     * @return true if it begins with a hyphen and is no negative number
     */
    public static boolean isOption(String word) {
        return word.startsWith("-") && !NUMBER.matcher(word).matches();
    }

    /**
     * The name in a word of a command line, in its long form.
     *
     * @param word for instance {@code --max_model_len=8k} or {@code -tp}
     * @return for instance {@code max-model-len}; empty if the word names no option
     */
    public static String nameIn(String word) {
        String name = LEVEL.matcher(word).matches() ? "-O" : word.replaceFirst("(?s)[=.].*", "");
        if (name.startsWith("--")) {
            return name.substring(2).replace('_', '-');
        }
        return name.startsWith("-") ? SHORT.getOrDefault(name.substring(1), name) : "";
    }

    /**
     * Whether a word that names an option also holds its value, as {@code --port=8000} and {@code -O3} do.
     *
     * @param word a word that begins with a hyphen
     * @return true if the next word is not its value
     */
    public static boolean holdsValue(String word) {
        return word.contains("=") || LEVEL.matcher(word).matches();
    }

    private static Map<String, VllmFlag> index() {
        var index = new HashMap<String, VllmFlag>();
        Stream.of(
                        named(SWITCHES, VllmFlag.Values.SWITCH),
                        named(PAIRS, VllmFlag.Values.PAIR),
                        named(WITH_ONE_VALUE, VllmFlag.Values.ONE),
                        named(WITH_VALUES, VllmFlag.Values.MANY),
                        CHANGED.lines().map(VllmFlags::changed))
                .flatMap(flags -> flags)
                .forEach(flag -> index.put(flag.name(), flag));
        return Map.copyOf(index);
    }

    private static Stream<VllmFlag> named(String names, VllmFlag.Values values) {
        return Stream.of(names.strip().split("\\s+"))
                .map(name -> new VllmFlag(name, values, VllmVersion.OLDEST, Optional.empty(), ""));
    }

    private static VllmFlag changed(String line) {
        String[] part = line.split("\\s+", 5);
        return new VllmFlag(
                part[0],
                VllmFlag.Values.valueOf(part[1]),
                version(part[2]).orElse(VllmVersion.OLDEST),
                version(part[3]),
                part[4]);
    }

    private static Optional<VllmVersion> version(String text) {
        return text.equals("-") ? Optional.empty() : Optional.of(VllmVersion.parse(text));
    }
}
