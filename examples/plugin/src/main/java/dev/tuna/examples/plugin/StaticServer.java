package dev.tuna.examples.plugin;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import dev.tuna.api.SecretRef;
import dev.tuna.spi.BackendAddress;
import dev.tuna.spi.ResourceRef;
import dev.tuna.spi.ServerlessSpec;
import java.math.BigDecimal;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A server for a deployment. Its text form is the resource's id and says all there is to know, so that the server can be
 * looked at after a restart; the key is in it by reference only.
 */
record StaticServer(String deployment, URI url, Optional<SecretRef> key, Optional<BigDecimal> usdPerHour) {

    static final String PROVIDER = "static";

    static StaticServer of(ServerlessSpec spec, Map<String, String> settings) {
        Map<String, String> options = new HashMap<>(settings);
        options.putAll(spec.options());
        return parse(
                spec.deployment(),
                options.getOrDefault("url", ""),
                options.getOrDefault("api_key_secret", ""),
                options.getOrDefault("usd_per_hour", ""));
    }

    static StaticServer of(ResourceRef resource) {
        String[] parts = resource.id().split(" ", -1);
        if (parts.length != 4) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST, "resource '" + resource + "' was not made by this provider");
        }
        return parse(parts[0], parts[1], parts[2], parts[3]);
    }

    private static StaticServer parse(String deployment, String url, String key, String usdPerHour) {
        try {
            return new StaticServer(
                    deployment,
                    base(url),
                    key.isEmpty() ? Optional.empty() : Optional.of(new SecretRef(key)),
                    usdPerHour.isEmpty() ? Optional.empty() : Optional.of(price(usdPerHour)));
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException(
                    ErrorCode.INVALID_REQUEST,
                    "option url of provider static is '" + url.replaceFirst("//[^/]*@", "//***@")
                            + "' but must be the server's base URL, for instance 'http://10.0.0.5:8000'");
        }
    }

    private static URI base(String url) {
        URI base = BackendAddress.of(URI.create(url.replaceFirst("/+$", ""))).url();
        if (base.getRawUserInfo() != null || base.getRawQuery() != null || base.getRawFragment() != null) {
            throw new IllegalArgumentException("more than a base URL");
        }
        return base;
    }

    private static BigDecimal price(String usdPerHour) {
        try {
            BigDecimal price = new BigDecimal(usdPerHour);
            if (price.signum() >= 0) {
                return price;
            }
        } catch (NumberFormatException e) {
            // Told below, as a negative number is.
        }
        throw new ConfigurationException(
                ErrorCode.INVALID_REQUEST,
                "option usd_per_hour of provider static is '" + usdPerHour + "' but must be a number, 0 or more");
    }

    ResourceRef resource(String kind) {
        String keyName = key.map(SecretRef::name).orElse("");
        String price = usdPerHour.map(BigDecimal::toPlainString).orElse("");
        return new ResourceRef(PROVIDER, kind, String.join(" ", deployment, url.toString(), keyName, price));
    }
}
