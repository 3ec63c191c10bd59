package dev.tuna.router.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StreamRequestTest {

    private static StreamRequest read(String fields, boolean chat) {
        String body = "{'model':'m','stream':true" + fields + "}";
        return StreamRequest.read(Unpooled.copiedBuffer(body.replace('\'', '"'), StandardCharsets.UTF_8), chat);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "SEVERAL_CHOICES | ,'n':2",
                "SEVERAL_CHOICES | ,'best_of':3",
                "SEVERAL_CHOICES | ,'use_beam_search':true",
                "SEVERAL_CHOICES | ,'prompt':['a','b']",
                "SEVERAL_CHOICES | ,'prompt':[[1],[2]]",
                "GRAMMAR | ,'response_format':{'type':'json_schema','json_schema':{'type':'text'}}",
                "GRAMMAR | ,'structured_outputs':{}",
                "GRAMMAR | ,'guided_json':{}",
                "FORCED_TOOL | ,'tool_choice':'required'",
                "FORCED_TOOL | ,'tool_choice':{'type':'function'}",
                "FORCED_TOOL | ,'functions':[]",
                "PENALTIES | ,'presence_penalty':1",
                "PENALTIES | ,'frequency_penalty':0.1",
                "DECODER_STATE | ,'thinking_token_budget':9",
                "DECODER_STATE | ,'vllm_xargs':{}",
                "NO_TOKENS | ,'prompt_embeds':'x'",
                "NO_TOKENS | ,'suffix':'x'",
                "NO_TOKENS | ,'max_tokens':'many'",
                "MEDIA | ,'messages':[{'role':'user','content':[{'type':'text','text':'a'},{'type':'image_url'}]}]",
                "MEDIA | ,'messages':[{'role':'user','content':[{'image_url':{'url':'x'}}]}]",
            })
    @DisplayName("what cannot be continued exactly is told, with the reason")
    void ineligible(Ineligible why, String fields) {
        assertThat(read(fields, true).ineligible()).hasValue(why);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",'n':1,'best_of':1,'presence_penalty':0,'frequency_penalty':0.0,'repetition_penalty':1.2",
                ",'n':null,'response_format':null,'tool_choice':null,'structured_outputs':null,'suffix':null",
                ",'response_format':{'type':'text'},'tool_choice':'auto','tools':[{'type':'function','function':{}}]",
                ",'messages':[{'role':'user','content':[{'type':'text','text':'a'}]},{'role':'tool','content':'b'}]",
                ",'messages':[{'role':'user','content':'image_url','x':{'content':[{'type':'image'}]}}]",
                ",'prompt':'a'",
                ",'prompt':['a']",
                ",'prompt':[1,2,3]",
                ",'metadata':{'n':3,'guided_json':1}",
            })
    @DisplayName("everything else can be continued")
    void eligible(String fields) {
        assertThat(read(fields, true).ineligible()).isEmpty();
    }

    @Test
    void readsWhatMattersAtASeam() {
        StreamRequest chat = read(
                ",'max_tokens':9,'max_completion_tokens':7,'min_tokens':2,'seed':-5,'stop':['a','b'],"
                        + "'stream_options':{'include_usage':true},'return_token_ids':true,'logprobs':true",
                true);
        assertThat(chat.tokensLeft(3)).hasValue(4);
        assertThat(chat.tokensLeft(30)).hasValue(0);
        assertThat(chat.minTokens()).isEqualTo(2);
        assertThat(chat.seed()).hasValue(-5);
        assertThat(chat.stop()).containsExactly("a", "b");
        assertThat(chat.includeUsage()).isTrue();
        assertThat(chat.returnTokenIds()).isTrue();
        assertThat(chat.logprobs()).isTrue();
        assertThat(chat.tools()).isFalse();
    }

    @Test
    @DisplayName("a chat that does not say has the window, a completion 16 tokens")
    void defaults() {
        assertThat(read("", true).tokensLeft(5)).isEmpty();
        assertThat(read("", false).tokensLeft(5)).hasValue(11);
        assertThat(read(",'max_completion_tokens':3,'max_tokens':40", false).tokensLeft(5))
                .hasValue(35);
    }
}
