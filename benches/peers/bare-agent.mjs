// The floor of the benchmark of agents: the scripted model and the same tools in a loop, with no library at all.
import { lineFor, questionOf } from "../lib/script.mjs";

const tools = { add: async ({ a, b }) => a + b, multiply: async ({ a, b }) => a * b };
const model = async (question, results) => lineFor(question, results);

export default {
  async agentTurn(i) {
    const results = [];
    for (;;) {
      const { text, name, input } = await model(questionOf(i), results);
      if (text !== undefined) return text;
      results.push(String(await tools[name](JSON.parse(JSON.stringify(input)))));
    }
  },
};
