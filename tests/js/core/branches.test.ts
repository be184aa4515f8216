// `with`: independent runs with the same start event, and no run that the program did not ask for.

import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { expect, test } from "vitest";
import "../kit/fake-clock.js";
import { collect, kinds, soon, turn } from "../kit/index.js";

class Note extends WorkflowEvent<string> {}

function counted(): { workflow: Workflow<string, string, string>; runs: string[] } {
  const runs: string[] = [];
  const workflow = new Workflow<string, string, string>();
  workflow.addStep({ inputs: [StartEvent<string>] }, async ({ data }, event) => {
    runs.push(data);
    return new StopEvent(`${event.data} ${data}`);
  });
  return { workflow, runs };
}

test("run(x).with(d) runs once", async () => {
  const { workflow, runs } = counted();
  const stop = await soon(workflow.run("x").with("d"));
  await turn();
  expect(stop.data).toBe("x d");
  expect(runs).toEqual(["d"]);
});

test("run(x).with(d) runs once when it is not awaited", async () => {
  const { workflow, runs } = counted();
  workflow.run("x").with("d");
  await turn();
  expect(runs).toEqual(["d"]);
});

test("two branches and the run they came from may all be awaited", async () => {
  const { workflow, runs } = counted();
  const context = workflow.run("x", "own");
  const [a, b] = [context.with("a"), context.with("b")];
  const stops = await soon(Promise.all([a, b, context]));
  expect(stops.map(({ data }) => data)).toEqual(["x a", "x b", "x own"]);
  expect([...runs].sort()).toEqual(["a", "b", "own"]);
});

test("branches share the start event, and have ids, streams and stores of their own", async () => {
  const workflow = new Workflow<string, string, string>();
  workflow.addStep({ inputs: [StartEvent<string>] }, async ({ data, store }) => {
    store.set("data", data);
    return new Note(data);
  });
  workflow.addStep({ inputs: [Note] }, (_, { data }) => new StopEvent(data));
  const context = workflow.run("x", "own");
  const branches = [context.with("a"), context.with("b")];
  const streams = await soon(Promise.all(branches.map((branch) => collect(branch))));
  expect(streams[0]!.events[0]).toBe(streams[1]!.events[0]);
  expect(streams.map(({ events }) => (events[1] as Note).data)).toEqual(["a", "b"]);
  expect(branches.map(({ store }) => store.get("data"))).toEqual(["a", "b"]);
  expect(new Set([context, ...branches].map(({ runId }) => runId)).size).toBe(3);
  expect(context.status).toBe("created");
});

test("a branch of a branch runs once, and its template does not", async () => {
  const { workflow, runs } = counted();
  const stop = await soon(workflow.run("x").with<string>("a").with("b"));
  await turn();
  expect(stop.data).toBe("x b");
  expect(runs).toEqual(["b"]);
});

test("a branch taken from a run that has ended runs the start event again", async () => {
  const { workflow, runs } = counted();
  const context = workflow.run("x", "first");
  await soon(context);
  expect((await soon(context.with("second"))).data).toBe("x second");
  expect(runs).toEqual(["first", "second"]);
  expect((await context).data).toBe("x first");
});

test("cancelling one branch leaves the other alone", async () => {
  const { workflow, runs } = counted();
  const context = workflow.run("x");
  const [a, b] = [context.with("a"), context.with("b")];
  a.cancel();
  expect((await soon(b)).data).toBe("x b");
  expect(a.status).toBe("cancelled");
  expect(runs).toEqual(["b"]);
});

test("data is what was given to run or with", async () => {
  const { workflow } = counted();
  const context = workflow.run("x", "own");
  expect(context.data).toBe("own");
  expect(context.with("other").data).toBe("other");
  expect(kinds((await soon(collect(context))).events)).toEqual(["StartEvent", "StopEvent"]);
});
