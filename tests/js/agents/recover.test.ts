// Runs of agents as snapshots: between every two events, and in the middle of calls of tools and models, with everything made again from nothing.

import { RecoverError, StreamReset, ValidationError, type WorkflowContext, type WorkflowEvent } from "stepstream";
import {
  type AgentResult,
  AgentStream,
  AgentWorkflow,
  type ChatMessage,
  FunctionAgent,
  type LLM,
  ReActAgent,
  ToolApprovalRequest,
  ToolApprovalResponse,
  ToolCall,
  tool,
} from "stepstream/agents";
import { describe, expect, test } from "vitest";
import "../kit/fake-clock.js";
import { deferred, expectError, failure, pause, soon } from "../kit/index.js";
import { type Line, ScriptedModel, call, readAll, shown, textIn } from "./kit.js";

type Run = WorkflowContext<unknown, never, AgentResult>;

/** A new workflow, whose side effects are recorded in a book that all of them share. */
type Make = (book: string[]) => AgentWorkflow;

const answered = (messages: readonly ChatMessage[]): number =>
  messages.filter(({ role }) => role === "assistant").length;

/** A tool with `once`, whose side effects are recorded. */
const recorded = (book: string[], name: string, isSlow: boolean) =>
  tool<{ n: number }>({
    name,
    parameters: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
    once: true,
    execute: async ({ n }, { signal }) => {
      if (isSlow) await pause(2);
      signal.throwIfAborted();
      book.push(`${name} ${n}`);
      return n * 2;
    },
  });

const functions: Make = (book) => {
  const lines: Line[] = [
    { text: "Let me see.", calls: [call("slow", { n: 1 }), call("quick", { n: 2 }), call("quick", { n: 3 })] },
    { calls: [call("nothing", {}), call("quick", { n: 4 })] },
    { reasoning: "All done.", text: "The numbers are 2, 4, 6 and 8." },
  ];
  const llm = new ScriptedModel((messages) => lines[answered(messages)]!, 4);
  return new AgentWorkflow({
    agents: [new FunctionAgent({ llm, tools: [recorded(book, "slow", true), recorded(book, "quick", false)] })],
    initialState: { mood: "good" },
  });
};

const words: Make = (book) => {
  const lines = [
    'Thought: One.\nAction: quick\nAction Input: {"n": 1}',
    "I forgot the format.\nThought: Hm.",
    'Thought: Two.\nAction: slow\nAction Input: {"n": 2}',
    "Thought: Done.\nAnswer: The numbers are 2 and 4.",
  ];
  const llm = new ScriptedModel((messages) => lines[answered(messages)]!, 5);
  return new AgentWorkflow({
    agents: [new ReActAgent({ llm, tools: [recorded(book, "slow", true), recorded(book, "quick", false)] })],
  });
};

const team: Make = (book) => {
  const root = new ScriptedModel(() => ({ calls: [call("handoff", { toAgent: "writer", reason: "words" })] }));
  const writer = new ScriptedModel((messages, { responseFormat }) => {
    if (responseFormat !== undefined) return '{"words": 2}';
    return answered(messages) === 1 ? { calls: [call("slow", { n: 7 })] } : "Two words.";
  });
  return new AgentWorkflow({
    agents: [
      new FunctionAgent({ name: "root", llm: root }),
      new FunctionAgent({ name: "writer", llm: writer, tools: [recorded(book, "slow", true)] }),
    ],
    outputSchema: { type: "object", properties: { words: { type: "number" } } },
  });
};

const makers: readonly (readonly [string, Make])[] = [
  ["an agent that calls functions", functions],
  ["an agent that thinks in text", words],
  ["a team with an answer in a form", team],
];

const essence = ({ text, toolCalls, structured, currentAgent, chatHistory }: AgentResult): unknown => ({
  text,
  structured,
  currentAgent,
  calls: toolCalls.map(({ name, content, isError }) => ({ name, content, isError })),
  history: chatHistory.map(({ role, content }) => [
    role,
    typeof content === "string" ? content : content.map(({ type }) => type),
  ]),
});

/** Reads up to so many of the events that count, and takes the bytes then. */
async function bytesAfter(
  run: Run,
  count: number,
  counts: (event: WorkflowEvent) => boolean = () => true,
): Promise<{ bytes: Uint8Array; isOver: boolean; events: WorkflowEvent[] }> {
  const events: WorkflowEvent[] = [];
  let counted = 0;
  for await (const event of run) {
    events.push(event);
    if (counts(event)) counted += 1;
    if (counted === count) break;
  }
  const bytes = run.snapshot();
  const isOver = run.status === "completed" && counted < count;
  run.cancel();
  return { bytes, isOver, events };
}

describe.each(makers)("%s", (_, make) => {
  test("comes to the same end from between any two events, and does nothing twice", async () => {
    const book: string[] = [];
    const straight = make(book).run("Go");
    const all = await readAll(straight);
    const expected = essence((await straight).data);
    const effects = [...book].sort();
    expect(all.length).toBeGreaterThan(15);
    for (let count = 1; count <= all.length; count += 1) {
      const again: string[] = [];
      const { bytes, events } = await bytesAfter(make(again).run("Go") as never, count);
      const second = make(again).recover(bytes);
      const rest = await readAll(second);
      const { data } = await soon(second);
      expect({ count, end: essence(data) }).toEqual({ count, end: expected });
      expect({ count, effects: [...again].sort() }).toEqual({ count, effects });
      // Nothing that was shown is shown again, and nothing is missing.
      expect({ count, ...shown([...events, ...rest]) }).toEqual({ count, ...shown(all) });
    }
  });

  // Not at every piece of an answer: a call of the model begins again in each life, and would come to no end.
  const counts = (event: WorkflowEvent): boolean => !(event instanceof AgentStream || event instanceof StreamReset);

  test("comes to the same end when it changes hands at every event that is no piece of an answer", async () => {
    const book: string[] = [];
    let run: Run = make(book).run("Go") as never;
    let lives = 0;
    for (;;) {
      const { bytes, isOver } = await bytesAfter(run, 1, counts);
      if (isOver) break;
      run = make(book).recover(bytes) as never;
      lives += 1;
      if (run.status === "completed") break;
    }
    const straight: string[] = [];
    const { data } = await make(straight).run("Go");
    expect(essence((await run).data)).toEqual(essence(data));
    expect(book.sort()).toEqual(straight.sort());
    expect(lives).toBeGreaterThan(10);
  });
});

test("a call of the model that was under way is made again", async () => {
  let calls = 0;
  const gate = deferred();
  const llm: LLM = {
    chat: () => expect.unreachable(),
    streamChat: () => {
      calls += 1;
      const isFirst = calls === 1;
      const message = { role: "assistant", content: "Hello there." } as const;
      return {
        response: Promise.resolve({ message }),
        async *[Symbol.asyncIterator]() {
          yield { type: "text", index: 0, text: "Hello" } as const;
          if (isFirst) await gate.promise;
          yield { type: "text", index: 0, text: " there." } as const;
        },
      };
    },
  };
  const make = (): AgentWorkflow => new FunctionAgent({ llm }).workflow;
  const run = make().run("Hi");
  const before: WorkflowEvent[] = [];
  for await (const event of run) {
    before.push(event);
    if (event instanceof AgentStream) break;
  }
  const bytes = run.snapshot();
  run.cancel();
  gate.resolve();
  const again = make().recover(bytes);
  const after = await readAll(again);
  expect([calls, (await again).data.text]).toEqual([2, "Hello there."]);
  expect(shown([...before, ...after]).text).toBe("Hello there.");
});

test("a tool that is not marked runs again, with the same id", async () => {
  const ids: string[] = [];
  const gate = deferred();
  const make = (): AgentWorkflow => {
    const wait = tool({
      name: "wait",
      execute: async (_, { toolCallId }) => {
        ids.push(toolCallId);
        if (ids.length === 1) await gate.promise;
        return "ok";
      },
    });
    const llm = new ScriptedModel((messages) =>
      answered(messages) === 0 ? { calls: [call("wait", {}, "w")] } : "Done.",
    );
    return new FunctionAgent({ llm, tools: [wait] }).workflow;
  };
  const run = make().run("Go");
  for await (const event of run) if (event instanceof ToolCall) break;
  await pause(2);
  const bytes = run.snapshot();
  run.cancel();
  expect((await soon(make().recover(bytes))).data.text).toBe("Done.");
  expect(ids).toEqual(["w", "w"]);
  gate.resolve();
});

test("a whole conversation goes on elsewhere, with state and memory", async () => {
  const make = (): AgentWorkflow => {
    const note = tool<{ text: string }>({
      name: "note",
      parameters: { type: "object", properties: { text: { type: "string" } } },
      execute: ({ text }, { context }) => {
        context.store.edit<string[]>("state.notes", (notes = []) => [...notes, text]);
      },
    });
    const llm = new ScriptedModel((messages) => {
      const last = messages.at(-1)!;
      return last.role === "tool" ? "Noted." : { calls: [call("note", { text: textIn(last).split("\n")[0] })] };
    });
    return new FunctionAgent({ llm, tools: [note], initialState: { notes: [] } }).workflow;
  };
  const first = make().run("one");
  await first;
  // What has completed is a place to go on from.
  const workflow = make();
  const taken = workflow.recover(first.snapshot());
  const second = workflow.run("two", undefined, { context: taken as never });
  const { data } = await second;
  expect(second.store.get("state")).toEqual({ notes: ["one", "two"] });
  expect(data.chatHistory.filter(({ role }) => role === "user").map(textIn)).toEqual(["one", "two"]);
});

test("models, tools and keys are in no snapshot, also not while they are at work", async () => {
  const secret = "sk-very-secret";
  const gate = deferred();
  const wait = tool({ name: "wait", needsApproval: true, execute: () => gate.promise });
  const llm = Object.assign(new ScriptedModel(() => ({ calls: [call("wait", {}, "w")] })), { apiKey: secret });
  const run = new FunctionAgent({ llm, tools: [wait], systemPrompt: () => "Wait." }).run("Go");
  await run.start().idle();
  const waiting = run.snapshot();
  run.sendEvent(new ToolApprovalResponse({ id: "w", approved: true }));
  await pause(2);
  for (const bytes of [waiting, run.snapshot()]) expect(new TextDecoder().decode(bytes)).not.toContain(secret);
  run.cancel();
  gate.resolve();
});

test("a run needs the agents that it had", async () => {
  const make = (name: string): AgentWorkflow => {
    const ask = tool({ name: "ask", needsApproval: true, execute: () => "ok" });
    const llm = new ScriptedModel((messages) =>
      answered(messages) === 0 ? { calls: [call("ask", {}, "a")] } : "Done.",
    );
    return new FunctionAgent({ name, llm, tools: [ask] }).workflow;
  };
  const run = make("one").run("Go").start();
  await run.idle();
  const bytes = run.snapshot();
  run.cancel();
  const other = make("two").recover(bytes);
  other.sendEvent(new ToolApprovalResponse({ id: "a", approved: true }));
  expectError(await failure(other), ValidationError, "UNKNOWN_AGENT");
  expectError(await failure(() => make("one").recover(bytes.slice(0, 40))), RecoverError, "SNAPSHOT_TRUNCATED");
});

test("events of agents come back as what they were in a workflow that has met none of them", async () => {
  const make = (): AgentWorkflow => {
    const ask = tool({ name: "ask", needsApproval: true, execute: () => "ok" });
    const llm = new ScriptedModel((messages) =>
      answered(messages) === 0 ? { text: "Hm.", calls: [call("ask", {}, "a")] } : "Done.",
    );
    return new FunctionAgent({ llm, tools: [ask] }).workflow;
  };
  const run = make().run("Go").start();
  await run.idle();
  const again = make().recover(run.snapshot());
  run.cancel();
  const events = await readAll(again, (event) => {
    if (event instanceof ToolApprovalRequest) again.sendEvent(new ToolApprovalResponse({ id: "a", approved: true }));
  });
  expect(shown(events).text).toBe("Hm.Done.");
});
