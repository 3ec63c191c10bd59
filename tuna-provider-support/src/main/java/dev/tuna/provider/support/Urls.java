package dev.tuna.provider.support;

import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** Puts URLs together, every value percent-encoded. */
final class Urls {

    private Urls() {}

    static URI base(URI url) {
        String scheme = url.getScheme();
        if (!("http".equals(scheme) || "https".equals(scheme)) || url.getHost() == null) {
            throw new IllegalArgumentException("API URL '" + url + "' must be http or https with a host");
        }
        if (url.getRawQuery() != null || url.getRawFragment() != null || url.getRawUserInfo() != null) {
            throw new IllegalArgumentException("API URL of host '" + url.getHost()
                    + "' must have no query, fragment or user; put them into the calls and the credential");
        }
        String text = url.toString();
        return text.endsWith("/") ? URI.create(text.substring(0, text.length() - 1)) : url;
    }

    static String path(String template, Object... arguments) {
        if (!template.startsWith("/")) {
            throw new IllegalArgumentException("path '" + template + "' must start with /");
        }
        StringBuilder path = new StringBuilder();
        int from = 0;
        for (Object argument : arguments) {
            int place = template.indexOf("{}", from);
            if (place < 0) {
                throw new IllegalArgumentException(
                        "path '" + template + "' has fewer places than the " + arguments.length + " arguments given");
            }
            path.append(template, from, place).append(segment(template, argument.toString()));
            from = place + 2;
        }
        if (template.indexOf("{}", from) >= 0) {
            throw new IllegalArgumentException(
                    "path '" + template + "' has more places than the " + arguments.length + " arguments given");
        }
        return path.append(template, from, template.length()).toString();
    }

    static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** An empty or dotted segment would address something else than was meant: the whole collection, its parent. */
    private static String segment(String template, String value) {
        if (value.isEmpty() || value.equals(".") || value.equals("..")) {
            throw new IllegalArgumentException("'" + value + "' cannot stand in path '" + template + "'");
        }
        return encode(value);
    }
}
