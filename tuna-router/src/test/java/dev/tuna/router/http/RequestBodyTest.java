package dev.tuna.router.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
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
        RequestBody found = scan(json.replace('~', '\n'));
        assertThat(found).isEqualTo(new RequestBody(model, stream, choices, internals, found.conversation()));
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
                .isEqualTo(new RequestBody("whisper/large", true, 1, false, OptionalLong.empty()));
        assertThat(form("preamble\r\n" + form, "Multipart/Form-Data; charset=x; boundary=\"XX\""))
                .isEqualTo(new RequestBody("whisper/large", true, 1, false, OptionalLong.empty()));
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

    private static final String BEGUN =
            "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},{\"role\":\"user\",\"content\":\"hi\"}";

    @Test
    @DisplayName("R-46 each turn of a conversation has the same number, whatever has been said since")
    void turnsHaveOneNumber() throws Exception {
        OptionalLong first = scan(BEGUN + "]}").conversation();

        assertThat(first).isPresent();
        assertThat(scan(BEGUN
                                + ",{\"role\":\"assistant\",\"content\":\"hello\"},{\"role\":\"user\",\"content\":\"why\"}],"
                                + "\"stream\":true,\"prompt\":\"other\"}")
                        .conversation())
                .isEqualTo(first);
        assertThat(scan("{\"prompt\":\"x\",\"n\":1,\"max_tokens\":9," + BEGUN.substring(1) + "]}")
                        .conversation())
                .isEqualTo(first);
        assertThat(scan(BEGUN.replace("hi", "ho") + "]}").conversation())
                .isPresent()
                .isNotEqualTo(first);
        assertThat(scan(BEGUN.replace("brief", "polite") + "]}").conversation())
                .isPresent()
                .isNotEqualTo(first);
    }

    @Test
    @DisplayName("R-46 a body in pieces has the same number")
    void piecesHaveTheSameNumber() throws Exception {
        byte[] json = (BEGUN + "]}").getBytes(StandardCharsets.UTF_8);
        OptionalLong whole = scan(BEGUN + "]}").conversation();
        for (int cut = 1; cut < json.length; cut++) {
            ByteBuf pieces = Unpooled.wrappedBuffer(
                    Unpooled.copiedBuffer(json, 0, cut), Unpooled.copiedBuffer(json, cut, json.length - cut));
            assertThat(RequestBody.scan(pieces, "application/json").conversation())
                    .isEqualTo(whole);
        }
    }

    @Test
    @DisplayName("R-46 where a reader's buffer ends makes no difference")
    void longBeginningsHaveOneNumber() throws Exception {
        for (int length = 7_800; length < 8_100; length++) {
            String begun = BEGUN.replace("be brief", "b".repeat(length));
            OptionalLong first = scan(begun + "]}").conversation();
            assertThat(first).isPresent();
            assertThat(scan(begun + ",{\"role\":\"assistant\",\"content\":\"hello\"}]}")
                            .conversation())
                    .isEqualTo(first);
            assertThat(scan(begun.replace("hi", "ho") + "]}").conversation())
                    .isPresent()
                    .isNotEqualTo(first);
        }
    }

    @Test
    @DisplayName("R-46 of a prompt the first KiB counts")
    void promptsThatBeginAlikeHaveOneNumber() throws Exception {
        String kib = "y".repeat(1023); // with the quote before it
        OptionalLong first = scan("{\"model\":\"m\",\"prompt\":\"" + kib + "and so on\",\"seed\":1}")
                .conversation();

        assertThat(first).isPresent();
        assertThat(scan("{\"model\":\"m\",\"prompt\":\"" + kib + "otherwise\"}").conversation())
                .isEqualTo(first);
        assertThat(scan("{\"model\":\"m\",\"prompt\":\"" + kib.substring(1) + "z and\"}")
                        .conversation())
                .isPresent()
                .isNotEqualTo(first);
        assertThat(scan("{\"model\":\"m\",\"prompt\":[1,2,3],\"seed\":1}").conversation())
                .isPresent()
                .isEqualTo(
                        scan("{\"model\":\"m\",\"prompt\":[1,2,3],\"seed\":2}").conversation())
                .isNotEqualTo(
                        scan("{\"model\":\"m\",\"prompt\":[1,2,4],\"seed\":1}").conversation());
    }

    @Test
    @DisplayName("a body that breaks off anywhere is refused, conversation or not")
    void brokenOffBodiesAreRefused() {
        String all = "{\"prompt\":76,\"seed\":32," + BEGUN.substring(1)
                + ",{\"role\":\"user\",\"content\":1}],\"prompt\":[1,[2]],\"n\":12}";
        for (int end = 1; end < all.length(); end++) {
            String begun = all.substring(0, end);
            assertThatThrownBy(() -> scan(begun)).as(begun).isInstanceOf(RefusedException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"model\":\"m\"}",
                "{\"model\":\"m\",\"messages\":null}",
                "{\"model\":\"m\",\"messages\":[]}",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"system\"},{\"role\":7},[\"role\",\"user\"],\"user\",{\"x\":{\"role\":\"user\"}}]}",
                "{\"model\":\"m\",\"metadata\":{\"messages\":[{\"role\":\"user\"}],\"prompt\":\"x\"}}"
            })
    @DisplayName("R-46 what no user has begun is no conversation")
    void withoutAUserThereIsNoConversation(String json) throws Exception {
        assertThat(scan(json).conversation()).isEmpty();
    }

    private static RequestBody scan(String json) throws RefusedException {
        return RequestBody.scan(Unpooled.copiedBuffer(json, StandardCharsets.UTF_8), "application/json");
    }

    private static RequestBody form(String form, String contentType) throws RefusedException {
        ByteBuf body = Unpooled.copiedBuffer("?" + form, StandardCharsets.UTF_8).skipBytes(1);
        return RequestBody.scan(body, contentType);
    }
}
