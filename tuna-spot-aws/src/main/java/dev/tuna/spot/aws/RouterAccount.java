package dev.tuna.spot.aws;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.spi.Journal;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.RouterCloud;
import java.util.stream.Stream;

/**
 * Remembers in which account a router's machine was made. To other credentials it looks as if it did not exist, which must not
 * be taken for its end. Keeps nothing itself; thread-safe.
 *
 * @param clients the SDK's
 * @param journal where the account is kept until the machine has been cleaned up
 * @param vm the machine's name
 */
record RouterAccount(AwsClients clients, Journal journal, String vm) {

    /** Notes who is calling, before anything is made for it. The last one who did counts. */
    void remember(String region) {
        ResourceRef caller = Names.ref(Names.ACCOUNT, region, vm + "/" + caller(region));
        remembered(region).filter(ref -> !ref.equals(caller)).forEach(journal::gone);
        journal.intend(RouterCloud.journal(vm), caller, "the account");
    }

    private Stream<ResourceRef> remembered(String region) {
        return journal.open(RouterCloud.journal(vm)).stream()
                .filter(ref -> ref.kind().equals(Names.ACCOUNT))
                .filter(ref -> Names.region(ref).filter(region::equals).isPresent());
    }

    /**
     * Checks that what is not shown could be.
     *
     * @throws ConfigurationException if others are asked than it was made with
     */
    void requireSame(String region) {
        remembered(region)
                .map(ref -> ref.id().substring(ref.id().lastIndexOf('/') + 1))
                .forEach(made -> requireSame(region, made));
    }

    private void requireSame(String region, String made) {
        String asked = caller(region);
        if (!asked.equals(made)) {
            throw new ConfigurationException(
                    ErrorCode.CREDENTIALS,
                    "router VM '" + vm + "' was made in AWS account " + made + ", but the credentials are of account "
                            + asked + ", where it does not exist; use credentials of account " + made
                            + " (AWS_PROFILE, for instance)");
        }
    }

    private String caller(String region) {
        return new AwsCalls(region).caller(clients).account();
    }
}
