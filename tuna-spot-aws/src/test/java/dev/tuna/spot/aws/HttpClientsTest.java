package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.http.SdkHttpService;
import software.amazon.awssdk.http.async.SdkAsyncHttpService;
import software.amazon.awssdk.http.urlconnection.UrlConnectionSdkHttpService;

/** The SDK comes with one HTTP client, on the JDK's own connections, so that nothing else is dragged into a host. */
class HttpClientsTest {

    @Test
    void noOtherClientOfTheSdkIsOnTheClassPath() {
        assertThat(ServiceLoader.load(SdkHttpService.class).stream().map(ServiceLoader.Provider::type))
                .containsExactly(UrlConnectionSdkHttpService.class);
        assertThat(ServiceLoader.load(SdkAsyncHttpService.class)).isEmpty();
    }

    @Test
    void noLibraryOfAnotherClientIsOnTheClassPath() {
        Stream<String> others = List.of(
                "org.apache.http.client.HttpClient",
                "org.apache.hc.client5.http.classic.HttpClient",
                "software.amazon.awssdk.crt.CRT",
                "software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient")
                .stream();
        assertThat(others.filter(HttpClientsTest::isThere)).isEmpty();
    }

    private static boolean isThere(String type) {
        try {
            Class.forName(type, false, HttpClientsTest.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}
