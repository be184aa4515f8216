// LangGraph: a node that leads to itself until the count is down, and `Send` for the fan-out.
import { Annotation, END, Send, START, StateGraph } from "@langchain/langgraph";

const last = (_, next) => next;

const Counter = Annotation.Root({
  left: Annotation({ reducer: last, default: () => 0 }),
  sum: Annotation({ reducer: last, default: () => 0 }),
});

const chain = new StateGraph(Counter)
  .addNode("count", async ({ left, sum }) => ({ left: left - 1, sum: sum + left }))
  .addEdge(START, "count")
  .addConditionalEdges("count", ({ left }) => (left === 0 ? END : "count"), ["count", END])
  .compile();

const Gathered = Annotation.Root({
  n: Annotation({ reducer: last, default: () => 0 }),
  sum: Annotation({ reducer: (sum, value) => sum + value, default: () => 0 }),
});

const fanOut = new StateGraph(Gathered)
  .addNode("work", async ({ i }) => ({ sum: i * 2 }))
  .addConditionalEdges(START, ({ n }) => Array.from({ length: n }, (_, i) => new Send("work", { i })), ["work"])
  .addEdge("work", END)
  .compile();

export default {
  chain: async (n) => (await chain.invoke({ left: n, sum: 0 }, { recursionLimit: n + 10 })).sum,
  fanOut: async (n) => (await fanOut.invoke({ n, sum: 0 })).sum,

  oneStep: async (i) => (await chain.invoke({ left: 1, sum: i })).sum,
};
