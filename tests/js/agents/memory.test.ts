// Memory: what of a conversation a model is given, and what goes on from turn to turn.

import { ValidationError } from "stepstream";
import { AgentWorkflow, ChatMemoryBuffer, type ChatMessage, FunctionAgent, estimateTokens } from "stepstream/agents";
import { describe, expect, test } from "vitest";
import { failure, fails } from "../kit/index.js";
import { ScriptedModel, add, call, textIn } from "./kit.js";

const user = (content: string): ChatMessage => ({ role: "user", content });
const assistant = (content: string): ChatMessage => ({ role: "assistant", content });
const calls = (...ids: readonly string[]): ChatMessage => ({
  role: "assistant",
  content: ids.map((id) => ({ type: "toolCall", id, name: "t", arguments: "{}" })),
});
const results = (...ids: readonly string[]): ChatMessage => ({
  role: "tool",
  content: ids.map((id) => ({ type: "toolResult", id, content: "r" })),
});

/** Numbers that are the same in every run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A conversation, with tokens for each message. */
function conversation(random: (below: number) => number): { messages: ChatMessage[]; sizes: Map<ChatMessage, number> } {
  const messages: ChatMessage[] = [];
  if (random(3) === 0) messages.push({ role: "system", content: "s" });
  for (let turn = random(6); turn >= 0; turn -= 1) {
    messages.push(user(`question ${turn}`));
    for (let round = random(4); round > 0; round -= 1) {
      const ids = Array.from({ length: 1 + random(3) }, (_, nth) => `${turn}.${round}.${nth}`);
      messages.push(calls(...ids));
      if (random(2) === 0) messages.push(results(...ids));
      else messages.push(...ids.map((id) => results(id)));
    }
    if (turn > 0 || random(2) === 0) messages.push(assistant("answer"));
  }
  return { messages, sizes: new Map(messages.map((message) => [message, 1 + random(20)])) };
}

const idsOf = (messages: readonly ChatMessage[], type: "toolCall" | "toolResult"): string[] =>
  messages.flatMap(({ content }) =>
    typeof content === "string" ? [] : content.flatMap((block) => (block.type === type ? [block.id] : [])),
  );

describe("what is kept of 500 conversations", () => {
  const cases = Array.from({ length: 500 }, (_, seed) => {
    const random = randomOf(seed);
    const { messages, sizes } = conversation(random);
    const tokenLimit = 1 + random(120);
    const memory = new ChatMemoryBuffer({ tokenLimit, tokenCounter: (message) => sizes.get(message)! });
    const total = (some: readonly ChatMessage[]): number => some.reduce((sum, message) => sum + sizes.get(message)!, 0);
    return { messages, tokenLimit, total, kept: memory.select(messages) };
  });

  test("never parts a call from its result", () => {
    for (const { kept } of cases) expect(idsOf(kept, "toolCall")).toEqual(idsOf(kept, "toolResult"));
  });

  test("is in order, and all of it when all of it fits", () => {
    for (const { messages, kept, total, tokenLimit } of cases) {
      const places = kept.map((message) => messages.indexOf(message));
      expect(places).toEqual([...places].sort((a, b) => a - b));
      if (total(messages) <= tokenLimit) expect(kept).toEqual(messages);
    }
  });

  test("begins with a message of the user, behind what the system says", () => {
    for (const { messages, kept } of cases) {
      const rest = kept.filter(({ role }) => role !== "system");
      expect(rest[0]?.role).toBe("user");
      expect(kept.length - rest.length).toBe(messages[0]?.role === "system" ? 1 : 0);
    }
  });

  test("fits, but for what must be there: the question of the turn and the end of it", () => {
    for (const { messages, kept, total, tokenLimit } of cases) {
      const asked = messages.map(({ role }) => role).lastIndexOf("user");
      expect(kept).toContain(messages[asked]);
      expect(kept.at(-1)).toBe(messages.at(-1));
      let last = messages.length - 1;
      while (messages[last]!.role === "tool") last -= 1;
      const must = [...(messages[0]!.role === "system" ? [messages[0]!] : []), messages[asked]!];
      if (last > asked) must.push(...messages.slice(last));
      expect(total(kept)).toBeLessThanOrEqual(Math.max(tokenLimit, total(must)));
    }
  });

  test("is the most that fits, by whole turns", () => {
    for (const { messages, kept, total, tokenLimit } of cases) {
      const system = messages.filter(({ role }) => role === "system");
      const rest = messages.slice(system.length);
      const begins = rest.flatMap(({ role }, at) => (role === "user" ? [at] : []));
      const best = begins.find((at) => total(system) + total(rest.slice(at)) <= tokenLimit);
      if (best !== undefined) expect(kept).toEqual([...system, ...rest.slice(best)]);
    }
  });
});

test("each message is counted once", () => {
  let counted = 0;
  const memory = new ChatMemoryBuffer({ tokenCounter: () => (counted += 1) });
  const messages = [user("a"), assistant("b"), user("c")];
  memory.select(messages);
  memory.select([...messages, assistant("d")]);
  expect(counted).toBe(4);
});

test("the estimate grows with text, images and calls", () => {
  expect(estimateTokens(user(""))).toBe(4);
  expect(estimateTokens(user("four char tokens"))).toBe(8);
  expect(estimateTokens(user("四个汉字"))).toBe(8);
  const image = { type: "image", url: "https://example.com/cat.png" } as const;
  expect(estimateTokens({ role: "user", content: [image] })).toBe(804);
  expect(estimateTokens(calls("a"))).toBeGreaterThan(4);
  expect(estimateTokens({ role: "tool", content: [{ type: "toolResult", id: "a", content: [image] }] })).toBe(804);
});

test("wrong options are refused", async () => {
  for (const options of [{ tokenLimit: 0 }, { tokenLimit: Number.NaN }, { tokenLimit: "5" }, { tokenCounter: 5 }]) {
    await fails(() => new ChatMemoryBuffer(options as never), ValidationError, "INVALID_OPTION");
  }
  const memory = new ChatMemoryBuffer({ tokenCounter: () => Number.NaN });
  await fails(() => memory.select([user("a")]), ValidationError, "INVALID_OPTION");
});

test("what a run is given is looked at before it runs, and what a memory gives when it does", async () => {
  const llm = new ScriptedModel(["Fine."]);
  for (const block of [5, null, { type: "text" }, { type: "video", text: "" }, { type: "toolResult", id: "1" }]) {
    const message = { role: "user", content: [block] } as never;
    await fails(() => new FunctionAgent({ llm }).run({ message }), ValidationError, "INVALID_OPTION");
    await fails(
      () => new FunctionAgent({ llm }).run({ message: "a", chatHistory: [message] }),
      ValidationError,
      "INVALID_OPTION",
    );
  }
  const memory = { select: () => undefined as never };
  await fails(new FunctionAgent({ llm, memory }).run("Go"), ValidationError, "INVALID_OPTION");
});

const echo = (): ScriptedModel =>
  new ScriptedModel((messages) => `You said ${textIn(messages.filter(({ role }) => role === "user").at(-1))}.`);

test("a run continues the conversation of another one", async () => {
  const llm = echo();
  const agent = new FunctionAgent({ llm, systemPrompt: "Echo." });
  const first = agent.run("one");
  await first;
  const second = agent.run("two", undefined, { context: first });
  const { data } = await second;
  expect(llm.last.messages.map(textIn)).toEqual(["Echo.", "one", "You said one.", "two"]);
  expect(data.chatHistory.map(textIn)).toEqual(["one", "You said one.", "two", "You said two."]);
  // Without it a run knows nothing.
  await agent.run("three");
  expect(llm.last.messages.map(textIn)).toEqual(["Echo.", "three"]);
});

test("a conversation has one turn at a time", async () => {
  const agent = new FunctionAgent({ llm: echo() });
  const first = agent.run("one");
  await fails(() => agent.run("two", undefined, { context: first }), ValidationError, "INVALID_OPTION");
  await first;
  const second = agent.run("two", undefined, { context: first });
  await fails(() => agent.run("three", undefined, { context: first }), ValidationError, "INVALID_OPTION");
  second.cancel();
  const { data } = await agent.run("three", undefined, { context: second });
  expect(data.chatHistory.map(textIn)).toEqual(["one", "You said one.", "three", "You said three."]);
  await failure(second);
});

test("a run is given the chatHistory as it was when it was made", async () => {
  const llm = echo();
  const chatHistory: ChatMessage[] = [user("zero")];
  const run = new FunctionAgent({ llm }).run({ message: "one", chatHistory });
  chatHistory.push(user("one"));
  await run;
  expect(llm.last.messages.map(textIn)).toEqual(["zero", "one"]);
});

test("a conversation goes in with chatHistory, and comes out with the result", async () => {
  const llm = echo();
  const agent = new FunctionAgent({ llm });
  const { chatHistory } = (await agent.run("one")).data;
  const kept = JSON.parse(JSON.stringify(chatHistory)) as ChatMessage[];
  const { data } = await agent.run({ message: "two", chatHistory: kept });
  expect(data.chatHistory.map(textIn)).toEqual(["one", "You said one.", "two", "You said two."]);
  // The message may be the last of it, and may be more than text.
  const image = { type: "image", url: "https://example.com/cat.png" } as const;
  const last: ChatMessage = { role: "user", content: [{ type: "text", text: "look" }, image] };
  await agent.run({ chatHistory: [user("one"), assistant("ok"), last] });
  expect(llm.last.messages.at(-1)).toEqual(last);
});

test("the memory decides what the model is given, and forgets nothing", async () => {
  const llm = echo();
  const memory = new ChatMemoryBuffer({ tokenLimit: 3, tokenCounter: () => 1 });
  const agent = new FunctionAgent({ llm, memory, systemPrompt: "Echo." });
  let run = agent.run("0");
  await run;
  for (const word of ["1", "2", "3"]) {
    run = agent.run(word, undefined, { context: run });
    await run;
  }
  expect(llm.last.messages.map(textIn)).toEqual(["Echo.", "2", "You said 2.", "3"]);
  expect((await run).data.chatHistory).toHaveLength(8);
  const own = { select: (messages: readonly ChatMessage[]) => Promise.resolve(messages.slice(-1)) };
  await new FunctionAgent({ llm, memory: own }).run({ message: "b", chatHistory: [user("a"), assistant("ok")] });
  expect(llm.last.messages.map(textIn)).toEqual(["b"]);
});

test("a turn that fails leaves nothing behind", async () => {
  const llm = new ScriptedModel(["Hi.", { calls: [call("add", { a: 1, b: 2 })] }, new Error("gone"), "Fine."]);
  const agent = new FunctionAgent({ llm, tools: [add] });
  const first = agent.run("one");
  await first;
  const second = agent.run("two", undefined, { context: first });
  expect(await failure(second)).toMatchObject({ message: "gone" });
  const { data } = await agent.run("three", undefined, { context: second });
  expect(data.chatHistory.map(textIn)).toEqual(["one", "Hi.", "three", "Fine."]);
});

test("runs of one workflow know nothing of each other", async () => {
  const llm = echo();
  const workflow = new AgentWorkflow({ agents: [new FunctionAgent({ llm })], initialState: { list: [] } });
  const runs = ["a", "b", "c"].map((word) => workflow.run(word));
  const texts = (await Promise.all(runs)).map(({ data }) => data.text);
  expect(texts).toEqual(["You said a.\n\nThis", "b", "c"].map((_, nth) => expect.stringContaining("abc"[nth]!)));
  expect(new Set(runs.map((run) => run.store.get("state.list"))).size).toBe(3);
});
