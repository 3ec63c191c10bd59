package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.spi.SpotCloud;
import dev.tuna.spi.SpotProvider;
import dev.tuna.testkit.contract.ContractContext;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class AwsProviderTest {

    @Test
    void itIsFoundByTheNameThatRequestsUseF07() {
        assertThat(ServiceLoader.load(SpotProvider.class))
                .extracting(SpotProvider::name)
                .contains("aws");
    }

    @Test
    void beingThereNeedsNeitherCredentialsNorNetworkF07() {
        ContractContext context = ContractContext.create().withSetting("endpoint", "http://127.0.0.1:1");
        try (SpotCloud cloud = new AwsProvider().open(context)) {
            assertThat(cloud.observe(List.of())).isEmpty();
        }
        assertThat(context.requests()).isZero();
    }
}
