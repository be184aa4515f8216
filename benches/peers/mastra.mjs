// Mastra's workflows: the chain is its loop over one step, the fan-out its `foreach`. Validation of what goes between
// steps is switched off, since no other contender validates.
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { z } from "zod";

const options = { validateInputs: false };
const counter = z.object({ left: z.number(), sum: z.number() });
const item = z.object({ i: z.number() });
const value = z.object({ value: z.number() });

const chain = createWorkflow({ id: "chain", inputSchema: counter, outputSchema: counter, options })
  .dountil(
    createStep({
      id: "count",
      inputSchema: counter,
      outputSchema: counter,
      execute: async ({ inputData: { left, sum } }) => ({ left: left - 1, sum: sum + left }),
    }),
    async ({ inputData }) => inputData.left === 0,
  )
  .commit();

const work = createStep({
  id: "work",
  inputSchema: item,
  outputSchema: value,
  execute: async ({ inputData }) => ({ value: inputData.i * 2 }),
});

async function resultOf(workflow, inputData) {
  const run = await workflow.createRun();
  const outcome = await run.start({ inputData });
  if (outcome.status !== "success") throw new Error(`the run ended as ${outcome.status}`);
  return outcome.result;
}

export default {
  chain: async (n) => (await resultOf(chain, { left: n, sum: 0 })).sum,

  async fanOut(n) {
    const workflow = createWorkflow({ id: "fan", inputSchema: z.array(item), outputSchema: z.array(value), options })
      .foreach(work, { concurrency: n })
      .commit();
    const items = [];
    for (let i = 0; i < n; i++) items.push({ i });
    let sum = 0;
    for (const done of await resultOf(workflow, items)) sum += done.value;
    return sum;
  },

  oneStep: async (i) => (await resultOf(chain, { left: 1, sum: i })).sum,
};
