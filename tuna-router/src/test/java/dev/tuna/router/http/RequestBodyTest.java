package dev.tuna.router.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestBodyTest {

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"model\":\"m\"} | m | false | 1 | false",
                "  {\"messages\":[{\"model\":\"x\",\"stream\":true}],\"stream\":false,\"model\":\"a/b\"}~ | a/b | false | 1 | false",
                "{\"stream\":true,\"model\":\"m\",\"n\":3} | m | true | 3 | false",
                "{\"stream\":null,\"model\":\"m\",\"n\":null} | m | false | 1 | false",
                "{\"model\":\"m\",\"n\":2,\"n\":1} | m | false | 1 | false",
                "{\"model\":\"m\",\"n\":0} | m | false | 1 | false",
                "{\"model\":\"m\",\"n\":1e12} | m | false | 4096 | false",
                "{\"model\":\"m\",\"prompt\":\"one\"} | m | false | 1 | false",
                "{\"model\":\"m\",\"prompt\":[\"one\",\"two\"],\"n\":2} | m | false | 4 | false",
                "{\"model\":\"m\",\"prompt\":[1,2,3]} | m | false | 1 | false",
                "{\"model\":\"m\",\"prompt\":[[1,2],[3]]} | m | false | 2 | false",
                "{\"model\":\"m\",\"prompt\":[]} | m | false | 1 | false",
                "{\"mod\\u0065l\":\"\\u006d\"} | m | false | 1 | false",
                "{\"kv_transfer_params\":{\"do_remote_decode\":true},\"model\":\"m\"} | m | false | 1 | true",
                "{\"x\":{\"kv_transfer_params\":1},\"model\":\"m\"} | m | false | 1 | false",
            })
    void findsWhatMatters(String json, String model, boolean stream, int choices, boolean internals) throws Exception {
        assertThat(scan(json.replace('~', '\n'))).isEqualTo(new RequestBody(model, stream, choices, internals));
    }

    @ParameterizedTest(name = "{0} -> {2}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{} | model | missing_model",
                "{\"messages\":[]} | model | missing_model",
                "{\"model\":null} | model | invalid_model",
                "{\"model\":7} | model | invalid_model",
                "{\"model\":[\"m\"]} | model | invalid_model",
                "{\"model\":\"a\",\"model\":\"b\"} | model | repeated_field",
                "{\"model\":\"a\",\"mod\\u0065l\":\"b\"} | model | repeated_field",
                "{\"stream\":false,\"model\":\"a\",\"stream\":true} | stream | repeated_field",
                "{\"model\":\"a\",\"stream\":\"true\"} | stream | invalid_stream",
                "{\"model\":\"a\",\"stream\":1} | stream | invalid_stream",
                "[\"model\"] |  | invalid_json",
                "\"model\" |  | invalid_json",
                "{\"model\":\"a\" |  | invalid_json",
                "{\"model\":\"a\"} {} |  | invalid_json",
                "{\"model\":\"a\"}x |  | invalid_json",
                "{model:\"a\"} |  | invalid_json",
                "{\"model\":\"a\",} |  | invalid_json",
                "{\"model\":\"a\",\"t\":NaN} |  | invalid_json",
                "model=a&stream=1 |  | invalid_json",
            })
    void refusesWhatIsUnclear(String json, String param, String code) {
        assertThatThrownBy(() -> scan(json)).isInstanceOfSatisfying(RefusedException.class, refused -> {
            assertThat(refused.error().status()).isEqualTo(400);
            assertThat(refused.error().code()).isEqualTo(code);
            assertThat(refused.error().param().orElse(null)).isEqualTo(param);
        });
    }

    @Test
    void namesWhereJsonBreaks() {
        assertThatThrownBy(() -> scan("{\"model\":\"m\",\"messages\":[}"))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("byte 2");
    }

    @Test
    void refusesAnEmptyBody() {
        assertRefused("", "empty_body");
    }

    @Test
    void refusesNestingThatNobodyNeeds() throws Exception {
        assertThat(scan("{\"model\":\"m\",\"x\":" + "[".repeat(400) + "]".repeat(400) + "}")
                        .model())
                .isEqualTo("m");
        assertRefused("{\"model\":\"m\",\"x\":" + "[".repeat(100_000), "json_too_complex");
    }

    @Test
    void takesStringsOfAnyLength() throws Exception {
        assertThat(scan("{\"image\":\"" + "A".repeat(30_000_000) + "\",\"model\":\"m\"}")
                        .model())
                .isEqualTo("m");
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-16", "UTF-32BE", "UTF-32LE"})
    void refusesOtherEncodings(String charset) {
        ByteBuf body = Unpooled.copiedBuffer("{\"model\":\"m\"}", Charset.forName(charset));

        assertThatThrownBy(() -> RequestBody.scan(body, "application/json"))
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.error().code()).isEqualTo("invalid_encoding"));
    }

    @Test
    void refusesAByteOrderMarkAndCompression() {
        assertRefused("\ufeff{\"model\":\"m\"}", "invalid_encoding");
        assertThatThrownBy(() -> RequestBody.scan(Unpooled.wrappedBuffer(new byte[] {0x1f, (byte) 0x8b, 8}), ""))
                .isInstanceOf(RefusedException.class);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"kv_transfer_params\":{\"a\":[1]},\"model\":\"m\"} | {\"model\":\"m\"}",
                "{\"model\":\"m\",\"kv_transfer_params\":null} | {\"model\":\"m\"}",
                "{\"model\":\"m\" , \"kv_transfer_params\" : \"x,}\" , \"ec_transfer_params\":1, \"t\": 1.50 } | {\"model\":\"m\",\"t\": 1.50}",
                "{\"kv_transfer_params\":{}} | {}",
                "{\"kv_transfer_params\":1,\"a\":{\"kv_transfer_params\":2},\"kv_transfer_params\":3,\"b\":[true,null]} | {\"a\":{\"kv_transfer_params\":2},\"b\":[true,null]}",
                "{\"a\":\"\\u00e9é\\\"\",\"kv_tr\\u0061nsfer_params\":1,\"b\":-1e5} | {\"a\":\"\\u00e9é\\\"\",\"b\":-1e5}",
                "{\"a\":1,\"kv_transfer_params\":2,\"b\":false} | {\"a\":1,\"b\":false}",
            })
    void removesInternalsAndNothingElse(String body, String expected) {
        ByteBuf offset =
                Unpooled.copiedBuffer("##" + body, StandardCharsets.UTF_8).skipBytes(2);

        assertThat(RequestBody.withoutInternals(offset).toString(StandardCharsets.UTF_8))
                .isEqualTo(expected);
        assertThat(offset.readerIndex()).isEqualTo(2);
    }

    @Test
    void removesInternalsFromALongBody() {
        String text = "é\\n".repeat(20_000);
        String body = "{\"a\":\"" + text + "\",\"kv_transfer_params\":{\"x\":\"" + text + "\"},\"b\":\"" + text + "\"}";

        assertThat(RequestBody.withoutInternals(Unpooled.copiedBuffer(body, StandardCharsets.UTF_8))
                        .toString(StandardCharsets.UTF_8))
                .isEqualTo("{\"a\":\"" + text + "\",\"b\":\"" + text + "\"}");
    }

    @Test
    void readsAForm() throws Exception {
        String form = String.join(
                "\r\n",
                "--XX",
                "Content-Disposition: form-data; name=\"file\"; filename=\"model.wav\"",
                "Content-Type: audio/wav",
                "",
                "RIFF",
                "--X name=\"model\"",
                "",
                "no",
                "--XX",
                "content-disposition: form-data; name=\"model\"",
                "",
                "whisper/large",
                "--XX",
                "Content-Disposition: form-data; name=stream",
                "",
                "true",
                "--XX--",
                "");

        assertThat(form(form, "multipart/form-data; boundary=XX"))
                .isEqualTo(new RequestBody("whisper/large", true, 1, false));
        assertThat(form("preamble\r\n" + form, "Multipart/Form-Data; charset=x; boundary=\"XX\""))
                .isEqualTo(new RequestBody("whisper/large", true, 1, false));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "multipart/form-data | --XX~Content-Disposition: form-data; name=model~~m~--XX-- | invalid_form",
                "multipart/form-data; boundary=YY | --XX~Content-Disposition: form-data; name=model~~m~--XX-- | invalid_form",
                "multipart/form-data; boundary=XX | --XX~Content-Disposition: form-data; name=model~~m | invalid_form",
                "multipart/form-data; boundary=XX | --XX~Content-Disposition: form-data; name=model | invalid_form",
                "multipart/form-data; boundary=XX | --XX | invalid_form",
                "multipart/form-data; boundary=XX | --XX-- | missing_model",
                "multipart/form-data; boundary=XX | --XX~Content-Disposition: form-data; filename=model~~m~--XX-- | missing_model",
                "multipart/form-data; boundary=XX | --XX~Content-Disposition: form-data; name=model~~m~--XX~Content-Disposition: form-data; name=model~~n~--XX-- | repeated_field",
            })
    void refusesAFormThatIsUnclear(String contentType, String form, String code) {
        assertThatThrownBy(() -> form(form.replace("~", "\r\n"), contentType))
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.error().code()).isEqualTo(code));
    }

    private static void assertRefused(String json, String code) {
        assertThatThrownBy(() -> scan(json))
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.error().code()).isEqualTo(code));
    }

    private static RequestBody scan(String json) throws RefusedException {
        return RequestBody.scan(Unpooled.copiedBuffer(json, StandardCharsets.UTF_8), "application/json");
    }

    private static RequestBody form(String form, String contentType) throws RefusedException {
        ByteBuf body = Unpooled.copiedBuffer("?" + form, StandardCharsets.UTF_8).skipBytes(1);
        return RequestBody.scan(body, contentType);
    }
}
