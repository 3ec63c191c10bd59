package dev.tuna.testkit.vllm;

/** A finished choice of an answer that is not streamed. */
@SuppressWarnings("ArrayRecordComponent") // written out, never compared
record ChoiceText(String text, String reasoning, int[] ids, Delta last) {}
