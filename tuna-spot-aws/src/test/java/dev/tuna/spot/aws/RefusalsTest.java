package dev.tuna.spot.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.api.CapacityException;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.ProviderException;
import dev.tuna.api.TunaException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.services.ec2.model.CreateFleetError;

class RefusalsTest {

    private static final String SHORT = "InsufficientInstanceCapacity";

    private static CreateFleetError error(String code, String words) {
        return CreateFleetError.builder().errorCode(code).errorMessage(words).build();
    }

    private static TunaException of(String... codes) {
        return Refusals.of(
                "us-east-1",
                List.of(codes).stream()
                        .map(code -> error(code, "words of " + code))
                        .toList());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "InvalidFleetConfiguration",
                "SpotMaxPriceTooLow",
                "InsufficientVolumeCapacity",
                "MaxFleetCountExceeded",
                "InvalidParameterValue",
                "InvalidSubnetID.NotFound",
                "SomethingNew"
            })
    void whatIsSaidOfOnePoolDoesNotMakeTheShortageOfTheOthersAMistake(String code) {
        List<String> codes = new ArrayList<>(Collections.nCopies(19, SHORT));
        codes.add(7, code);
        TunaException told = of(codes.toArray(String[]::new));
        assertThat(told).isInstanceOf(CapacityException.class).hasMessageContaining(code);
        assertThat(told.code()).isEqualTo(ErrorCode.CAPACITY);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "InvalidAMIID.NotFound",
                "InvalidLaunchTemplateId.Malformed",
                "InvalidKeyPair.NotFound",
                "InvalidBlockDeviceMapping",
                "MissingParameter"
            })
    void whatIsWrongWithTheWholeLaunchIsAMistakeWhicheverPoolSaysIt(String code) {
        assertThat(of(SHORT, code, SHORT))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(code);
    }

    @ParameterizedTest
    @ValueSource(strings = {"InvalidParameterValue", "SomethingNew"})
    void whatEveryPoolSaysIsWrongIsAMistake(String code) {
        assertThat(of(code, code)).isInstanceOf(ConfigurationException.class);
        assertThat(of("Unsupported", code)).isInstanceOf(ConfigurationException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"InvalidFleetConfiguration", "SpotMaxPriceTooLow", "InsufficientVolumeCapacity", "Unsupported"})
    void poolsThatHaveNothingNowAreNoMistakeEvenIfAllSaySo(String code) {
        assertThat(of(code, code)).isInstanceOf(CapacityException.class).hasMessageContaining("words of " + code);
    }

    @Test
    void tooManyFleetsAreAQuota() {
        assertThat(of("MaxFleetCountExceeded").code()).isEqualTo(ErrorCode.QUOTA);
    }

    @Test
    void whatPassesIsToldAsWhatPasses() {
        TunaException told = of("RequestLimitExceeded", "InternalError");
        assertThat(told).isInstanceOf(ProviderException.class);
        assertThat(told.retryable()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"InvalidGroup.NotFound", "InvalidLaunchTemplateId.VersionNotFound"})
    void whatWasMadeAMomentAgoAndIsNotSeenYetPasses(String code) {
        TunaException told = of(SHORT, code, code);
        assertThat(told).isInstanceOf(ProviderException.class).hasMessageContaining("words of " + code);
        assertThat(told.retryable()).isTrue();
    }

    @Test
    void aPoolIsNotSoldWhereEc2SaysSo() {
        assertThat(Refusals.isNotSold(error("Unsupported", ""))).isTrue();
        assertThat(
                        Refusals.isNotSold(
                                error(
                                        "InvalidFleetConfiguration",
                                        "Your requested instance type (g6.xlarge) is not supported in your requested Availability Zone.")))
                .isTrue();
        assertThat(Refusals.isNotSold(error("InvalidFleetConfiguration", "The fleet is wrong")))
                .isFalse();
        assertThat(Refusals.isNotSold(error(SHORT, "not supported"))).isFalse();
    }
}
