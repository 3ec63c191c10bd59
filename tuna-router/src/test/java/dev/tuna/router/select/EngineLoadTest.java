package dev.tuna.router.select;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EngineLoadTest {

    @Test
    @DisplayName("R-45 reads what waits and how full the cache is, and nothing that only sounds like it")
    void readsBothGauges() {
        String text = """
                # HELP vllm:num_requests_waiting Requests waiting
                # TYPE vllm:num_requests_waiting gauge
                vllm:num_requests_waiting{engine="0",model_name="m"} 3.0
                vllm:num_requests_waiting{engine="1",model_name="m"} 1.0
                vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 99.0
                vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
                vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
                """;
        assertThat(EngineLoad.parse(text)).hasValue(new EngineLoad(4, 0.5));
        assertThat(EngineLoad.parse("vllm:num_requests_waiting 7\nvllm:gpu_cache_usage_perc 1e-1"))
                .hasValue(new EngineLoad(7, 0.1));
    }

    @Test
    void whatIsNoLoadIsNone() {
        assertThat(EngineLoad.parse("")).isEmpty();
        assertThat(EngineLoad.parse("vllm:num_requests_waiting_by_reason{} 9\n# vllm:num_requests_waiting 9"))
                .isEmpty();
        assertThat(EngineLoad.parse("vllm:num_requests_waiting NaN\n")).hasValue(new EngineLoad(0, 0));
        assertThat(EngineLoad.parse("vllm:num_requests_waiting many\n")).hasValue(new EngineLoad(0, 0));
    }

    @ParameterizedTest
    @CsvSource({"4, 0.79, false", "5, 0, true", "0, 0.8, true"})
    @DisplayName("R-45 a queue or an almost full cache is saturation")
    void saturation(double waiting, double cache, boolean saturated) {
        assertThat(new EngineLoad(waiting, cache).isSaturated()).isEqualTo(saturated);
    }
}
