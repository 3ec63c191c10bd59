package dev.tuna.testkit.aws;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One call of EC2.
 *
 * @param account of whom
 * @param region where
 * @param form its parameters
 * @param now when
 */
record Ec2Call(AwsAccount account, AwsRegion region, Form form, Instant now) {

    /** What happens in an action. */
    @FunctionalInterface
    interface Action {
        /**
         * Does it.
         *
         * @param call what is asked
         * @param out takes the elements of the answer
         */
        void answer(Ec2Call call, Xml out);
    }

    /** To be called before anything is changed: here a rehearsal ends. */
    void commit() {
        if (form.flag("DryRun")) {
            throw new AwsError(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
        }
    }

    void needs(String right) {
        if (!account.allows(right)) {
            throw AwsError.unauthorized();
        }
    }

    /** Tags of what is made. */
    Map<String, String> tags(String type, Set<String> allowed) {
        Map<String, String> tags = SpecTags.of(form, type, allowed);
        if (!form.parts("TagSpecification").isEmpty()) {
            needs("ec2:CreateTags");
        }
        return tags;
    }

    Filters filters() {
        return Filters.of(form);
    }

    /** Writes the part of a list that was asked for. */
    <T> List<T> page(List<T> all, int least, int most, Xml out) {
        int wanted = form.number("MaxResults", most);
        if (wanted < least || wanted > most) {
            throw AwsError.invalid(
                    "Value ( %d ) for parameter maxResults is invalid. Expecting a value between %d and %d."
                            .formatted(wanted, least, most));
        }
        Optional<String> token = form.text("NextToken");
        Page<T> page = Page.of(
                all,
                token,
                Math.min(wanted, account.pageSize()),
                AwsError.invalid("The token '" + token.orElse("") + "' is invalid"));
        page.next().ifPresent(next -> out.put("nextToken", next));
        return page.items();
    }
}
