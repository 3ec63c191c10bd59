package dev.tuna.testkit.vllm;

import java.util.List;

/** Looks ahead for a place where a cut parts a stop string. */
final class StopSeam {

    private StopSeam() {}

    /** The number of tokens after which the text ends within the first stop string to come; below zero if nowhere. */
    static int within(GenerationRequest request) {
        StandInModel model = StandInModel.after(request.salt(), request.promptOf(0));
        OutputText output = new OutputText(List.of(), false);
        StringBuilder text = new StringBuilder();
        int[] lengths = new int[request.maxTokens() + 1];
        for (int token = 1; token <= request.maxTokens(); token++) {
            int id = model.next(!request.ignoreEnd());
            if (id == StandInTokenizer.END) {
                return -1;
            }
            output.append(id, false);
            text.append(output.release());
            lengths[token] = text.length();
            for (String stop : request.stop()) {
                int from = text.indexOf(stop);
                if (from >= 0) {
                    return lastWithin(lengths, token, from);
                }
            }
        }
        return -1;
    }

    private static int lastWithin(int[] lengths, int token, int from) {
        return lengths[token - 1] > from ? token - 1 : -1;
    }
}
