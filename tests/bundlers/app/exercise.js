// What every bundle and every route runs: a bit of each part of the package, with plain data as outcome. It knows no runtime.
import {
  HumanResponseEvent,
  NestedEvent,
  RecoverError,
  StartEvent,
  StopEvent,
  TimeoutError,
  Workflow,
  WorkflowEvent,
} from "stepstream";
import { models } from "./models.js";
import { unnamed } from "./unnamed.js";

class DraftEvent extends WorkflowEvent {
  static type = "draft";
}
class WordEvent extends WorkflowEvent {
  static type = "word";
}
class ApprovalEvent extends HumanResponseEvent {
  static type = "approval";
}

/** Two steps: one streams what it writes, the other waits for a person. */
const workflow = new Workflow({ name: "letters", timeout: null });
workflow.addStep({ inputs: [StartEvent], outputs: [DraftEvent], name: "draft" }, async (context, event) => {
  for (const word of event.data.split(" ")) {
    await context.sleep(0.001);
    context.writeEventToStream(new WordEvent(word));
  }
  context.store.set("letters", event.data.length);
  return new DraftEvent({ text: event.data, at: new Date(0) });
});
workflow.addStep({ inputs: [DraftEvent], outputs: [StopEvent], name: "approve" }, async (context, draft) => {
  const approval = await context.requireEvent(ApprovalEvent);
  return new StopEvent([draft instanceof DraftEvent, draft.data, context.store.get("letters"), approval.data]);
});

const kinds = { start: StartEvent, word: WordEvent, draft: DraftEvent, approval: ApprovalEvent, stop: StopEvent };

/** A minifier has renamed the classes: what an event is must not depend on that. */
const kindOf = (event) => Object.keys(kinds).find((kind) => event instanceof kinds[kind]);

/** Takes a run up and answers it; gives the result with its dates as numbers. */
async function answer(snapshot, word) {
  const run = workflow.recover(snapshot);
  run.sendEvent(new ApprovalEvent(word));
  const [isDraft, { text, at }, letters, approval] = (await run).data;
  return [isDraft, text, at instanceof Date, letters, approval];
}

/** What is known of an error by its class, its code and its name. */
const facts = (error, Class) => [error instanceof Class, error.code, error.name];

async function timedOut() {
  const slow = new Workflow({ timeout: 0.005 });
  slow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async ({ sleep }) => void (await sleep(10)));
  return slow.run().then(
    () => "not in time",
    (error) => facts(error, TimeoutError),
  );
}

/** What comes out of a nested run carries its slot. */
async function nested() {
  const outer = new Workflow();
  const inner = new Workflow();
  inner.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, (_, event) => new StopEvent(event.data * 2));
  outer.addWorkflows({ inner });
  outer.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async ({ workflows }, event) => {
    return new StopEvent((await workflows.inner.run(event.data)).data);
  });
  const run = outer.run(21);
  let slots = 0;
  for await (const event of run) if (event instanceof NestedEvent) slots += 1;
  return [(await run).data, slots > 0];
}

function refused(bytes) {
  try {
    workflow.recover(bytes);
    return "taken up";
  } catch (error) {
    return facts(error, RecoverError);
  }
}

/**
 * @param snapshot A snapshot of this workflow from another bundle, as numbers; none if it is undefined.
 * @param baseURL Where a model is; none if it is undefined.
 * @returns What happened, and a snapshot of this bundle.
 */
export async function exercise({ snapshot, baseURL } = {}) {
  const run = workflow.run("three short words");
  const streamed = [];
  for await (const event of run) {
    streamed.push(kindOf(event));
    if (event instanceof DraftEvent) break;
  }
  await run.idle();
  const status = run.status;
  const frozen = run.snapshot();
  run.cancel();
  await run.then(null, () => undefined);
  return {
    streamed,
    status,
    recovered: await answer(frozen, "here"),
    foreign: snapshot && (await answer(Uint8Array.from(snapshot), "elsewhere")),
    refused: refused(frozen.subarray(0, -1)),
    timedOut: await timedOut(),
    nested: await nested(),
    unnamed: await unnamed(),
    models: baseURL && (await models(baseURL)),
    snapshot: [...frozen],
  };
}
