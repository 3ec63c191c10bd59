package dev.tuna.api;

/** Stable names for what can go wrong; safe to switch on, store and compare across versions. */
public enum ErrorCode {
    /** A field of a request, policy, query or builder is wrong. */
    INVALID_REQUEST,
    /** A live deployment already has this name, or serves this model at the same endpoint. */
    NAME_TAKEN,
    /** No deployment has this name. */
    NO_SUCH_DEPLOYMENT,
    /** No provider of this name is on the class path. */
    PROVIDER_NOT_FOUND,
    /** Several providers fit, or two have one name, and nothing says which is meant. */
    PROVIDER_AMBIGUOUS,
    /** A provider's preflight found something that would make the deployment fail. */
    PREFLIGHT_FAILED,
    /** The provider does not accept the credentials. */
    CREDENTIALS,
    /** Nothing here says how to reach the provider: no credentials, no address, no tool. */
    NOT_CONFIGURED,
    /** The provider's account has no quota left for what was asked. */
    QUOTA,
    /** The provider has no machine of this kind to give at the moment. */
    CAPACITY,
    /** The provider answered with an error. */
    PROVIDER_REFUSED,
    /** The provider could not be reached. */
    UNREACHABLE,
    /** Something did not happen in the time allowed. */
    TIMEOUT,
    /** The listen address is taken or not allowed. */
    ENDPOINT_UNAVAILABLE,
    /** Another process controls this store. */
    STORE_LOCKED,
    /** The store was written by a newer version of Tuna. */
    STORE_TOO_NEW,
    /** The store's content cannot be read. */
    STORE_CORRUPT,
    /** The store cannot be written: permissions, read-only or full disk. */
    STORE_UNWRITABLE,
    /** The object was closed before the call. */
    CLOSED
}
