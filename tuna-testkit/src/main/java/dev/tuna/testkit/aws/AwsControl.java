package dev.tuna.testkit.aws;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tuna.testkit.vendor.VendorAnswer;
import dev.tuna.testkit.vendor.VendorFault;
import dev.tuna.testkit.vendor.VendorRequest;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Steers a stand-in from another process, over HTTP: what is asked for is the path, with its values in the query. Says what it
 * knows when asked for something else. Thread-safe.
 */
final class AwsControl {

    private static final JsonMapper JSON = new JsonMapper();

    private final AwsStandIn aws;
    private final Map<String, Consumer<Form>> orders = new TreeMap<>();

    AwsControl(AwsStandIn aws) {
        this.aws = aws;
        orders.put("interrupt", it -> aws.interrupt(it.require("instance"), duration(it, "notice", "PT2M")));
        orders.put("rebalance", it -> aws.rebalance(it.require("instance")));
        orders.put("reclaim", it -> aws.reclaim(it.require("instance")));
        orders.put("break-down", it -> aws.breakDown(it.require("instance")));
        orders.put("shut-down", it -> aws.shutDown(it.require("instance")));
        orders.put("stock", it -> aws.stock(pool(it), it.number("instances", 0)));
        orders.put(
                "spot-price",
                it -> aws.spotPrice(it.require("zone"), it.require("type"), new BigDecimal(it.require("usd"))));
        orders.put("quota", it -> aws.quota(it.require("region"), it.require("code"), it.number("vcpus", 0)));
        orders.put("placement-score", it -> aws.placementScore(it.require("place"), it.number("score", 1)));
        orders.put("addresses", it -> aws.addresses(it.require("zone"), it.number("most", 0)));
        orders.put("deny", it -> aws.deny(it.require("action")));
        orders.put("allow-only-tagged", it -> aws.allowOnlyTagged(it.require("action"), it.require("key")));
        orders.put("allow", it -> aws.allow(it.require("action")));
        orders.put("spot-role", it -> aws.spotRole(it.flag("there")));
        orders.put("hide-fresh", it -> aws.hideFresh(it.number("answers", 0), duration(it, "time", "PT0S")));
        orders.put("hide-fresh-helpers", it -> aws.hideFreshHelpers(it.number("answers", 0)));
        orders.put("fault", it -> aws.inject(fault(it)));
        orders.put("clear-faults", it -> aws.clearFaults());
    }

    private static Duration duration(Form form, String name, String otherwise) {
        return Duration.parse(form.text(name).orElse(otherwise));
    }

    private static Pool pool(Form form) {
        return new Pool(
                form.require("zone"),
                form.require("type"),
                Market.valueOf(form.require("market").toUpperCase(Locale.ROOT).replace('-', '_')));
    }

    private static VendorFault fault(Form form) {
        String calls = form.require("calls");
        VendorFault fault = switch (form.text("kind").orElse("error")) {
            case "error" ->
                AwsFaults.error(
                        calls,
                        form.number("status", 400),
                        form.require("code"),
                        form.text("message").orElse("injected"));
            case "throttling" -> AwsFaults.throttling(calls);
            case "internal" -> AwsFaults.internal(calls);
            case "cut-before" -> AwsFaults.cutting(calls, false);
            case "cut-after" -> AwsFaults.cutting(calls, true);
            default ->
                throw new IllegalArgumentException("kind must be error, throttling, internal, cut-before or cut-after");
        };
        return fault.times(form.number("times", 1));
    }

    VendorAnswer handle(VendorRequest request) {
        String what = request.path().substring(1);
        try {
            if (request.method().equals("GET")) {
                return VendorAnswer.json(200, told(what));
            }
            Consumer<Form> order = orders.get(what);
            if (order == null) {
                throw new IllegalArgumentException(
                        "POST one of " + orders.keySet() + ", GET instances, things or meters");
            }
            order.accept(Form.parse(request.query()));
            return VendorAnswer.empty(204);
        } catch (AwsError | IllegalArgumentException | DateTimeException e) {
            return VendorAnswer.json(
                    400, JSON.createObjectNode().put("error", e.getMessage()).toString());
        }
    }

    private String told(String what) {
        ArrayNode list = JSON.createArrayNode();
        switch (what) {
            case "instances" -> aws.instances().forEach(instance -> write(list.addObject(), instance));
            case "things" -> aws.things().forEach(list::add);
            case "meters" -> aws.meters().forEach(meter -> write(list.addObject(), meter));
            default -> throw new IllegalArgumentException("GET instances, things or meters");
        }
        return list.toString();
    }

    private static void write(ObjectNode out, InstanceView instance) {
        out.put("id", instance.id())
                .put("zone", instance.zone())
                .put("type", instance.type())
                .put("market", instance.market().wire())
                .put("state", instance.state().wire())
                .put("address", instance.privateAddress());
    }

    private static void write(ObjectNode out, Meter meter) {
        out.put("instance", meter.instance())
                .put("zone", meter.pool().zone())
                .put("type", meter.pool().type())
                .put("market", meter.pool().market().wire())
                .put("launched", meter.launched().toString())
                .put("running", meter.running().toString())
                .put("reason", meter.reason());
        meter.ended()
                .ifPresent(end -> out.put("ended", end.toString())
                        .put("usd", meter.usd(end).toPlainString()));
    }
}
