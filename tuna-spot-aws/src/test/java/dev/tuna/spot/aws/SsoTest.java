package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.profiles.ProfileFile;

/** Who logs in with {@code aws sso login} is understood: the SDK needs modules for that which nothing here calls. */
class SsoTest {

    @Test
    void theLoginOfAnSsoProfileIsLookedFor() {
        ProfileFile profiles = ProfileFile.builder()
                .type(ProfileFile.Type.CONFIGURATION)
                .content(new ByteArrayInputStream("""
                        [default]
                        sso_session = company-of-the-test
                        sso_account_id = 123456789012
                        sso_role_name = tuna
                        [sso-session company-of-the-test]
                        sso_region = us-east-1
                        sso_start_url = https://company.invalid/start
                        """.getBytes(StandardCharsets.UTF_8)))
                .build();
        try (var provider = ProfileCredentialsProvider.builder()
                .profileFile(profiles)
                .profileName("default")
                .build()) {
            assertThatThrownBy(provider::resolveCredentials)
                    .hasMessageNotContaining("class path")
                    .hasMessageContaining("SSO token");
        }
    }
}
