// Options with a name that does not exist are refused, with the name that was probably meant. The compiler refuses most of
// them in TypeScript; here everything is called as in JavaScript.

import { ValidationError, Workflow, openSnapshot, sealSnapshot } from "stepstream";
import * as agents from "stepstream/agents";
import * as checkpoints from "stepstream/checkpointer";
import * as llm from "stepstream/llm";
import * as stores from "stepstream/stores";
import { describe, expect, test } from "vitest";
import { failure } from "../kit/index.js";
import { ScriptedModel } from "../agents/kit.js";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- everything is called as in JavaScript, without types.
type Untyped = any;
const { FunctionAgent, ReActAgent, AgentWorkflow, ChatMemoryBuffer, tool, callTool }: Untyped = agents;
const { OpenAI, OpenAICompatible, Anthropic, Gemini }: Untyped = llm;
const { WorkflowCheckpointer }: Untyped = checkpoints;
const { indexedDBStore, unstorageStore }: Untyped = stores;
const seal: Untyped = sealSnapshot;
const open: Untyped = openSnapshot;

const model = new ScriptedModel(() => "Hello");
const agent = new FunctionAgent({ llm: model });
const add = tool({ name: "add", execute: () => 1 });
const client = new OpenAI({ model: "m", apiKey: "k", fetch: () => expect.unreachable() });
const schema = { type: "object", properties: {} };
const secret = "a secret of 32 random characters";
const bytes = new Uint8Array(24);

/** What is called, the name that is wrong, the name that is suggested, and the call. */
const cases: readonly (readonly [string, string, string | undefined, () => unknown])[] = [
  ["a run of an agent", "mesages", "chatHistory", () => agent.run({ mesages: [] })],
  ["a run of an agent", "messages", "chatHistory", () => agent.run({ messages: [{ role: "user", content: "Hi" }] })],
  ["a run of an agent", "mesage", "message", () => agent.run({ mesage: "Hi" })],
  ["a run of an agent", "content", "message", () => agent.run({ role: undefined, content: "Hi" })],
  ["a run of an agent", "max_iterations", "maxIterations", () => agent.run({ message: "Hi", max_iterations: 3 })],
  ["a run of an agent", "zzzzzz", undefined, () => agent.run({ message: "Hi", zzzzzz: 3 })],
  ["an agent", "sytemPrompt", "systemPrompt", () => new FunctionAgent({ llm: model, sytemPrompt: "" })],
  ["an agent", "instructions", "systemPrompt", () => new FunctionAgent({ llm: model, instructions: "" })],
  ["an agent", "model", "llm", () => new FunctionAgent({ llm: model, model: "m" })],
  ["an agent", "formatPrompt", undefined, () => new FunctionAgent({ llm: model, formatPrompt: () => "" })],
  ["an agent", "initialToolChoise", "initialToolChoice", () => new FunctionAgent({ llm: model, initialToolChoise: 1 })],
  ["an agent", "formatPromt", "formatPrompt", () => new ReActAgent({ llm: model, formatPromt: () => "" })],
  ["a workflow of agents", "rootagent", "rootAgent", () => new AgentWorkflow({ agents: [agent], rootagent: "agent" })],
  ["a workflow of agents", "timout", "timeout", () => new AgentWorkflow({ agents: [agent], timout: 3 })],
  ["a workflow from tools", "kindd", undefined, () => AgentWorkflow.fromTools([add], { llm: model, kindd: "react" })],
  ["a memory", "tokenlimit", "tokenLimit", () => new ChatMemoryBuffer({ tokenlimit: 3 })],
  ["a tool", "handeler", "execute", () => tool({ name: "add", execute: () => 1, handeler: () => 1 })],
  ["a tool", "handler", "execute", () => tool({ name: "add", handler: () => 1 })],
  ["a tool", "needsAproval", "needsApproval", () => tool({ name: "add", execute: () => 1, needsAproval: true })],
  [
    "a call of a tool",
    "abortSignal",
    "signal",
    () => callTool([add], { id: "1", name: "add", arguments: "" }, { abortSignal: 1 }),
  ],
  ["a client", "apikey", "apiKey", () => new OpenAI({ model: "m", apikey: "k" })],
  ["a client", "baseUrl", "baseURL", () => new OpenAICompatible({ model: "m", baseUrl: "http://127.0.0.1" })],
  ["a client", "api", undefined, () => new Gemini({ model: "m", api: "chat" })],
  ["a client", "max_tokens", "maxTokens", () => new Anthropic({ model: "m", max_tokens: 3 })],
  ["a client", "server", undefined, () => new OpenAI({ model: "m", server: "vllm" })],
  ["timeouts", "firsttoken", "firstToken", () => new OpenAI({ model: "m", timeouts: { firsttoken: 3 } })],
  ["a call", "maxOutputTokens", "maxTokens", () => client.chat("Hi", { maxOutputTokens: 3 })],
  ["a call", "response_format", "responseFormat", () => client.chat("Hi", { response_format: schema })],
  ["a call", "tooIs", "tools", () => client.chat("Hi", { tooIs: [] })],
  ["a stream", "temprature", "temperature", () => client.streamChat("Hi", { temprature: 1 })],
  ["a completion", "top_p", "providerOptions", () => client.complete("Hi", { top_p: 1 })],
  ["a format", "strickt", "strict", () => client.chat("Hi", { responseFormat: { schema, strickt: true } })],
  ["a checkpointer", "onerror", "onError", () => new WorkflowCheckpointer(new Workflow(), { onerror: () => 1 })],
  ["a filter", "runID", "runId", () => new WorkflowCheckpointer(new Workflow()).filter({ runID: "1" })],
  ["a store", "nam", "name", () => indexedDBStore({ nam: "x" })],
  ["a seal", "encryt", "encrypt", () => seal(bytes, secret, { encryt: true })],
  ["an opened seal", "workflw", "workflow", () => open(bytes, secret, { workflw: new Workflow() })],
];

test.each(cases)("%s has no option %s", async (_, name, nearest, call) => {
  const error = await failure(async () => call());
  expect(error).toBeInstanceOf(ValidationError);
  const { code, message } = error as ValidationError;
  expect(code).toBe("INVALID_OPTION");
  expect(message).toContain(`has no option \`${name}\``);
  if (nearest === undefined) expect(message).toMatch(/\. It has `/);
  else expect(message).toContain(`; did you mean \`${nearest}\`?`);
});

describe("an option", () => {
  test("that is undefined counts as left out, whatever its name", async () => {
    const { data } = await new FunctionAgent({ llm: model, nothing: undefined }).run({
      message: "Hi",
      messages: undefined,
    });
    expect(data.text).toBe("Hello");
    expect(tool({ name: "add", execute: () => 1, handler: undefined }).name).toBe("add");
    expect(() => new OpenAI({ model: "m", apikey: undefined })).not.toThrow();
  });

  test("with the name of something that every object has is unknown, too", () => {
    for (const name of ["constructor", "toString", "hasOwnProperty"]) {
      expect(() => new ChatMemoryBuffer({ [name]: 1 })).toThrow(`has no option \`${name}\``);
    }
  });

  test("of a class of one's own is named by that class", async () => {
    class Moody extends FunctionAgent {
      constructor(options: Untyped) {
        super(options, { mood: 1 });
      }
    }
    const moody: Untyped = new Moody({ llm: model, mood: "good" });
    expect((await moody.run("Hi")).data.text).toBe("Hello");
    expect(() => new Moody({ llm: model, mod: "good" })).toThrow("Moody has no option `mod`; did you mean `mood`?");
  });

  test("of a run reaches the workflow of a single agent", () => {
    const options = { llm: model, timeout: -1 };
    expect(() => new FunctionAgent(options).workflow).toThrow(ValidationError);
    expect(() => AgentWorkflow.fromTools([add], options)).toThrow(ValidationError);
  });
});

test.each([
  ["agent", () => agent.run([])],
  ["client", () => new OpenAI([])],
  ["call", () => client.chat("Hi", "options")],
  ["memory", () => new ChatMemoryBuffer(null)],
  ["store", () => unstorageStore({})],
  ["checkpointer", () => new WorkflowCheckpointer(new Workflow(), 3)],
])("options of a wrong kind are refused: %s", async (_, call) => {
  const error = await failure(async () => call());
  expect(error).toBeInstanceOf(ValidationError);
  expect((error as ValidationError).code).toBe("INVALID_OPTION");
});
