package dev.tuna.core.replay;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Requests, in the order of their coming. Nobody changes the arrays. */
final class Load {

    private static final long HOUR = 3_600_000L;
    private static final long DAY = 24 * HOUR;

    /** Share of the day's peak, hour by hour: an office's day in one time zone. */
    private static final double[] OFFICE = {
        .01, .01, .01, .01, .01, .02, .05, .2, .6, .9, 1, 1, .8, .9, 1, 1, .9, .7, .4, .2, .1, .06, .03, .02
    };

    /** The same for a public service: it never sleeps, but naps. */
    private static final double[] PUBLIC = {
        .35, .3, .25, .25, .25, .3, .4, .55, .7, .85, .95, 1, 1, 1, .95, .95, .95, 1, 1, .95, .85, .7, .55, .45
    };

    final String name;
    final int days;

    /** When each comes. */
    final long[] millis;

    /** Tokens of its prompt. */
    final int[] prompt;

    /** Tokens to be generated. */
    final int[] output;

    private Load(String name, int days, long[] millis, int[] prompt, int[] output) {
        this.name = name;
        this.days = days;
        this.millis = millis;
        this.prompt = prompt;
        this.output = output;
    }

    private long span() {
        return millis[millis.length - 1] + 1000;
    }

    /** Conversations at up to 11 requests a second, that is two recorded streams at once: two or three machines. */
    static Load busy(long seed, int days) {
        return shaped("busy", seed, days, "conv", PUBLIC, 2, 1);
    }

    /** Conversations in office hours at up to one request in two seconds; a few at night, a tenth on two days of seven. */
    static Load office(long seed, int days) {
        return shaped("office", seed, days, "conv", OFFICE, 0.09, 0.1);
    }

    /** The recorded hour of code completion, bursts and pauses, stretched to a week: a request a minute on average. */
    static Load sparse(long seed, int days) {
        Load code = recorded("code");
        double stretch = 7.0 * DAY / code.span();
        long offset = new SplittableRandom(seed).nextLong(7 * DAY);
        var requests = new Requests();
        for (int week = 0; week <= days / 7 + 1; week++) {
            for (int i = 0; i < code.millis.length; i++) {
                requests.add((long) (code.millis[i] * stretch) + 7 * DAY * week - offset, code, i);
            }
        }
        return requests.load("sparse", days);
    }

    private static Load shaped(
            String name, long seed, int days, String trace, double[] shape, double peak, double weekend) {
        Load hour = recorded(trace);
        var random = new SplittableRandom(seed);
        var requests = new Requests();
        for (int copy = 0; copy < Math.ceil(peak); copy++) {
            double share = Math.min(1, peak - copy);
            long begin = -random.nextLong(hour.span());
            for (; begin < days * DAY; begin += hour.span()) {
                for (int i = 0; i < hour.millis.length; i++) {
                    long at = begin + hour.millis[i];
                    double chance = at < 0 ? 0 : share * between(shape, at) * (at / DAY % 7 >= 5 ? weekend : 1);
                    if (random.nextDouble() < chance) {
                        requests.add(at, hour, i);
                    }
                }
            }
        }
        return requests.load(name, days);
    }

    private static double between(double[] shape, long at) {
        int hour = (int) (at / HOUR % 24);
        double part = at % HOUR / (double) HOUR;
        return shape[hour] * (1 - part) + shape[(hour + 1) % 24] * part;
    }

    private static Load recorded(String name) {
        List<String> lines = Traces.lines("llm-azure-2023/AzureLLMInferenceTrace_" + name + ".csv");
        var millis = new long[lines.size() - 1];
        var prompt = new int[millis.length];
        var output = new int[millis.length];
        for (int i = 0; i < millis.length; i++) {
            String[] parts = lines.get(i + 1).split(",", -1);
            millis[i] = LocalDateTime.parse(parts[0].trim().replace(' ', 'T'))
                    .toInstant(ZoneOffset.UTC)
                    .toEpochMilli();
            prompt[i] = Integer.parseInt(parts[1].trim());
            output[i] = Integer.parseInt(parts[2].trim());
        }
        long first = millis[0];
        for (int i = 0; i < millis.length; i++) {
            millis[i] -= first;
        }
        return new Load(name, 0, millis, prompt, output);
    }

    /** Requests that are being gathered; confined to one call. */
    private static final class Requests {
        private final List<long[]> all = new ArrayList<>();

        void add(long at, Load from, int i) {
            all.add(new long[] {at, from.prompt[i], from.output[i]});
        }

        Load load(String name, int days) {
            long[][] sorted = all.stream()
                    .filter(each -> each[0] >= 0 && each[0] < days * DAY)
                    .sorted((left, right) -> Long.compare(left[0], right[0]))
                    .toArray(long[][]::new);
            return new Load(
                    name,
                    days,
                    Arrays.stream(sorted).mapToLong(each -> each[0]).toArray(),
                    Arrays.stream(sorted).mapToInt(each -> (int) each[1]).toArray(),
                    Arrays.stream(sorted).mapToInt(each -> (int) each[2]).toArray());
        }
    }
}
