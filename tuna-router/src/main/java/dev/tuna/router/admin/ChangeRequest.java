package dev.tuna.router.admin;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.tuna.api.Secret;
import dev.tuna.router.admin.EditableRoute.Change;
import dev.tuna.router.http.OpenAiError;
import dev.tuna.router.http.RefusedException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The body of {@code POST /router/config} or {@code POST /router/spot-replicas}, checked. Immutable.
 *
 * @param deployment whose backends; empty if there is only one
 * @param change what to change
 */
record ChangeRequest(Optional<String> deployment, Change change) {

    private static final String DEPLOYMENT = "deployment";
    private static final String SERVERLESS_URL = "serverless_url";
    private static final String SERVERLESS_URLS = "serverless_urls";
    private static final String TOKEN = "serverless_auth_token";
    private static final String SPOT_URL = "spot_url";
    private static final String REPLICAS = "replicas";

    private static final Set<String> CONFIG_TEXTS = Set.of(DEPLOYMENT, SERVERLESS_URL, TOKEN, SPOT_URL);
    private static final Set<String> CONFIG_LISTS = Set.of(SERVERLESS_URLS);
    private static final Set<String> REPLICAS_TEXTS = Set.of(DEPLOYMENT);
    private static final Set<String> REPLICAS_LISTS = Set.of(REPLICAS);

    /** How the original router is told how many replicas are ready. */
    private static final Set<String> COUNTS = Set.of("ready_replicas", "ready_replica_count", "replica_count", "count");

    private static final JsonFactory JSON = new JsonFactoryBuilder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    static ChangeRequest config(ByteBuf body) throws RefusedException {
        Fields fields = read(body, CONFIG_TEXTS, CONFIG_LISTS);
        if (fields.texts.containsKey(SERVERLESS_URL) && fields.lists.containsKey(SERVERLESS_URLS)) {
            throw bad(SERVERLESS_URLS, "'serverless_url' and 'serverless_urls' exclude each other; send one of them.");
        }
        Optional<List<URI>> serverless = fields.urls(SERVERLESS_URL, SERVERLESS_URLS);
        Optional<List<URI>> spot = fields.urls(SPOT_URL, "");
        Optional<Secret> token = fields.token();
        if (serverless.isEmpty() && spot.isEmpty() && token.isEmpty()) {
            throw new RefusedException(OpenAiError.badRequest(
                    "nothing_to_change",
                    "The body sets nothing. It may set: " + names(CONFIG_TEXTS, CONFIG_LISTS) + "."));
        }
        return new ChangeRequest(fields.text(DEPLOYMENT), new Change(serverless, token, spot));
    }

    static ChangeRequest spotReplicas(ByteBuf body) throws RefusedException {
        Fields fields = read(body, REPLICAS_TEXTS, REPLICAS_LISTS);
        Optional<List<URI>> replicas = fields.urls("", REPLICAS);
        if (replicas.isEmpty()) {
            throw bad(REPLICAS, "'replicas' is missing; it must be the list of all replicas' URLs, [] for none.");
        }
        return new ChangeRequest(fields.text(DEPLOYMENT), new Change(Optional.empty(), Optional.empty(), replicas));
    }

    /** Texts and lists of texts by name. */
    private record Fields(Map<String, String> texts, Map<String, List<String>> lists) {

        Optional<String> text(String name) {
            return Optional.ofNullable(texts.get(name));
        }

        Optional<Secret> token() throws RefusedException {
            String token = texts.get(TOKEN);
            if (token == null) {
                return Optional.empty();
            }
            if (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
                throw bad(
                        TOKEN, "'serverless_auth_token' must be the bare token: visible ASCII characters, no spaces.");
            }
            return Optional.of(Secret.of(token));
        }

        Optional<List<URI>> urls(String single, String several) throws RefusedException {
            List<URI> urls = new ArrayList<>();
            if (texts.containsKey(single)) {
                urls.add(BackendUrls.check(single, texts.get(single)));
                return Optional.of(urls);
            }
            if (!lists.containsKey(several)) {
                return Optional.empty();
            }
            List<String> values = lists.get(several);
            for (int i = 0; i < values.size(); i++) {
                URI url = BackendUrls.check(several + "[" + i + "]", values.get(i));
                if (urls.contains(url)) {
                    throw bad(several + "[" + i + "]", "'" + url + "' is in the list more than once.");
                }
                urls.add(url);
            }
            return Optional.of(urls);
        }
    }

    private static Fields read(ByteBuf body, Set<String> texts, Set<String> lists) throws RefusedException {
        Fields fields = new Fields(new LinkedHashMap<>(), new LinkedHashMap<>());
        try (JsonParser json = JSON.createParser((InputStream) new ByteBufInputStream(body.duplicate()))) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw notAnObject();
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                JsonToken value = json.nextToken();
                if (texts.contains(name)) {
                    fields.texts.put(name, text(name, json, value));
                } else if (lists.contains(name)) {
                    fields.lists.put(name, list(name, json, value));
                } else {
                    throw unknown(name, texts, lists);
                }
            }
            if (json.nextToken() != null) {
                throw notAnObject();
            }
            return fields;
        } catch (IOException e) {
            throw notAnObject();
        }
    }

    private static String text(String name, JsonParser json, JsonToken value) throws IOException, RefusedException {
        if (value != JsonToken.VALUE_STRING) {
            throw bad(name, "'" + name + "' must be a string.");
        }
        return json.getText();
    }

    private static List<String> list(String name, JsonParser json, JsonToken value)
            throws IOException, RefusedException {
        if (value != JsonToken.START_ARRAY) {
            throw bad(name, "'" + name + "' must be a list of URLs, such as [\"http://10.0.0.7:8000\"].");
        }
        List<String> list = new ArrayList<>();
        for (JsonToken item = json.nextToken(); item != JsonToken.END_ARRAY; item = json.nextToken()) {
            list.add(text(name + "[" + list.size() + "]", json, item));
        }
        return list;
    }

    private static RefusedException unknown(String name, Set<String> texts, Set<String> lists) {
        String why = COUNTS.contains(name)
                ? "A number of replicas says nothing about where they are. Send 'replicas', the list of their URLs; each"
                        + " is used once it answers its health check."
                : "'" + name + "' is not known here. Allowed are: " + names(texts, lists) + ".";
        return bad(name, why);
    }

    private static String names(Set<String> texts, Set<String> lists) {
        Set<String> names = new TreeSet<>(texts);
        names.addAll(lists);
        return String.join(", ", names);
    }

    private static RefusedException bad(String field, String message) {
        return new RefusedException(OpenAiError.badField(field, "invalid_field", message));
    }

    private static RefusedException notAnObject() {
        return new RefusedException(OpenAiError.badRequest(
                "invalid_json", "The body must be one JSON object in UTF-8 without repeated fields."));
    }
}
