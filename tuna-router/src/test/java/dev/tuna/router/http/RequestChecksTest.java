package dev.tuna.router.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests as bytes, through the decoder that the listener uses. */
class RequestChecksTest {

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "plain|GET / HTTP/1.1~Host: h~~|0",
                "old|GET / HTTP/1.0~~|0",
                "length|POST / HTTP/1.1~Host: h~Content-Length: 3~~abc|0",
                "chunked|POST / HTTP/1.1~Host: [::1]:80~Transfer-Encoding: chunked~~0~~|0",
                "chunked in capitals|POST / HTTP/1.1~Host: h~Transfer-Encoding: CHUNKED~~0~~|0",
                "continue|POST / HTTP/1.1~Host: h~Expect: 100-Continue~Content-Length: 1~~a|0",
                "both|POST / HTTP/1.1~Host: h~Content-Length: 3~Transfer-Encoding: chunked~~0~~|400",
                "both, the other way round|POST / HTTP/1.1~Host: h~Transfer-Encoding: chunked~Content-Length: 3~~0~~|400",
                "two differing lengths|POST / HTTP/1.1~Host: h~Content-Length: 3~Content-Length: 4~~abc|400",
                "two equal lengths|POST / HTTP/1.1~Host: h~Content-Length: 3~Content-Length: 3~~abc|400",
                "a list of lengths|POST / HTTP/1.1~Host: h~Content-Length: 3, 3~~abc|400",
                "a signed length|POST / HTTP/1.1~Host: h~Content-Length: +3~~abc|400",
                "a negative length|POST / HTTP/1.1~Host: h~Content-Length: -3~~abc|400",
                "a hex length|POST / HTTP/1.1~Host: h~Content-Length: 0x3~~abc|400",
                "an endless length|POST / HTTP/1.1~Host: h~Content-Length: 99999999999999999999~~abc|400",
                "an empty length|POST / HTTP/1.1~Host: h~Content-Length:~~abc|400",
                "two encodings|POST / HTTP/1.1~Host: h~Transfer-Encoding: chunked~Transfer-Encoding: identity~~0~~|400",
                "chunked twice|POST / HTTP/1.1~Host: h~Transfer-Encoding: chunked, chunked~~0~~|400",
                "chunked not last|POST / HTTP/1.1~Host: h~Transfer-Encoding: chunked, gzip~~0~~|400",
                "compressed chunks|POST / HTTP/1.1~Host: h~Transfer-Encoding: gzip, chunked~~0~~|400",
                "identity|POST / HTTP/1.1~Host: h~Transfer-Encoding: identity~~|400",
                "an odd encoding|POST / HTTP/1.1~Host: h~Transfer-Encoding: xchunked~~0~~|400",
                "a quoted encoding|POST / HTTP/1.1~Host: h~Transfer-Encoding: \"chunked\"~~0~~|400",
                "an encoding in 1.0|POST / HTTP/1.0~Host: h~Transfer-Encoding: chunked~~0~~|400",
                "space before the colon|POST / HTTP/1.1~Host: h~Content-Length : 3~~abc|400",
                "tab before the colon|POST / HTTP/1.1~Host: h~Transfer-Encoding<TAB>: chunked~~0~~|400",
                "NUL in a value|GET / HTTP/1.1~Host: h~X: a<NUL>b~~|400",
                "NUL in a name|GET / HTTP/1.1~Host: h~X<NUL>: a~~|400",
                "a name with a space|GET / HTTP/1.1~Host: h~X Y: a~~|400",
                "no name|GET / HTTP/1.1~Host: h~: a~~|400",
                "no colon|GET / HTTP/1.1~Host: h~abc~~|400",
                "a vertical tab in a value|GET / HTTP/1.1~Host: h~X: a<VT>b~~|400",
                "a lone carriage return|GET / HTTP/1.1~Host: h~X: a<CR>Transfer-Encoding: chunked~~|400",
                "a bare line feed|GET / HTTP/1.1~Host: h<LF>X: a~~|400",
                "no host|GET / HTTP/1.1~~|400",
                "two hosts|GET / HTTP/1.1~Host: a~Host: b~~|400",
                "two equal hosts|GET / HTTP/1.1~Host: a~Host: a~~|400",
                "a host with a path|GET / HTTP/1.1~Host: a/b~~|400",
                "a host with a user|GET / HTTP/1.1~Host: u@a~~|400",
                "a list of hosts|GET / HTTP/1.1~Host: a, b~~|400",
                "another expectation|POST / HTTP/1.1~Host: h~Expect: a miracle~~|417",
                "version 2|GET / HTTP/2.0~Host: h~~|505",
                "version 1.2|GET / HTTP/1.2~Host: h~~|505",
                "no version|GET /~~|400",
                "words|hello world, how are you~~|400",
            })
    void answers(String name, String request, int status) {
        String bytes = request.replace("~", "\r\n")
                .replace("<NUL>", "\0")
                .replace("<TAB>", "\t")
                .replace("<LF>", "\n")
                .replace("<VT>", "\u000b")
                .replace("<CR>", "\r");

        assertThat(status(bytes)).isEqualTo(status);
    }

    @ParameterizedTest(name = "a {0} of {1} bytes: {2}")
    @CsvSource({"line, 5000, 414", "header, 9000, 431"})
    void namesWhatIsTooLong(String what, int length, int status) {
        String filler = "a".repeat(length);
        String request = what.equals("line")
                ? "GET /" + filler + " HTTP/1.1\r\nHost: h\r\n\r\n"
                : "GET / HTTP/1.1\r\nHost: h\r\nX: " + filler + "\r\n\r\n";

        assertThat(status(request)).isEqualTo(status);
    }

    private static int status(String request) {
        EmbeddedChannel channel = new EmbeddedChannel(new StrictRequestDecoder(new HttpDecoderConfig()));
        try {
            channel.writeInbound(Unpooled.copiedBuffer(request, StandardCharsets.ISO_8859_1));
            HttpRequest head = channel.readInbound();
            assertThat(head).as("a head was decoded").isNotNull();
            RequestChecks.check(head);
            return 0;
        } catch (RefusedException refused) {
            return refused.error().status();
        } finally {
            for (Object rest = channel.readInbound(); rest != null; rest = channel.readInbound()) {
                ReferenceCountUtil.release(rest);
            }
            channel.finishAndReleaseAll();
        }
    }
}
