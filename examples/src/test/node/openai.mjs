// Asks an endpoint by way of OpenAI's client for Node, with the retries that it comes with, and prints what a caller gets.
// node openai.mjs BASE_URL MODEL chat|completion|whole
import OpenAI from 'openai';

const [baseURL, model, mode] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'none' });
const question = 'Where does the river go?';
const messages = [{ role: 'user', content: question }];
const seen = { text: '', finishes: [], tokens: 0, ids: 0 };

if (mode === 'whole') {
  const answer = await client.chat.completions.create({ model, messages });
  seen.text = answer.choices[0].message.content;
  seen.finishes.push(answer.choices[0].finish_reason);
  seen.tokens = answer.usage.completion_tokens;
  seen.ids = 1;
} else {
  const options = { model, stream: true, stream_options: { include_usage: true } };
  const stream = mode === 'chat'
    ? await client.chat.completions.create({ ...options, messages })
    : await client.completions.create({ ...options, prompt: question, max_tokens: 40 });
  const ids = new Set();
  for await (const chunk of stream) {
    ids.add(chunk.id);
    for (const choice of chunk.choices) {
      seen.text += (mode === 'chat' ? choice.delta.content : choice.text) ?? '';
      if (choice.finish_reason) {
        seen.finishes.push(choice.finish_reason);
      }
    }
    seen.tokens = chunk.usage?.completion_tokens ?? seen.tokens;
  }
  seen.ids = ids.size;
}
console.log(JSON.stringify(seen));
