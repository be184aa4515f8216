// The same two agents with a model that says what stands here: for trying them without any model. It also shows all that a model of one's own
// needs to have.
import { QUESTION, functionAgent, reActAgent } from "./agents.mjs";
import { show } from "./show.mjs";

/** A model that gives one answer after the other, whatever it is asked. */
class ScriptedModel {
  #answers;

  constructor(...answers) {
    this.#answers = answers;
  }

  async chat() {
    return { message: { role: "assistant", content: this.#answers.shift() } };
  }

  streamChat() {
    const response = this.chat();
    return {
      response,
      async *[Symbol.asyncIterator]() {
        const { content } = (await response).message;
        if (typeof content !== "string") return; // Calls of tools are read from the response.
        for (const text of content.split(/(?<= )/)) yield { type: "text", index: 0, text };
      },
    };
  }
}

const call = (name, a, b) => [{ type: "toolCall", id: name, name, arguments: JSON.stringify({ a, b }) }];

console.log(`A FunctionAgent is asked: ${QUESTION}`);
const calls = [call("add", 123, 456), call("multiply", 579, 789)];
await show(functionAgent(new ScriptedModel(...calls, "It is 456,831.")).run(QUESTION));

console.log(`\nA ReActAgent is asked the same`);
const steps = [
  'Thought: First the sum.\nAction: add\nAction Input: {"a": 123, "b": 456}',
  'Thought: Then the product.\nAction: multiply\nAction Input: {"a": 579, "b": 789}',
  "Thought: That is all.\nAnswer: It is 456,831.",
];
await show(reActAgent(new ScriptedModel(...steps)).run(QUESTION));
