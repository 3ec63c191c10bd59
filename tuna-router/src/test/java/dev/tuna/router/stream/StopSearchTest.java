package dev.tuna.router.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class StopSearchTest {

    private static StreamRequest asked(String fields) {
        String body = "{\"model\":\"m\",\"stream\":true," + fields.replace('\'', '"') + "}";
        return StreamRequest.read(Unpooled.copiedBuffer(body, StandardCharsets.UTF_8), true);
    }

    @Test
    @DisplayName("a stop string across the seam is found, and nothing of it is shown")
    void acrossTheSeam() {
        StopSearch search = new StopSearch(asked("'stop':['END.']"), "x E");
        assertThat(search.add("N", true, false)).isEqualTo("x");
        assertThat(search.add("D.more", true, false)).isEqualTo(" ");
        assertThat(search.found()).hasValue("END.");
    }

    @Test
    @DisplayName("what was held back is shown once it cannot be a stop string, or nothing follows")
    void heldBack() {
        StopSearch search = new StopSearch(asked("'stop':'END.'"), "abc");
        assertThat(search.add("", true, false)).isEmpty();
        assertThat(search.add("d\ud83d\ude25", true, false)).isEqualTo("ab");
        assertThat(search.add("e", true, true)).isEqualTo("cd\ud83d\ude25e");
        assertThat(search.found()).isEmpty();
    }

    @Test
    @DisplayName("of a long answer everything is shown once, and a stop string is found behind it")
    void longAnswer() {
        StopSearch search = new StopSearch(asked("'stop':['\ud83d\ude25\ud83d\ude25.']"), "x");
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < 1000; i++) {
            shown.append(search.add(i + "\ud83d\ude25", true, false));
        }
        shown.append(search.add("\ud83d\ude25", true, false));
        shown.append(search.add(".rest", true, false));
        StringBuilder expected = new StringBuilder("x");
        for (int i = 0; i < 1000; i++) {
            expected.append(i).append("\ud83d\ude25");
        }
        expected.setLength(expected.length() - 2); // belongs to the stop string
        assertThat(shown).hasToString(expected.toString());
        assertThat(search.found()).hasValue("\ud83d\ude25\ud83d\ude25.");
    }

    @Test
    @DisplayName("a stop string that is part of the answer is shown, what came before the seam is not shown again")
    void included() {
        StopSearch search = new StopSearch(asked("'stop':'END','include_stop_str_in_output':true"), "E");
        assertThat(search.add("ND and more", true, false)).isEqualTo("ND");
        assertThat(search.found()).hasValue("END");
    }

    @Test
    @DisplayName("before the least number of tokens nothing stops")
    void tooEarly() {
        StopSearch search = new StopSearch(asked("'stop':'END'"), "EN");
        assertThat(search.add("D", false, false)).isEqualTo("E");
        assertThat(search.add("END", true, false)).isEqualTo("ND");
        assertThat(search.found()).hasValue("END");
    }

    @Test
    @DisplayName("of several strings the longest decides how much is held back, in characters")
    void holdsBackTheLongest() {
        assertThat(asked("'stop':['a','\ud83d\ude25\ud83d\ude25b']").heldBack()).isEqualTo(2);
        assertThat(asked("'stop':'a'").heldBack()).isZero();
        assertThat(asked("'user':'u'").heldBack()).isZero();
    }
}
