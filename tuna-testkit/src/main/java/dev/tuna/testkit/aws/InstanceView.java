package dev.tuna.testkit.aws;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * An instance as the cloud knows it. User data may hold secrets: the text form leaves them out.
 *
 * @param id {@code i-...}
 * @param region its region
 * @param zone its zone
 * @param type its type
 * @param market how it is paid for
 * @param image the image that it was launched from
 * @param state what it is doing
 * @param userData as it was sent, in Base64; empty if there is none
 * @param tags its tags
 * @param privateAddress its address inside
 * @param publicAddress its address from outside; empty if it has none
 * @param metadataTags whether it may read its tags
 * @param launched when it was launched
 */
public record InstanceView(
        String id,
        String region,
        String zone,
        String type,
        Market market,
        String image,
        InstanceState state,
        String userData,
        Map<String, String> tags,
        String privateAddress,
        Optional<String> publicAddress,
        boolean metadataTags,
        Instant launched) {

    /** Checks that every part is there. */
    public InstanceView {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(zone, "zone");
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(market, "market");
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(state, "state");
        Objects.requireNonNull(userData, "userData");
        tags = Map.copyOf(tags);
        Objects.requireNonNull(privateAddress, "privateAddress");
        Objects.requireNonNull(publicAddress, "publicAddress");
        Objects.requireNonNull(launched, "launched");
    }

    /**
     * The pool that it came from.
     *
     * @return zone, type and market
     */
    public Pool pool() {
        return new Pool(zone, type, market);
    }

    /**
     * User data as the machine reads it.
     *
     * @return text; empty if there is none
     */
    public String script() {
        return new String(Base64.getMimeDecoder().decode(userData), StandardCharsets.UTF_8);
    }

    /** Id, pool and state. */
    @Override
    public String toString() {
        return id + " " + type + " " + zone + " " + market + " " + state;
    }
}
