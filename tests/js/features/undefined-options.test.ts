// An option that is undefined was left out, whatever takes it: the default counts, and nothing is overridden.

import {
  type HandlerContext,
  HumanResponseEvent,
  StartEvent,
  StopEvent,
  Workflow,
  openSnapshot,
  retryPolicy,
  sealSnapshot,
  waitExponential,
  waitIncrementing,
  waitRandom,
} from "stepstream";
import { type AgentStepInput, AgentWorkflow, BaseAgent, ReActAgent, callTool, tool } from "stepstream/agents";
import { WorkflowCheckpointer } from "stepstream/checkpointer";
import { memoryStore } from "stepstream/stores";
import { expect, test } from "vitest";
import { ScriptedModel } from "../agents/kit.js";
import { soon } from "../kit/index.js";

class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}

const nothing = {
  name: undefined,
  timeout: undefined,
  verbose: undefined,
  maxConcurrentRuns: undefined,
  limits: undefined,
  onStep: undefined,
  events: undefined,
  types: undefined,
};
const noParameters = { name: undefined, numWorkers: undefined, retry: undefined, timeout: undefined };
const noRunOptions = {
  runId: undefined,
  signal: undefined,
  context: undefined,
  timeout: undefined,
  onStep: undefined,
  journal: undefined,
};

const length = (): Workflow<unknown, string, number> =>
  new Workflow<unknown, string, number>(nothing)
    .addStep(
      { inputs: [StartEvent], outputs: [StopEvent], override: undefined, ...noParameters },
      (_, { data }) => new StopEvent(data.length),
    )
    .catchError({ ...noParameters, outputs: undefined, steps: undefined, maxRecoveries: undefined }, () => undefined);

test("of a workflow, a step, an error handler and a run", async () => {
  const workflow = length();
  expect(workflow.name).toBe("Workflow");
  const run = workflow.run("text", undefined, noRunOptions);
  expect(run.runId).toMatch(/^[0-9a-f-]{36}$/);
  expect((await soon(run)).data).toBe(4);
});

test("of limits", async () => {
  const limits = { steps: undefined, unreadEvents: undefined, keptEvents: undefined };
  const workflow = new Workflow<unknown, string, string>({ limits }).addStep(
    { inputs: [StartEvent], outputs: [StopEvent] },
    (_, { data }) => new StopEvent(data),
  );
  expect((await soon(workflow.run("text"))).data).toBe("text");
});

test("an undefined timeout of a run is the workflow's", async () => {
  const workflow = new Workflow<unknown, string, string>({ timeout: 0.01 }).addStep(
    { inputs: [StartEvent], outputs: [StopEvent] },
    async ({ sleep }) => void (await sleep(3600)),
  );
  await expect(soon(workflow.run("text", undefined, { timeout: undefined }))).rejects.toMatchObject({
    code: "RUN_TIMEOUT",
  });
});

test("an undefined onStep of a run is the workflow's", async () => {
  const seen: string[] = [];
  const workflow = new Workflow<unknown, string, string>({ onStep: ({ step }) => seen.push(step) }).addStep(
    { inputs: [StartEvent], outputs: [StopEvent], name: "only" },
    (_, { data }) => new StopEvent(data),
  );
  await soon(workflow.run("text", undefined, { onStep: undefined }));
  expect(seen).toEqual(["only"]);
});

test("of a wait, an event that is sent, snapshots, recoveries, journals and replays", async () => {
  const workflow = new Workflow<unknown, string, string>().addStep(
    { inputs: [StartEvent], outputs: [StopEvent] },
    async ({ waitForEvent }) => {
      const options = { where: undefined, timeout: undefined, id: undefined, ask: undefined };
      return new StopEvent((await waitForEvent(Answer, options)).data);
    },
  );
  const run = workflow.run("text", undefined, { journal: true });
  await soon(run.idle());
  expect(run.status).toBe("waiting");
  const recovered = workflow.recover(run.snapshot({ data: undefined }), { ...noRunOptions, migrate: undefined });
  expect(recovered.runId).toBe(run.runId);
  for (const context of [run, recovered]) {
    context.sendEvent(new Answer("yes"), { step: undefined });
    expect((await soon(context)).data).toBe("yes");
  }
  const past = workflow.replay(run.journal({ stream: undefined }), { until: undefined });
  expect(past.status).toBe("ended");
});

test("of waits between attempts, and of a policy", () => {
  const none = { initial: undefined, factor: undefined, max: undefined };
  expect(waitExponential(none)).toEqual(waitExponential());
  expect(waitIncrementing({ initial: undefined, step: undefined, max: undefined })).toEqual(waitIncrementing());
  expect(waitRandom({ min: undefined, max: undefined })).toEqual(waitRandom());
  expect(retryPolicy({ retry: undefined, wait: undefined, stop: undefined })).toEqual(retryPolicy());
});

test("of seals", async () => {
  const workflow = length();
  const snapshot = workflow.run("text").snapshot();
  const key = "a secret of sixteen characters";
  const sealed = await sealSnapshot(snapshot, key, { encrypt: undefined });
  expect(await openSnapshot(sealed, key, { workflow: undefined })).toEqual(snapshot);
});

test("of tools", async () => {
  const add = tool({
    name: "add",
    description: undefined,
    parameters: undefined,
    returnDirect: undefined,
    timeout: undefined,
    needsApproval: undefined,
    once: undefined,
    strict: undefined,
    execute: () => "done",
  });
  const call = { id: "1", name: "add", arguments: "{}" };
  const result = await callTool([add], call, { signal: undefined, context: undefined });
  expect(result).toMatchObject({ id: "1", content: "done" });
});

test("of a checkpointer and its filter", async () => {
  const checkpointer = new WorkflowCheckpointer(length(), { store: undefined, steps: undefined, onError: undefined });
  await soon(checkpointer.run("text", undefined, noRunOptions));
  await checkpointer.flush();
  const all = await checkpointer.filter({ runId: undefined, step: undefined, input: undefined, output: undefined });
  expect(all.length).toBe(1);
  expect(await memoryStore().list(undefined)).toEqual([]);
});

const noAgentOptions = {
  name: undefined,
  description: undefined,
  systemPrompt: undefined,
  toolRetriever: undefined,
  canHandoffTo: undefined,
  chatOptions: undefined,
  streaming: undefined,
  timeout: undefined,
  maxIterations: undefined,
  earlyStopping: undefined,
  memory: undefined,
  initialState: undefined,
  statePrompt: undefined,
  outputSchema: undefined,
  maxParallelTools: undefined,
  retry: undefined,
};

test("of agents", async () => {
  const llm = new ScriptedModel(() => "Answer: done");
  const agent = new ReActAgent({ ...noAgentOptions, llm, tools: undefined, formatPrompt: undefined });
  expect(agent.name).toBe("agent");
  const { data } = await soon(agent.run({ message: "do", chatHistory: undefined, maxIterations: undefined }));
  expect(data.text).toBe("done");
  const team = new AgentWorkflow({
    ...noAgentOptions,
    agents: [agent],
    rootAgent: undefined,
    handoffPrompt: undefined,
  });
  expect((await soon(team.run("do"))).data.text).toBe("done");
  const one = AgentWorkflow.fromTools([], { ...noAgentOptions, llm: new ScriptedModel(["done"]), kind: undefined });
  expect((await soon(one.run("do"))).data.text).toBe("done");
});

test("an undefined option of a call does not hide the agent's own", async () => {
  class Careful extends BaseAgent {
    takeStep(context: HandlerContext, input: AgentStepInput) {
      return this.callModel(context, input, { temperature: undefined, maxTokens: 5 });
    }
  }
  const llm = new ScriptedModel(["done"]);
  await soon(new Careful({ llm, chatOptions: { temperature: 0.5, maxTokens: 100 } }).run("do"));
  expect(llm.last.options).toMatchObject({ temperature: 0.5, maxTokens: 5 });
});
