package dev.tuna.testkit.aws;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * List prices as Pricing has them: for each type and region a line with the price of Linux on demand, among others that look
 * much alike and cost nothing, or something else. Stateless.
 */
final class PriceList {

    private static final JsonMapper JSON = new JsonMapper();
    private static final String ON_DEMAND = "JRTCKXETXF";
    private static final String HOURLY = "6YS6EN2CT7";
    private static final Map<String, String> PLACES = Map.of(
            "us-east-1", "US East (N. Virginia)",
            "us-east-2", "US East (Ohio)",
            "us-west-2", "US West (Oregon)");

    private PriceList() {}

    /** Every product of a region and type. */
    static List<ObjectNode> products(String region, MachineType type) {
        List<ObjectNode> products = new ArrayList<>();
        String usd = type.usdPerHour().toPlainString();
        products.add(product(region, type, "Linux", "Shared", "NA", "Used", "OnDemand", usd));
        products.add(product(region, type, "Linux", "Shared", "NA", "AllocatedCapacityReservation", "OnDemand", "0"));
        products.add(product(region, type, "Linux", "Shared", "NA", "UnusedCapacityReservation", "OnDemand", usd));
        products.add(product(region, type, "Linux", "Dedicated", "NA", "Used", "OnDemand", usd + "1"));
        products.add(product(region, type, "Linux", "Shared", "SQL Std", "Used", "OnDemand", usd + "2"));
        products.add(product(region, type, "Windows", "Shared", "NA", "Used", "OnDemand", usd + "3"));
        if (type.isCapacityBlock()) {
            products.add(product(region, type, "Linux", "Shared", "NA", "Used", "CapacityBlock", "0"));
        }
        return products;
    }

    private static ObjectNode product(
            String region,
            MachineType type,
            String system,
            String tenancy,
            String software,
            String status,
            String market,
            String usd) {
        String sku = Ids.fixed("", region + type.name() + system + tenancy + software + status + market)
                .substring(2, 18)
                .toUpperCase(Locale.ROOT);
        ObjectNode root = JSON.createObjectNode();
        ObjectNode product = root.putObject("product");
        product.put("productFamily", "Compute Instance").put("sku", sku);
        ObjectNode attributes = product.putObject("attributes");
        attributes
                .put("servicecode", "AmazonEC2")
                .put("servicename", "Amazon Elastic Compute Cloud")
                .put("instanceType", type.name())
                .put("instanceFamily", "GPU instance")
                .put("regionCode", region)
                .put("location", PLACES.getOrDefault(region, region))
                .put("locationType", "AWS Region")
                .put("operatingSystem", system)
                .put("tenancy", tenancy)
                .put("preInstalledSw", software)
                .put("capacitystatus", status)
                .put("marketoption", market)
                .put("licenseModel", "No License required")
                .put("vcpu", String.valueOf(type.vcpus()))
                .put("memory", type.gib() + " GiB")
                .put("gpu", String.valueOf(type.gpus()))
                .put("usagetype", "BoxUsage:" + type.name())
                .put("operation", "RunInstances");
        root.put("serviceCode", "AmazonEC2");
        ObjectNode terms = root.putObject("terms");
        term(terms.putObject("OnDemand"), sku, ON_DEMAND, HOURLY, "Hrs", usd, system + " " + type.name());
        if (market.equals("OnDemand") && status.equals("Used")) {
            term(terms.putObject("Reserved"), sku, "6QCMYABX3D", "2TG2D8R56U", "Quantity", "4200", "Upfront Fee");
        }
        root.put("version", "20260801000000").put("publicationDate", "2026-08-01T00:00:00Z");
        return root;
    }

    private static void term(
            ObjectNode terms, String sku, String offer, String rate, String unit, String usd, String what) {
        ObjectNode term = terms.putObject(sku + "." + offer);
        ObjectNode price = term.putObject("priceDimensions").putObject(sku + "." + offer + "." + rate);
        price.put("unit", unit)
                .put("endRange", "Inf")
                .put("description", "$" + usd + " per " + what)
                .put("rateCode", sku + "." + offer + "." + rate)
                .put("beginRange", "0");
        price.putArray("appliesTo");
        price.putObject("pricePerUnit")
                .put(
                        "USD",
                        new BigDecimal(usd).setScale(10, RoundingMode.HALF_UP).toPlainString());
        term.put("sku", sku).put("effectiveDate", "2026-08-01T00:00:00Z").put("offerTermCode", offer);
        term.putObject("termAttributes");
    }
}
