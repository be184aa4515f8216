// Calls of tools: what becomes of results and errors, of time, and of the run around them.

import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { type Tool, type ToolOptions, type ToolResultBlock, callTool, tool } from "stepstream/llm";
import { describe, expect, test } from "vitest";
import "../kit/fake-clock.js";
import { deferred, failure, soon } from "../kit/index.js";

type Options = ToolOptions<Record<string, unknown>, unknown>;

const toolWith = (execute: Options["execute"], more: Partial<Options> = {}): Tool<Record<string, unknown>> =>
  tool({ name: "one", execute, ...more });

const call = { id: "call-1", name: "one", arguments: "{}" };

async function resultOf(one: Tool): Promise<Pick<ToolResultBlock, "content" | "isError">> {
  const { type, id, content, isError } = await soon(callTool([one], call));
  expect({ type, id }).toEqual({ type: "toolResult", id: "call-1" });
  return { content, isError: isError === true };
}

describe("a result", () => {
  const image = { type: "image", data: "aGk=", mediaType: "image/png" } as const;
  const results: [string, unknown, unknown][] = [
    ["a string", "plain", "plain"],
    ["an empty string", "", ""],
    ["a number", 7, "7"],
    ["an object", { a: [1, null] }, '{"a":[1,null]}'],
    ["nothing", undefined, "null"],
    ["a function", () => 1, "null"],
    ["a date", new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [
      "text and images",
      { content: [{ type: "text", text: "a cat" }, image] },
      [{ type: "text", text: "a cat" }, image],
    ],
    ["something like it", { content: ["a"] }, '{"content":["a"]}'],
    ["blocks that are not complete", { content: [{ type: "text" }] }, '{"content":[{"type":"text"}]}'],
    [
      "an image of another form",
      { content: [{ type: "image", data: "a" }] },
      '{"content":[{"type":"image","data":"a"}]}',
    ],
    ["an empty list like it", { content: [] }, '{"content":[]}'],
  ];
  test.each(results)("that is %s", async (_, result, content) => {
    expect(await resultOf(toolWith(() => result))).toEqual({ content, isError: false });
  });

  test("may be a failure", async () => {
    const content = [{ type: "text", text: "no such file" }] as const;
    expect(await resultOf(toolWith(() => ({ content, isError: true })))).toEqual({ content, isError: true });
  });

  test("may come later", async () => {
    expect(await resultOf(toolWith(async () => "late"))).toEqual({ content: "late", isError: false });
  });
});

describe("an error", () => {
  const thrown: [string, unknown, string][] = [
    ["with a message", new TypeError("no such city"), "Error: no such city"],
    ["without one", new RangeError(), "Error: RangeError"],
    ["that is none", "plain", "Error: plain"],
    ["that is an object with a message", { code: 7, message: "quota" }, "Error: quota"],
    ["that has no words", Object.create(null), "Error: It failed, and the error cannot be read."],
  ];
  test.each(thrown)("%s", async (_, error, content) => {
    const throwing = toolWith(() => {
      throw error;
    });
    expect(await resultOf(throwing)).toEqual({ content, isError: true });
    expect(await resultOf(toolWith(async () => Promise.reject(error as Error)))).toEqual({ content, isError: true });
  });

  test("that throws when it is read", async () => {
    const error = Object.defineProperty(new Error(), "message", { get: () => Number("1").toFixed(-1) });
    const throwing = toolWith(() => {
      throw error;
    });
    const content = "Error: It failed, and the error cannot be read.";
    expect(await resultOf(throwing)).toEqual({ content, isError: true });
  });

  test("is a result that has no form as JSON", async () => {
    const { content, isError } = await resultOf(toolWith(() => 1n));
    expect(isError).toBe(true);
    expect(content).toMatch(/^Error: .*BigInt/);
  });

  test("is a tool that is not there", async () => {
    const { content, isError } = await callTool([toolWith(() => 1)], { ...call, name: "two" });
    expect({ content, isError }).toEqual({ content: 'There is no tool "two". There are "one".', isError: true });
  });
});

describe("time", () => {
  test("that is over aborts the tool's signal and is a result", async () => {
    const aborted = deferred<unknown>();
    const slow = toolWith(
      (_, { signal }) => {
        signal.addEventListener("abort", () => aborted.resolve(signal.reason));
        return new Promise(() => {});
      },
      { timeout: 0.02 },
    );
    expect(await resultOf(slow)).toEqual({ content: "Error: The tool did not finish in 0.02 seconds.", isError: true });
    expect(await soon(aborted.promise)).toBeInstanceOf(Error);
  });

  test("that is not up changes nothing, and the signal stays", async () => {
    const done = toolWith((_, { signal }) => signal.aborted, { timeout: 60 });
    expect(await resultOf(done)).toEqual({ content: "false", isError: false });
  });

  test.each([Infinity, 1e9, null])("of %s is none that a timer could measure", async (timeout) => {
    const done = toolWith(() => new Promise((resolve) => setTimeout(resolve, 5, "now")), { timeout });
    expect(await resultOf(done)).toEqual({ content: "now", isError: false });
  });
});

describe("a signal", () => {
  test("reaches the tool, and the call rejects with its reason", async () => {
    const controller = new AbortController();
    const reason = new Error("the user left");
    let seen: unknown;
    const waiting = toolWith((_, { signal }) => {
      signal.addEventListener("abort", () => (seen = signal.reason));
      controller.abort(reason);
      return new Promise(() => {});
    });
    expect(await failure(callTool([waiting], call, { signal: controller.signal }))).toBe(reason);
    expect(seen).toBe(reason);
  });

  test("that was aborted before keeps the tool from running", async () => {
    let runs = 0;
    const reason = new Error("too late");
    const counting = toolWith(() => (runs += 1));
    expect(await failure(callTool([counting], call, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(runs).toBe(0);
  });
});

describe("the context", () => {
  class Progress extends WorkflowEvent<string> {
    static readonly type = "progress";
  }

  test("is that of the step", async () => {
    const noting = toolWith(async (_, { context, toolCallId }) => {
      context.writeEventToStream(new Progress(toolCallId));
      context.store.set("seen", true);
      return context.step;
    });
    const workflow = new Workflow<unknown, unknown, unknown>();
    workflow.addStep({ inputs: [StartEvent], name: "asking" }, async (context) => {
      const { content } = await callTool([noting], call, { context });
      return new StopEvent([content, context.store.get("seen")]);
    });
    const run = workflow.run(0);
    const progress: string[] = [];
    for await (const event of run) if (event instanceof Progress) progress.push(event.data);
    expect((await run).data).toEqual(["asking", true]);
    expect(progress).toEqual(["call-1"]);
  });

  test("that is missing throws when a tool reads it", async () => {
    const { content } = await resultOf(toolWith((_, { context }) => context.runId));
    expect(content).toMatch(/^Error: The tool reads `context`, but it was called without one\./);
  });

  test("remembers a call that is made once, over a recovery, whether it failed or not", async () => {
    const asked: string[] = [];
    const waiting = deferred();
    const make = (isSecond: boolean): Workflow<unknown, unknown, unknown> => {
      const one = (name: string, once: boolean, fails = false): Tool =>
        tool({
          name,
          once,
          execute: () => {
            asked.push(name);
            if (fails) throw new Error("half done");
            return name;
          },
        });
      const tools = [one("effect", true), one("question", false), one("failed", true, true)];
      const workflow = new Workflow<unknown, unknown, unknown>();
      workflow.addStep({ inputs: [StartEvent], name: "step" }, async (context) => {
        const results: unknown[] = [];
        for (const { name } of tools) {
          const made = { id: `id-${name}`, name, arguments: "{}" };
          results.push((await callTool(tools, made, { context })).content);
        }
        waiting.resolve();
        if (!isSecond) await new Promise(() => {});
        return new StopEvent(results);
      });
      return workflow;
    };
    const first = make(false).run(0).start();
    await soon(waiting.promise);
    const { data } = await soon(make(true).recover(first.snapshot()));
    expect(data).toEqual(["effect", "question", "Error: half done"]);
    expect(asked).toEqual(["effect", "question", "failed", "question"]);
    first.cancel();
    await failure(first);
  });
});

test("a tool that says anything true needs approval", async () => {
  const says = (answer: unknown) => tool({ name: "one", needsApproval: () => answer as boolean, execute: () => 1 });
  const needs = (answer: unknown) => says(answer).needsApproval({}, {} as never);
  expect(await Promise.all(["yes", 1, {}, Promise.resolve(1), "", 0, null].map(needs))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("whether a call needs approval, the tool says", async () => {
  const careful = tool<{ path: string }>({
    name: "remove",
    needsApproval: async ({ path }) => path.startsWith("/"),
    execute: () => "gone",
  });
  const run = { context: undefined as never };
  expect(await careful.needsApproval({ path: "/etc" }, run)).toBe(true);
  expect(await careful.needsApproval({ path: "x" }, run)).toBe(false);
  expect(await tool({ name: "a", execute: () => 1 }).needsApproval({}, run)).toBe(false);
  expect(await tool({ name: "a", needsApproval: true, execute: () => 1 }).needsApproval({}, run)).toBe(true);
});
