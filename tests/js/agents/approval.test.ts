// Calls of tools that need approval.

import { StartEvent, StopEvent, Workflow } from "stepstream";
import {
  AgentWorkflow,
  FunctionAgent,
  ToolApprovalRequest,
  ToolApprovalResponse,
  ToolCallResult,
  tool,
} from "stepstream/agents";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { failure, soon } from "../kit/index.js";
import { type Script, ScriptedModel, call, readAll, resultsIn } from "./kit.js";

interface Payment {
  readonly to: string;
  readonly pounds: number;
}

/** An agent that pays; what is paid is noted. */
function payer(
  paid: string[],
  script: Script,
  needsApproval: boolean | ((payment: Payment) => boolean) = true,
): { readonly agent: FunctionAgent; readonly llm: ScriptedModel } {
  const llm = new ScriptedModel(script);
  const pay = tool<Payment>({
    name: "pay",
    parameters: {
      type: "object",
      properties: { to: { type: "string" }, pounds: { type: "number" } },
      required: ["to"],
    },
    needsApproval,
    once: true,
    execute: ({ to, pounds }) => {
      paid.push(`${to} ${pounds}`);
      return "paid";
    },
  });
  return { agent: new FunctionAgent({ llm, tools: [pay] }), llm };
}

const pay = (to: string, pounds: number) => call("pay", { to, pounds }, to);

/** Whatever the position in a list of lines, so that a run that goes on elsewhere finds its line. */
const scriptOf =
  (...lines: Extract<Script, readonly unknown[]>): Script =>
  (messages) =>
    lines[messages.filter(({ role }) => role === "assistant").length]!;

test("the run asks, waits, and goes on when it is allowed", async () => {
  const paid: string[] = [];
  const { agent } = payer(paid, [{ calls: [pay("Ada", 5)] }, "Done."]);
  const run = agent.run("Pay Ada 5 pounds");
  const events = await readAll(run, (event) => {
    if (!(event instanceof ToolApprovalRequest)) return;
    expect([run.status, paid]).toEqual(["waiting", []]);
    expect(event.data).toEqual({
      agent: "agent",
      iteration: 1,
      id: "Ada",
      name: "pay",
      arguments: '{"to":"Ada","pounds":5}',
    });
    run.sendEvent(new ToolApprovalResponse({ id: event.data.id, approved: true }));
  });
  expect(paid).toEqual(["Ada 5"]);
  expect(events.filter((event) => event instanceof ToolApprovalRequest)).toHaveLength(1);
  expect((await run).data.text).toBe("Done.");
});

test("the model learns of a refusal, with the reason", async () => {
  const paid: string[] = [];
  const { agent, llm } = payer(paid, [{ calls: [pay("Ada", 5)] }, { calls: [pay("Bob", 5)] }, "Pity."]);
  const run = agent.run("Pay");
  await readAll(run, (event) => {
    if (!(event instanceof ToolApprovalRequest)) return;
    const { id } = event.data;
    run.sendEvent(new ToolApprovalResponse({ id, approved: false, ...(id === "Ada" ? { reason: "Too much." } : {}) }));
  });
  expect(paid).toEqual([]);
  expect(resultsIn(llm.last.messages)).toEqual([
    { text: "The user did not allow this call, and it was not made. The reason is: Too much.", isError: true },
    { text: "The user did not allow this call, and it was not made.", isError: true },
  ]);
  expect((await run).data.text).toBe("Pity.");
});

test("several calls ask at the same time, and each gets its own answer", async () => {
  const paid: string[] = [];
  const { agent, llm } = payer(paid, [{ calls: [pay("Ada", 1), pay("Bob", 2), pay("Eve", 3)] }, "Done."]);
  const run = agent.run("Pay them").start();
  await run.idle();
  // In another order than they were asked in.
  run.sendEvent(new ToolApprovalResponse({ id: "Eve", approved: false }));
  run.sendEvent(new ToolApprovalResponse({ id: "Bob", approved: true }));
  run.sendEvent(new ToolApprovalResponse({ id: "nobody", approved: true }));
  run.sendEvent(new ToolApprovalResponse({ id: "Ada", approved: true }));
  const { data } = await soon(run);
  expect(paid.sort()).toEqual(["Ada 1", "Bob 2"]);
  expect(resultsIn(llm.last.messages).map(({ isError }) => isError)).toEqual([false, false, true]);
  expect(data.toolCalls.map(({ id }) => id)).toEqual(["Ada", "Bob", "Eve"]);
});

test("whether to ask may depend on the arguments; when that cannot be decided, the call is not made", async () => {
  const paid: string[] = [];
  const { agent, llm } = payer(
    paid,
    [{ calls: [pay("Ada", 5), pay("Bob", 500), pay("Eve", -1)] }, "Done."],
    ({ pounds }) => {
      if (pounds < 0) throw new Error("no such sum");
      return pounds > 100;
    },
  );
  const run = agent.run("Pay");
  const asked: string[] = [];
  await readAll(run, (event) => {
    if (!(event instanceof ToolApprovalRequest)) return;
    asked.push(event.data.id);
    run.sendEvent(new ToolApprovalResponse({ id: event.data.id, approved: true }));
  });
  expect([asked, paid]).toEqual([["Bob"], ["Ada 5", "Bob 500"]]);
  expect(resultsIn(llm.last.messages)[2]).toEqual({ text: "Error: no such sum", isError: true });
});

test("no approval is asked for a call with wrong arguments", async () => {
  const { agent, llm } = payer([], [{ calls: [call("pay", { pounds: 5 })] }, "Done."]);
  const events = await readAll(agent.run("Pay"));
  expect(events.some((event) => event instanceof ToolApprovalRequest)).toBe(false);
  expect(resultsIn(llm.last.messages)[0]?.text).toContain("to: is missing");
});

test("open questions survive snapshots, one after the other, in workflows made anew", async () => {
  const paid: string[] = [];
  const make = (): AgentWorkflow =>
    payer(paid, scriptOf({ calls: [pay("Ada", 1), pay("Bob", 2)] }, "Done.")).agent.workflow;
  const run = make().run("Pay them").start();
  await run.idle();
  const first = run.snapshot();
  run.cancel();

  const second = make().recover(first);
  second.sendEvent(new ToolApprovalResponse({ id: "Bob", approved: true }));
  await second.idle();
  const bytes = second.snapshot();
  second.cancel();

  const third = make().recover(bytes);
  const events = await readAll(third, (event) => {
    if (event instanceof ToolApprovalRequest && event.data.id === "Ada") {
      third.sendEvent(new ToolApprovalResponse({ id: "Ada", approved: false }));
    }
  });
  expect(
    events.filter((event) => event instanceof ToolCallResult).map(({ data }) => [data.id, data.isError]),
  ).toContainEqual(["Ada", true]);
  const { data } = await soon(third);
  expect([data.text, paid]).toEqual(["Done.", ["Bob 2"]]);
});

test("an answer that says nothing is not one", async () => {
  const paid: string[] = [];
  const { agent } = payer(paid, [{ calls: [pay("Ada", 5)] }, "Done."]);
  const run = agent.run("Pay Ada");
  await readAll(run, (event) => {
    if (!(event instanceof ToolApprovalRequest)) return;
    run.sendEvent(new ToolApprovalResponse(undefined as never));
    run.sendEvent(new ToolApprovalResponse({ id: event.data.id, approved: true }));
  });
  expect((await run).data.text).toBe("Done.");
  expect(paid).toEqual(["Ada 5"]);
});

test("questions of an agent in a slot are answered through the workflow around it, also after a recovery", async () => {
  const paid: string[] = [];
  const around = () => {
    const { agent } = payer(paid, scriptOf({ calls: [pay("Ada", 5), pay("Grace", 7)] }, "Done."));
    const workflow = new Workflow<undefined, string, string>({ events: [ToolApprovalRequest, ToolApprovalResponse] });
    const withAgent = workflow.addWorkflows({ payer: agent.workflow });
    withAgent.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<string>] }, async (context, { data }) => {
      const nested = context.workflows.payer.run(data);
      const handOn = async (): Promise<never> => {
        for (;;) nested.sendEvent(await context.waitForEvent(ToolApprovalResponse));
      };
      handOn().catch(() => undefined);
      return new StopEvent((await nested).data.text);
    });
    return withAgent;
  };
  let run = around().run("Pay them");
  await soon(run.idle());
  for (const id of ["Ada", "Grace"]) {
    const bytes = run.snapshot();
    run.cancel();
    await failure(run);
    run = around().recover(bytes);
    run.sendEvent(new ToolApprovalResponse({ id, approved: true }));
    if (id === "Ada") await soon(run.idle());
  }
  expect((await soon(run)).data).toBe("Done.");
  expect(paid.sort()).toEqual(["Ada 5", "Grace 7"]);
});
