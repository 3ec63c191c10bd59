package dev.tuna.router.admin;

import dev.tuna.router.http.OpenAiError;
import dev.tuna.router.http.RefusedException;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which URLs may be given as backends over HTTP: everything that could be a model server, and nothing by which the router
 * could be made to read a cloud's instance metadata, credentials included.
 */
final class BackendUrls {

    /** Names of the metadata services of Google Cloud and EC2. */
    private static final Set<String> METADATA_NAMES = Set.of(
            "metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal");

    /** EC2 over IPv6, Alibaba Cloud, Azure's host agent, Oracle Cloud; the rest is link-local. */
    private static final List<InetAddress> METADATA_ADDRESSES = List.of(
            address("fd00:ec2::254"), address("100.100.100.200"), address("168.63.129.16"), address("192.0.0.192"));

    /** Hosts that some resolvers read as an address although they do not look like one: 2852039166, 0xa9fea9fe, 169.254.1. */
    private static final Pattern NUMERIC = Pattern.compile("(?:.*\\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)");

    private BackendUrls() {}

    /**
     * Checks a URL.
     *
     * @param field what to call it in an error
     * @param text the URL as sent
     * @return the URL
     * @throws RefusedException 400, naming the field
     */
    static URI check(String field, String text) throws RefusedException {
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            throw refused(field, "is not a URL");
        }
        String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
        if (!scheme.equals("http") && !scheme.equals("https")) {
            throw refused(field, "must start with http:// or https://");
        }
        if (url.getRawUserInfo() != null) {
            throw refused(field, "must not hold a user name or password; send 'serverless_auth_token' instead");
        }
        if (url.getHost() == null) {
            throw refused(field, "has no host");
        }
        if (url.getRawQuery() != null || url.getRawFragment() != null) {
            throw refused(field, "must be a base URL, without '?' and '#'");
        }
        if (url.getPort() == 0 || url.getPort() > 65_535) {
            throw refused(field, "has a port that is not from 1 to 65535");
        }
        if (isForbidden(url.getHost())) {
            throw refused(
                    field,
                    "points at an address where no model server can be: link-local, cloud metadata,"
                            + " multicast, or a number in disguise");
        }
        return url;
    }

    private static boolean isForbidden(String host) {
        String name = host.toLowerCase(Locale.ROOT).replaceAll("\\.+$", "");
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(name);
        if (literal == null) {
            return name.isEmpty()
                    || METADATA_NAMES.contains(name)
                    || NUMERIC.matcher(name).matches();
        }
        return isForbidden(address(literal));
    }

    private static boolean isForbidden(InetAddress address) {
        return address.isLinkLocalAddress()
                || address.isAnyLocalAddress()
                || address.isMulticastAddress()
                || METADATA_ADDRESSES.contains(address);
    }

    private static InetAddress address(String literal) {
        return address(NetUtil.createByteArrayFromIpAddressString(literal));
    }

    /** An IPv4 address that is written as IPv6 becomes IPv4 here. */
    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address has 4 or 16 bytes", e);
        }
    }

    private static RefusedException refused(String field, String why) {
        return new RefusedException(OpenAiError.badField(
                field, "invalid_url", "'" + field + "' " + why + ". Example: https://10.0.0.7:8000"));
    }
}
