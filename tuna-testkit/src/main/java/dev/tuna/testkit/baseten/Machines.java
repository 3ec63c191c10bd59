package dev.tuna.testkit.baseten;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;

/** The machines of the stand-in, a few of Baseten's; one has become cheaper since the documents were written. Immutable. */
final class Machines {

    private static final List<Machine> ALL = List.of(
            new Machine("1x2", 0, "", 0, 2, 1, "0.00058"),
            new Machine("T4x4x16", 1, "T4", 16, 16, 4, "0.01052"),
            new Machine("T4x8x32", 1, "T4", 16, 32, 8, "0.01504"),
            new Machine("L4:4x16", 1, "L4", 24, 16, 4, "0.01300"),
            new Machine("L4:2x24x96", 2, "L4", 24, 96, 24, "0.04002"),
            new Machine("L4:4x48x192", 4, "L4", 24, 192, 48, "0.08003"),
            new Machine("A10Gx4x16", 1, "A10G", 24, 16, 4, "0.02012"),
            new Machine("A10Gx8x32", 1, "A10G", 24, 32, 8, "0.02424"),
            new Machine("A100:12x144", 1, "A100", 80, 144, 12, "0.06667"),
            new Machine("H100MIG", 1, "H100", 40, 117, 13, "0.06250"),
            new Machine("H100", 1, "H100", 80, 234, 26, "0.10833"),
            new Machine("H100:2", 2, "H100", 80, 468, 52, "0.21666"));

    private static final int MIB = 1024;

    private Machines() {}

    /**
     * A machine.
     *
     * @param sku its name
     * @param cards how many
     * @param card which
     * @param cardGib memory of one card
     * @param gib memory beside the cards
     * @param cpus processors
     * @param usdPerMinute its price
     */
    record Machine(String sku, int cards, String card, int cardGib, int gib, int cpus, String usdPerMinute) {

        ObjectNode json() {
            ObjectNode json = BasetenRoutes.JSON.createObjectNode();
            json.put("id", sku).put("name", sku).put("memory_limit_mib", gib * MIB);
            json.put("millicpu_limit", cpus * 1000).put("gpu_count", cards);
            if (cards == 0) {
                json.putNull("gpu_type").putNull("gpu_memory_limit_mib");
            } else {
                json.put("gpu_type", card).put("gpu_memory_limit_mib", cardGib * MIB);
            }
            return json;
        }
    }

    static Optional<Machine> named(String sku) {
        return ALL.stream().filter(machine -> machine.sku.equals(sku)).findFirst();
    }

    static ObjectNode prices() {
        ObjectNode json = BasetenRoutes.JSON.createObjectNode();
        ArrayNode types = json.putArray("instance_types");
        ALL.forEach(machine -> types.addObject()
                .put("price", new BigDecimal(machine.usdPerMinute))
                .set("instance_type", machine.json()));
        return json;
    }
}
