package dev.tuna.provider.modal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tuna.testkit.modal.ModalStandIn;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the provider told Modal's command line. */
final class Wire {

    private static final Logger LOG = LoggerFactory.getLogger(Wire.class);

    private Wire() {}

    /** Every command is one that Modal's command line has, called so that its output can be read. */
    static void checkCommands(ModalStandIn vendor) {
        var violations = vendor.violations();
        LOG.warn(
                "conformance with Modal's command line: {} commands checked, {} violations",
                vendor.calls().size(),
                violations.size());
        assertThat(violations).as("violations of Modal's command line").isEmpty();
        assertThat(vendor.calls()).as("commands checked").isNotEmpty();
    }
}
