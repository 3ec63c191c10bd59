package dev.tuna.testkit.aws;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** What spot instances of one region cost and have cost. Confined to the account's lock. */
final class PriceBook {

    /** How long AWS shows prices. */
    static final Duration SHOWN = Duration.ofDays(90);

    private static final BigDecimal SHARE = new BigDecimal("0.38");
    private static final BigDecimal STEP = new BigDecimal("0.03");

    private final Map<String, NavigableMap<Instant, BigDecimal>> books = new TreeMap<>();

    private static String key(String type, String zone) {
        return zone + " " + type;
    }

    /** A first price, valid since long ago, that differs from zone to zone. */
    void open(MachineType type, String zone, int number, Instant now) {
        BigDecimal share = SHARE.add(STEP.multiply(BigDecimal.valueOf(number)));
        set(type.name(), zone, type.usdPerHour().multiply(share).setScale(6, RoundingMode.HALF_UP), now.minus(SHOWN));
    }

    void set(String type, String zone, BigDecimal usdPerHour, Instant from) {
        books.computeIfAbsent(key(type, zone), made -> new TreeMap<>()).put(from, usdPerHour);
    }

    BigDecimal at(String type, String zone, Instant when) {
        NavigableMap<Instant, BigDecimal> book = book(type, zone);
        Map.Entry<Instant, BigDecimal> entry = book.floorEntry(when);
        return entry == null ? book.firstEntry().getValue() : entry.getValue();
    }

    private NavigableMap<Instant, BigDecimal> book(String type, String zone) {
        NavigableMap<Instant, BigDecimal> book = books.get(key(type, zone));
        if (book == null) {
            throw new IllegalArgumentException(type + " is not offered in " + zone);
        }
        return book;
    }

    /** The changes in a span, newest first, and the last one before it. */
    List<Map.Entry<Instant, BigDecimal>> history(String type, String zone, Instant from, Instant to) {
        NavigableMap<Instant, BigDecimal> book = book(type, zone);
        Instant first = book.floorKey(from) == null ? from : book.floorKey(from);
        return first.isAfter(to)
                ? List.of()
                : new ArrayList<>(
                        book.subMap(first, true, to, true).descendingMap().entrySet());
    }
}
