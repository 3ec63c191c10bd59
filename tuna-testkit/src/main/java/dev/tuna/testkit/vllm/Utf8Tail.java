package dev.tuna.testkit.vllm;

/** Knows whether the bytes so far end within a character, and which byte may follow. */
final class Utf8Tail {

    private int lead;
    private int seen;
    private int missing;

    void accept(byte[] bytes) {
        for (byte value : bytes) {
            accept(value & 0xFF);
        }
        if (bytes.length == 0) {
            missing = 0;
        }
    }

    private void accept(int value) {
        if (missing > 0 && (value & 0xC0) == 0x80) {
            missing--;
            seen++;
            return;
        }
        lead = value;
        seen = 0;
        if (value >= 0xC2 && value <= 0xDF) {
            missing = 1;
        } else if (value >= 0xE0 && value <= 0xEF) {
            missing = 2;
        } else {
            missing = value >= 0xF0 && value <= 0xF4 ? 3 : 0;
        }
    }

    boolean isOpen() {
        return missing > 0;
    }

    /** A byte that keeps the character valid: leads with a restricted second byte get one fixed good value. */
    int continuation(int random) {
        if (seen == 0 && lead == 0xF0) {
            return 0x9F;
        } else if (seen == 1 && lead == 0xF0) {
            return 0x98;
        } else if (seen == 0 && lead == 0xE0) {
            return 0xA0;
        } else if (seen == 0 && (lead == 0xED || lead == 0xF4)) {
            return 0x80;
        }
        return 0x80 + (random & 0x3F);
    }
}
