// The same two agents with a scripted model, to try them without a language model. It also shows everything that a
// model of your own needs.
import { QUESTION, functionAgent, reActAgent } from "./agents.mjs";
import { show } from "./show.mjs";

/** A model that replies with one message after another, whatever it is asked. */
class ScriptedModel {
  #messages;

  constructor(...messages) {
    this.#messages = messages;
  }

  async chat() {
    return { message: { role: "assistant", content: this.#messages.shift() } };
  }

  streamChat() {
    const response = this.chat();
    return {
      response,
      async *[Symbol.asyncIterator]() {
        const { content } = (await response).message;
        if (typeof content !== "string") return; // Tool calls are read from the response.
        for (const text of content.split(/(?<= )/)) yield { type: "text", index: 0, text };
      },
    };
  }
}

const call = (name, a, b) => [{ type: "toolCall", id: name, name, arguments: JSON.stringify({ a, b }) }];

console.log(`FunctionAgent: ${QUESTION}`);
const calls = [call("add", 123, 456), call("multiply", 579, 789)];
await show(functionAgent(new ScriptedModel(...calls, "It is 456,831.")).run(QUESTION));

console.log(`\nReActAgent: ${QUESTION}`);
const steps = [
  'Thought: First the sum.\nAction: add\nAction Input: {"a": 123, "b": 456}',
  'Thought: Then the product.\nAction: multiply\nAction Input: {"a": 579, "b": 789}',
  "Thought: That is all.\nAnswer: It is 456,831.",
];
await show(reActAgent(new ScriptedModel(...steps)).run(QUESTION));
