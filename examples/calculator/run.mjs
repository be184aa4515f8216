// A calculation by a model with tools, with an agent of each kind.
//
//   node examples/calculator/run.mjs
//   node examples/calculator/run.mjs "What is 2 * 3?"
import { modelOrExit } from "../model.mjs";
import { QUESTION, functionAgent, reActAgent } from "./agents.mjs";
import { show } from "./show.mjs";

const [question = QUESTION] = process.argv.slice(2);
const llm = modelOrExit();

console.log(`FunctionAgent: ${question}`);
await show(functionAgent(llm).run(question));

console.log(`\nReActAgent: ${question}`);
await show(reActAgent(llm).run(question));
