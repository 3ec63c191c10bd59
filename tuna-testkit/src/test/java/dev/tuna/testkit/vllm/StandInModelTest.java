package dev.tuna.testkit.vllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StandInModelTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "the river",
                "theriver  the",
                "naïve\tcafé\r\n",
                "漢字と😀 emoji",
                "<|im_end|>",
                "\u0000\uFFFD"
            })
    void splitsAndJoinsAnyTextWithoutLoss(String text) {
        assertThat(StandInTokenizer.decode(StandInTokenizer.encode(text))).isEqualTo(text);
    }

    @Test
    void splitsAndJoinsRandomTextWithoutLoss() {
        Random random = new Random(7);
        for (int round = 0; round < 500; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 40; i++) {
                int codePoint = random.nextInt(random.nextBoolean() ? 0x80 : 0x11_0000);
                text.appendCodePoint(codePoint >= 0xD800 && codePoint < 0xE000 ? ' ' : codePoint);
            }
            assertThat(StandInTokenizer.decode(StandInTokenizer.encode(text.toString())))
                    .isEqualTo(text.toString());
        }
    }

    @Test
    void neverMakesSpecialTokensFromText() {
        assertThat(IntStream.of(StandInTokenizer.encode("<|endoftext|> assistant")))
                .allMatch(id -> id >= StandInTokenizer.FIRST_BYTE);
    }

    @Test
    void namesATokenOutsideTheVocabulary() {
        assertThatThrownBy(() -> StandInTokenizer.decode(1, 99_999)).hasMessageContaining("99999");
    }

    @Test
    void generatesTextThatSplitsIntoTheSameTokens() {
        for (int start = 0; start < 200; start++) {
            int[] ids = StandInModel.answer(100, StandInTokenizer.encode("question " + start));
            String text = StandInTokenizer.decode(ids);
            int[] wholeCharacters = StandInTokenizer.encode(text.replace("\uFFFD", ""));
            assertThat(Arrays.copyOf(ids, wholeCharacters.length)).isEqualTo(wholeCharacters);
            assertThat(text.replaceFirst("\uFFFD+$", "")).doesNotContain("\uFFFD");
        }
    }

    @Test
    void spreadsCharactersOverSeveralTokens() {
        String text = StandInTokenizer.decode(StandInModel.answer(500, StandInTokenizer.TURN, 300));
        String all = text + StandInTokenizer.decode(StandInModel.answer(2000, StandInTokenizer.encode("on and on")));
        assertThat(all.codePoints().filter(character -> character > 0x7F).count())
                .isPositive();
    }

    @Test
    void endsEveryAnswerToAChatWithinItsBounds() {
        int[] header = StandInTokenizer.encode("assistant\n");
        int[] lengths = IntStream.range(0, 300)
                .map(i -> StandInModel.answer(1000, 10 + i, StandInTokenizer.TURN, header[0], header[1]).length - 1)
                .toArray();
        // An answer that would end within a character goes on to the end of it.
        assertThat(IntStream.of(lengths))
                .allMatch(length -> length >= StandInModel.SHORTEST_ANSWER)
                .allMatch(length -> length <= StandInModel.LONGEST_ANSWER + 3);
        assertThat(Arrays.stream(lengths).distinct().count()).isGreaterThan(50);
    }

    @Test
    void goesOnTheSameWayFromEveryPlace() {
        int[] prompt = StandInTokenizer.encode("harbour");
        int[] whole = StandInModel.answer(60, prompt);
        for (int cut = 0; cut < whole.length; cut++) {
            int[] prefix = Arrays.copyOf(prompt, prompt.length + cut);
            System.arraycopy(whole, 0, prefix, prompt.length, cut);
            assertThat(StandInModel.answer(whole.length - cut, prefix))
                    .isEqualTo(Arrays.copyOfRange(whole, cut, whole.length));
        }
    }

    @Test
    void neverEndsWhenItMayNot() {
        StandInModel model = StandInModel.after(StandInTokenizer.TURN);
        assertThat(IntStream.range(0, 500).map(i -> model.next(false))).doesNotContain(StandInTokenizer.END);
    }
}
