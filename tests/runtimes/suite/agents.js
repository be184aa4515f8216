// Agents with tools, on the server of lib/model-server.mjs.

import {
  AgentStream,
  AgentWorkflow,
  FunctionAgent,
  ReActAgent,
  ToolApprovalRequest,
  ToolApprovalResponse,
  ToolCall,
  ToolCallResult,
  tool,
} from "stepstream/agents";
import { equal, eventsOf, ok, soon } from "./kit.js";
import { add, client } from "./llm.js";

const streamedBy = (events) =>
  events
    .filter((event) => event instanceof AgentStream)
    .map(({ data }) => data.delta)
    .join("");

/** @param server The address of the model's server. */
export const agents = (server) => ({
  async "agents: tools are called at the same time, and the answer is streamed"() {
    const agent = new FunctionAgent({ llm: client(server), tools: [add], systemPrompt: "You are a calculator." });
    const run = agent.run("2 + 3, and 40 + 2?");
    const events = await soon(eventsOf(run));
    equal(run.result.text, "The results: 5, 42.");
    equal(streamedBy(events), "The results: 5, 42.");
    equal(
      run.result.toolCalls.map(({ name, content, isError }) => [name, content, isError]),
      [
        ["add", "5", false],
        ["add", "42", false],
      ],
    );
    const tools = events.filter((event) => event instanceof ToolCall || event instanceof ToolCallResult);
    equal(tools.map((event) => event instanceof ToolCall).sort(), [false, false, true, true]);
    const { data } = await soon(agent.run("thank you", undefined, { context: run }));
    equal(data.chatHistory.map(({ role }) => role).slice(0, 5), ["user", "assistant", "tool", "assistant", "user"]);
  },

  async "agents: a call waits for approval, also as a snapshot, and is made once"() {
    const made = [];
    const pay = tool({
      name: "add",
      parameters: add.parameters,
      needsApproval: ({ a }) => a > 10,
      once: true,
      execute: ({ a, b }) => (made.push(a), a + b),
    });
    const make = () => new FunctionAgent({ llm: client(server), tools: [pay] });
    const first = make().run("2 + 3, and 40 + 2?");
    await soon(first.idle(), "idle");
    const bytes = first.snapshot();
    first.cancel();
    await first.catch(() => {});
    for (const approved of [true, false]) {
      const run = make().recover(bytes);
      for await (const event of run) {
        if (!(event instanceof ToolApprovalRequest)) continue;
        run.sendEvent(new ToolApprovalResponse({ id: event.data.id, approved, reason: "too much" }));
      }
      const { text } = run.result;
      ok(approved ? text === "The results: 5, 42." : /^The results: 5, .*too much/.test(text), `it says ${text}`);
    }
    equal(made.sort(), [2, 40], "the calls that were made");
  },

  async "agents: thoughts and actions as text"() {
    const agent = new ReActAgent({ llm: client(server, "react"), tools: [add] });
    const run = agent.run("2 + 3?");
    const events = await soon(eventsOf(run));
    equal([run.result.text, streamedBy(events)], ["It is 5.", "It is 5."]);
    equal(
      run.result.toolCalls.map(({ content }) => content),
      ["5"],
    );
  },

  async "agents: one hands off to another"() {
    const desk = new FunctionAgent({ name: "desk", llm: client(server, "desk") });
    const adder = new FunctionAgent({ name: "adder", llm: client(server), tools: [add], canHandoffTo: [] });
    const { data } = await soon(new AgentWorkflow({ agents: [desk, adder] }).run("2 + 3?"));
    equal(data.currentAgent, "adder");
    equal(data.toolCalls[0].handoffTo, "adder");
  },
});
