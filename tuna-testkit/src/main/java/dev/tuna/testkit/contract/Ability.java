package dev.tuna.testkit.contract;

/** What a contract test asks of a cloud beyond the interface; a cloud that lacks it must say why. */
public enum Ability {
    /** Its class stands in {@code META-INF/services} and is made by {@link java.util.ServiceLoader}. */
    LOAD_AS_SERVICE,
    /** Its endpoints answer real HTTP requests. */
    SERVE_REQUESTS,
    /** Its endpoints can be guarded by a credential. */
    GUARD_ENDPOINT,
    /** Something that a spec can ask for is refused. */
    REFUSE_SPEC,
    /** What it makes carries an owner tag and can be listed. */
    FIND_RESOURCES,
    /** It tells when a replica ended after the replica is gone. */
    TELL_END,
    /** The test can take all machines out of a pool. */
    RUN_DRY,
    /** The test can have it give an interruption notice. */
    GIVE_NOTICE,
    /** The test can have it recommend to leave a replica. */
    RECOMMEND_REBALANCE,
    /** The test can have it lose a replica without notice. */
    LOSE_REPLICA
}
