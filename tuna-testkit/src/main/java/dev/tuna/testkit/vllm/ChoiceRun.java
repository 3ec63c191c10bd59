package dev.tuna.testkit.vllm;

import java.util.Optional;

/** One choice of one request while it is being generated. Confined to the event loop. */
final class ChoiceRun {

    private final GenerationRequest request;
    private final int index;
    private final boolean textLags;
    private final StandInModel model;
    private final OutputText text;
    private int tokens;
    private boolean finished;
    private boolean thinking;

    ChoiceRun(GenerationRequest request, int index, boolean textLags) {
        this.request = request;
        this.index = index;
        this.textLags = textLags;
        int[] prompt = request.promptOf(index);
        long salt = request.salt() + ((long) (index % request.choicesPerPrompt()) << 40);
        model = StandInModel.after(salt, prompt);
        text = new OutputText(request.stop(), request.includeStop());
        text.primeWith(prompt);
        thinking = request.reasoning() && !Thinking.isOver(prompt);
    }

    int index() {
        return index;
    }

    int tokens() {
        return tokens;
    }

    boolean finished() {
        return finished;
    }

    Delta step() {
        int id = model.next(!request.ignoreEnd() && tokens >= request.minTokens());
        tokens++;
        Delta delta = after(id, tokens > request.minTokens());
        if (thinking) {
            delta = delta.thought();
            thinking = !Thinking.ends(id);
        }
        finished = delta.finishReason().isPresent();
        return delta;
    }

    private Delta after(int id, boolean mayStop) {
        if (id == StandInTokenizer.END) {
            return Delta.last(id, text.releaseRest(), "stop");
        } else if (mayStop && request.stopIds().contains(id)) {
            return Delta.stopped(id, text.releaseRest(), id);
        }
        Optional<String> stop = text.append(id, mayStop);
        if (stop.isPresent()) {
            return Delta.stopped(id, text.releaseRest(), stop.get());
        } else if (tokens >= request.maxTokens()) {
            return Delta.last(id, text.releaseRest(), "length");
        }
        return Delta.more(id, textLags && tokens % 2 == 1 ? "" : text.release());
    }

    Delta abort() {
        finished = true;
        return Delta.ended(text.releaseRest(), "abort");
    }
}
