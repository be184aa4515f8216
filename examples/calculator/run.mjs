// A calculation by a model that has tools for it, by an agent of either kind.
//
//   node examples/calculator/run.mjs
//   node examples/calculator/run.mjs "What is 2 * 3?"
import { modelOrExit } from "../model.mjs";
import { QUESTION, functionAgent, reActAgent } from "./agents.mjs";
import { show } from "./show.mjs";

const [question = QUESTION] = process.argv.slice(2);
const llm = modelOrExit();

console.log(`A FunctionAgent is asked: ${question}`);
await show(functionAgent(llm).run(question));

console.log(`\nA ReActAgent is asked the same`);
await show(reActAgent(llm).run(question));
