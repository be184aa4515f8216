// The step of the model runs again, after a recovery or a failure of the provider: its text is written anew, and readers learn of
// it first. The second answer always differs from the first, so that no text of the one may be left in the other.

import {
  StreamReset,
  type StreamResetData,
  type WorkflowContext,
  type WorkflowEvent,
  retryPolicy,
  stopAfterAttempt,
  waitFixed,
} from "stepstream";
import {
  type AgentResult,
  AgentStream,
  AgentWorkflow,
  type ChatDelta,
  type ChatMessage,
  FunctionAgent,
  type LLM,
  ReActAgent,
  tool,
} from "stepstream/agents";
import { describe, expect, test } from "vitest";
import { deferred, soon } from "../kit/index.js";
import { readAll, shown } from "./kit.js";

type Run = WorkflowContext<unknown, never, AgentResult>;

/** One answer of a model: its pieces; an error after them, or a stream that stays open for ever. */
interface Scripted {
  readonly pieces: readonly string[];
  readonly end?: Error | "hang";
  readonly message?: ChatMessage & { readonly role: "assistant" };
}

/** A model that gives the answers one after another. */
function model(...answers: readonly Scripted[]): LLM & { calls: number } {
  const scripted = {
    calls: 0,
    chat: () => expect.unreachable(),
    streamChat: () => {
      const { pieces, end, message } = answers[scripted.calls]!;
      scripted.calls += 1;
      const broken = deferred<never>();
      const whole = message ?? ({ role: "assistant", content: pieces.join("") } as const);
      broken.promise.catch(() => undefined);
      if (end instanceof Error) broken.reject(end);
      return {
        response: end === undefined ? Promise.resolve({ message: whole }) : broken.promise,
        async *[Symbol.asyncIterator](): AsyncGenerator<ChatDelta> {
          for (const text of pieces) yield { type: "text", index: 0, text };
          if (end instanceof Error) throw end;
          if (end === "hang") await new Promise(() => undefined);
        },
      };
    },
  };
  return scripted;
}

const resets = (events: readonly WorkflowEvent[]): StreamResetData[] =>
  events.filter((event) => event instanceof StreamReset).map(({ data }) => data);

/** The position of the first event of a class. */
const at = (events: readonly WorkflowEvent[], kind: abstract new (...args: never[]) => WorkflowEvent): number =>
  events.findIndex((event) => event instanceof kind);

/** Reads until so many pieces were streamed, and takes the bytes of the run as a crash would leave them. */
async function crashAfter(run: Run, pieces: number): Promise<{ bytes: Uint8Array; before: WorkflowEvent[] }> {
  const before: WorkflowEvent[] = [];
  for await (const event of run) {
    before.push(event);
    if (before.filter((one) => one instanceof AgentStream).length === pieces) break;
  }
  const bytes = run.snapshot();
  run.cancel();
  return { bytes, before };
}

describe("after a crash in the middle of an answer", () => {
  test("a reader of the recovered run gets a reset, and then the whole of the new answer", async () => {
    const llm = model({ pieces: ["Hello", " wor"], end: "hang" }, { pieces: ["Good", " mor", "ning."] });
    const make = (): AgentWorkflow => new AgentWorkflow({ agents: [new FunctionAgent({ llm })] });
    const { bytes, before } = await crashAfter(make().run("Hi") as never, 2);
    const run = make().recover(bytes);
    const after = await readAll(run);
    expect(resets(after)).toMatchObject([{ step: "runAgentStep", iteration: 1 }]);
    expect(at(after, StreamReset)).toBeLessThan(at(after, AgentStream));
    expect(shown(after).text).toBe("Good morning.");
    expect(shown([...before, ...after]).text).toBe("Good morning.");
    expect((await soon(run)).data.text).toBe("Good morning.");
  });

  test("text of earlier iterations stays, and the reset names the iteration that is written again", async () => {
    const add = tool<{ n: number }>({ name: "add", once: true, execute: ({ n }) => n + 1 });
    const calls = {
      role: "assistant",
      content: [
        { type: "text", text: "Let me see. " },
        { type: "toolCall", id: "c", name: "add", arguments: '{"n":1}' },
      ],
    } as const;
    const llm = model(
      { pieces: ["Let me ", "see. "], message: calls },
      { pieces: ["It", " is"], end: "hang" },
      { pieces: ["Two."] },
    );
    const make = (): AgentWorkflow => new AgentWorkflow({ agents: [new FunctionAgent({ llm, tools: [add] })] });
    const { bytes, before } = await crashAfter(make().run("1 + 1?") as never, 4);
    const after = await readAll(make().recover(bytes));
    expect(resets(after).map(({ iteration }) => iteration)).toEqual([2]);
    expect(shown([...before, ...after]).text).toBe("Let me see. Two.");
  });

  test("a crash before the first piece needs no reset", async () => {
    const llm = model({ pieces: [], end: "hang" }, { pieces: ["Hello."] });
    const make = (): AgentWorkflow => new AgentWorkflow({ agents: [new FunctionAgent({ llm })] });
    const run = make().run("Hi") as never as Run;
    run.start();
    while (llm.calls === 0) await new Promise((resolve) => setImmediate(resolve));
    const bytes = run.snapshot();
    run.cancel();
    const after = await readAll(make().recover(bytes));
    expect(resets(after)).toEqual([]);
    expect(shown(after).text).toBe("Hello.");
  });

  test("a ReActAgent writes thoughts and answer anew", async () => {
    const llm = model(
      { pieces: ["Thought: One", " thing.\nAnswer: Hel", "lo"], end: "hang" },
      { pieces: ["Thought: Another", ".\nAnswer: Good", " morning."] },
    );
    const make = (): AgentWorkflow => new AgentWorkflow({ agents: [new ReActAgent({ llm })] });
    const { bytes, before } = await crashAfter(make().run("Hi") as never, 3);
    const after = await readAll(make().recover(bytes));
    expect(resets(after).map(({ iteration }) => iteration)).toEqual([1]);
    expect(shown([...before, ...after])).toEqual({ text: "Good morning.", reasoning: "Another." });
  });

  test("several crashes in one answer are several resets", async () => {
    const hanging = { end: "hang" } as const;
    const llm = model({ pieces: ["One"], ...hanging }, { pieces: ["Two", "!"], ...hanging }, { pieces: ["Three."] });
    const make = (): AgentWorkflow => new AgentWorkflow({ agents: [new FunctionAgent({ llm })] });
    const first = await crashAfter(make().run("Hi") as never, 1);
    const second = await crashAfter(make().recover(first.bytes) as never, 2);
    const after = await readAll(make().recover(second.bytes));
    expect(resets([...second.before, ...after])).toHaveLength(2);
    expect(shown([...first.before, ...second.before, ...after]).text).toBe("Three.");
  });
});

describe("after a failure of the provider, with a retry", () => {
  const retry = retryPolicy({ stop: stopAfterAttempt(3), wait: waitFixed(0) });
  const broken = new Error("The connection broke.");

  test("a reader gets a reset, and then the whole of the new answer", async () => {
    const llm = model({ pieces: ["Hello", " wor"], end: broken }, { pieces: ["Good", " mor", "ning."] });
    const run = new FunctionAgent({ llm, retry }).run("Hi");
    const events = await readAll(run as never);
    expect(resets(events)).toEqual([{ step: "runAgentStep", attempt: 2, iteration: 1 }]);
    expect(shown(events).text).toBe("Good morning.");
    expect((await soon(run)).data.text).toBe("Good morning.");
  });

  test("each retry has a reset of its own, unless the attempt before wrote nothing", async () => {
    const llm = model({ pieces: ["One"], end: broken }, { pieces: [], end: broken }, { pieces: ["Three."] });
    const events = await readAll(new FunctionAgent({ llm, retry }).run("Hi") as never);
    expect(resets(events).map(({ attempt }) => attempt)).toEqual([2]);
    expect(shown(events).text).toBe("Three.");
  });
});

test("a run in which no step runs again has no reset", async () => {
  const llm = model({ pieces: ["Hello", " world."] });
  expect(resets(await readAll(new FunctionAgent({ llm }).run("Hi") as never))).toEqual([]);
});

test("what a tool writes again concerns no text of the model", async () => {
  let count = 0;
  const gate = deferred();
  const report = tool({
    name: "report",
    execute: async (_, { context }) => {
      count += 1;
      context.writeEventToStream(new AgentStream({ agent: "report", iteration: 0, delta: `part ${count}` }));
      if (count === 1) await gate.promise;
      return "ok";
    },
  });
  const calls = {
    role: "assistant",
    content: [{ type: "toolCall", id: "r", name: "report", arguments: "{}" }],
  } as const;
  const llm = model({ pieces: ["Let me see. "], message: calls }, { pieces: ["Done."] });
  const make = (): AgentWorkflow => new AgentWorkflow({ agents: [new FunctionAgent({ llm, tools: [report] })] });
  const { bytes, before } = await crashAfter(make().run("Go") as never, 2);
  const after = await readAll(make().recover(bytes));
  gate.resolve();
  expect(resets(after).map(({ step, iteration }) => [step, iteration])).toEqual([["callTool", undefined]]);
  expect(shown([...before, ...after]).text).toContain("Let me see. ");
});
