package dev.tuna.provider.support;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.Module;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import dev.tuna.api.Secret;
import java.io.IOException;
import java.util.List;

/** Writes a secret's value to the wire and notes it, so that it is hidden where the answer is quoted. */
final class SecretSerializer extends StdSerializer<Secret> {

    static final Module MODULE = new SimpleModule().addSerializer(Secret.class, new SecretSerializer());

    /** Key of the attribute under which the writer finds the list of secrets written. */
    static final Object WRITTEN = new Object();

    private SecretSerializer() {
        super(Secret.class);
    }

    @Override
    @SuppressWarnings("unchecked")
    public void serialize(Secret secret, JsonGenerator out, SerializerProvider context) throws IOException {
        if (context.getAttribute(WRITTEN) instanceof List<?> written) {
            ((List<Secret>) written).add(secret);
        }
        out.writeString(secret.reveal());
    }
}
