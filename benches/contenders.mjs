// Who is measured, one entry each; how each is used is in its file under peers/, which exports its cases.

/** `needs` is the oldest Node that a contender supports, where that is newer than the oldest that stepstream does. */
export const contenders = {
  bare: { title: "bare promises", file: "./peers/bare.mjs" },
  stepstream: { title: "stepstream", file: "./peers/stepstream.mjs", package: "stepstream" },
  "stepstream:read": {
    title: "stepstream, every event read",
    file: "./peers/stepstream.mjs",
    part: "read",
    package: "stepstream",
  },
  "stepstream:collect": {
    title: "stepstream, collectEvents",
    file: "./peers/stepstream.mjs",
    part: "collect",
    package: "stepstream",
  },
  "stepstream:untimed": {
    title: "stepstream, no timeout",
    file: "./peers/stepstream.mjs",
    part: "untimed",
    package: "stepstream",
  },
  "stepstream:list": {
    title: "stepstream, array and collect",
    file: "./peers/stepstream.mjs",
    part: "list",
    package: "stepstream",
  },
  "stepstream:llm": { title: "stepstream/llm", file: "./peers/stepstream-llm.mjs", package: "stepstream" },
  "stepstream:llm-read": {
    title: "stepstream/llm, every delta read",
    file: "./peers/stepstream-llm.mjs",
    part: "read",
    package: "stepstream",
  },
  "stepstream:agent": {
    title: "stepstream/agents",
    file: "./peers/agent-stepstream.mjs",
    package: "stepstream",
  },
  "stepstream:agent-bytes": {
    title: "stepstream/agents, a client and its bytes",
    file: "./peers/agent-stepstream.mjs",
    part: "bytes",
    package: "stepstream",
  },
  "stepstream:agent-read": {
    title: "stepstream/agents, every event read",
    file: "./peers/agent-decoding.mjs",
    package: "stepstream",
  },
  "bare-agent": { title: "a plain loop", file: "./peers/bare-agent.mjs" },
  "ai-sdk": { title: "AI SDK, ToolLoopAgent", file: "./peers/agent-ai-sdk.mjs", package: "ai", needs: [22, 12] },
  "ai-sdk:bytes": {
    title: "AI SDK, a client and its bytes",
    file: "./peers/agent-ai-sdk.mjs",
    part: "bytes",
    package: "ai",
    needs: [22, 12],
  },
  "mastra:agent-bytes": {
    title: "Mastra, a client and its bytes",
    file: "./peers/agent-mastra.mjs",
    part: "bytes",
    package: "@mastra/core",
    needs: [22, 13],
  },
  "mastra:agent": {
    title: "Mastra, Agent",
    file: "./peers/agent-mastra.mjs",
    package: "@mastra/core",
    needs: [22, 13],
  },
  "plain-sse": { title: "a plain parser, JSON.parse", file: "./peers/plain-sse.mjs" },
  "eventsource-parser": {
    title: "eventsource-parser, JSON.parse",
    file: "./peers/eventsource-parser.mjs",
    package: "eventsource-parser",
    needs: [22, 12],
  },
  "workflow-core": {
    title: "workflow-core",
    file: "./peers/workflow-core.mjs",
    package: "@llamaindex/workflow-core",
  },
  "workflow-core:quiet": {
    title: "workflow-core, no stream",
    file: "./peers/workflow-core.mjs",
    part: "quiet",
    package: "@llamaindex/workflow-core",
  },
  xstate: { title: "XState", file: "./peers/xstate.mjs", package: "xstate" },
  mastra: { title: "Mastra", file: "./peers/mastra.mjs", package: "@mastra/core", needs: [22, 13] },
  langgraph: { title: "LangGraph", file: "./peers/langgraph.mjs", package: "@langchain/langgraph" },
};

/** The cases of one contender, imported here so that `file` is relative to this file. */
export async function casesOf(key) {
  const { file, part = "default" } = contenders[key];
  return (await import(file))[part];
}
