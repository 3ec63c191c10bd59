package dev.tuna.core.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.api.Budget;
import dev.tuna.api.ConfigurationException;
import dev.tuna.api.StoreException;

/** A budget as JSON, for the store. Amounts are texts, so that no digit is lost. Pure. */
public final class BudgetJson {

    private static final JsonMapper MAPPER = new JsonMapper();

    private BudgetJson() {}

    /**
     * Writes it.
     *
     * @param budget what may be spent
     * @return an object on one line
     */
    public static String write(Budget budget) {
        ObjectNode json = MAPPER.createObjectNode();
        write(budget, json);
        return json.toString();
    }

    static void write(Budget budget, ObjectNode json) {
        budget.usdPerHour().ifPresent(usd -> json.put("usdPerHour", usd.toPlainString()));
        budget.usdPerDay().ifPresent(usd -> json.put("usdPerDay", usd.toPlainString()));
        budget.usdPerMonth().ifPresent(usd -> json.put("usdPerMonth", usd.toPlainString()));
        json.put("action", budget.action().name());
    }

    /**
     * Reads what was written.
     *
     * @param json from {@link #write(Budget)}
     * @param where what to call it in errors
     * @return an equal budget
     * @throws StoreException {@code STORE_CORRUPT} if it is not what was written
     */
    public static Budget read(String json, String where) {
        try {
            return read(JsonFields.of(MAPPER.readTree(json)));
        } catch (JsonProcessingException e) {
            throw RequestJson.corrupt(where, "it is not JSON: " + e.getOriginalMessage(), e);
        } catch (JsonFields.Mismatch | ConfigurationException e) {
            throw RequestJson.corrupt(where, String.valueOf(e.getMessage()), e);
        }
    }

    static Budget read(JsonFields fields) {
        var budget = new Budget(
                fields.amountIfAny("usdPerHour"),
                fields.amountIfAny("usdPerDay"),
                fields.amountIfAny("usdPerMonth"),
                fields.constant("action", Budget.Action.class));
        fields.rejectOthers();
        return budget;
    }
}
