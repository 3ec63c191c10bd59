package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.ErrorCode;
import dev.tuna.api.Secret;
import dev.tuna.api.TunaException;
import dev.tuna.provider.support.Redaction;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Modal's command line says, and what that means. */
class CliErrorsTest {

    private static final Redaction NOTHING_KNOWN = Redaction.of(List.of());

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "Token missing. Could not authenticate client. | 1 | NOT_CONFIGURED | false | modal setup",
                "Token validation failed: invalid token credentials | 1 | CREDENTIALS | false | modal setup",
                "Could not connect to the Modal server. | 1 | UNREACHABLE | true | Could not connect",
                "Workspace is rate limited. Too many requests | 1 | PROVIDER_REFUSED | true | rate limit",
                "Workspace billing cycle spend limit reached | 1 | QUOTA | false | modal.com/settings",
                "modal-http: workspace ac-1 is disabled | 1 | QUOTA | false | modal.com/settings",
                "Not a valid GPU type: L5 | 1 | PROVIDER_REFUSED | false | choose one of T4",
                "No such option: --yes | 2 | PROVIDER_REFUSED | false | pip install --upgrade modal",
                "No Environment found with name 'x' | 1 | PROVIDER_REFUSED | false | modal environment list",
                "something new | 1 | PROVIDER_REFUSED | false | something new",
                "'' | 137 | PROVIDER_REFUSED | true | status 137"
            })
    void isClassified(String said, int status, ErrorCode code, boolean retryable, String told) {
        TunaException error = CliErrors.of("deploy app", new Finished(status, "", said), NOTHING_KNOWN);
        assertThat(error.code()).isEqualTo(code);
        assertThat(error.retryable()).isEqualTo(retryable);
        assertThat(error).hasMessageContaining(told).hasMessageStartingWith("modal: deploy app failed");
    }

    @Test
    void framesAreTakenAwayAndOfTracebacksOnlyTheExceptionIsLeft() {
        assertThat(CliErrors.essence("""
                        \u256d\u2500 Error \u2500\u2500\u2500\u2500\u2500\u256e
                        \u2502 No App with name 'x'   \u2502
                        \u2502 found.                 \u2502
                        \u2570\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u256f
                        """)).isEqualTo("No App with name 'x' found.");
        assertThat(CliErrors.essence("""
                        \u256d\u2500 Traceback (most recent call last) \u2500\u256e
                        \u2502 /tmp/tuna_app.py:14 in <module>       \u2502
                        \u2502   13                                  \u2502
                        \u2502 \u276f 14 app = modal.App(1/0)            \u2502
                        \u2570\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u256f
                        ZeroDivisionError: division by zero
                        """)).isEqualTo("ZeroDivisionError: division by zero");
    }

    @Test
    void whatIsQuotedIsShortAndHasNoSecret() {
        Secret planted = Secret.of("as-PLANTED1234567890");
        Finished finished = new Finished(1, "", "bad token as-PLANTED1234567890 " + "x".repeat(5000));
        TunaException error = CliErrors.of("list apps", finished, Redaction.of(List.of(planted)));
        String message = String.valueOf(error.getMessage());
        assertThat(message.length()).isLessThan(700);
        assertThat(message.contains("PLANTED")).isFalse();
        assertThat(finished.toString()).isEqualTo("Finished[1]");
    }

    @Test
    void anythingThatIsNotThereIsToldApart() {
        assertThat(CliErrors.saysMissing(new Finished(1, "", "No App with name 'x' found in the 'main' environment.")))
                .isTrue();
        assertThat(CliErrors.saysMissing(new Finished(1, "", "App is already stopped. (Stopped at 10:00)")))
                .isTrue();
        assertThat(CliErrors.saysMissing(new Finished(1, "", "Volume ('x', 'main') not found")))
                .isTrue();
        assertThat(CliErrors.saysMissing(new Finished(1, "", "Could not connect to the Modal server.")))
                .isFalse();
    }
}
