// The types of lifecycle events: a union that `kind` tells apart.
import {
  type LifecycleAttempt,
  type LifecycleData,
  type LifecycleError,
  LifecycleEvent,
  type LifecycleKind,
  type LifecycleScope,
  StartEvent,
  StopEvent,
  Workflow,
  WorkflowEvent,
  observe,
} from "stepstream";
import { type Equal, expectType, expectValue } from "./helpers.js";

const workflow = new Workflow<{ readonly model: string }, string, number>();
workflow.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<number>] }, () => new StopEvent(1));
const run = workflow.run("x", { model: "" });

// Any run can be observed, whatever its types are.
expectValue<() => void>()(observe(run, (event) => expectValue<LifecycleEvent>()(event)));
observe(workflow.recover(new Uint8Array(8)), () => {});
observe(new Workflow().run("x"), async () => {});
// @ts-expect-error -- a workflow is no run.
observe(workflow, () => {});
// @ts-expect-error -- an observer gets one event.
observe(run, (event: LifecycleEvent, other: string) => other);

// The kind says what else is there.
observe(run, ({ data }) => {
  expectType<Equal<typeof data.kind, LifecycleKind>>();
  expectValue<number>()(data.time);
  expectValue<readonly LifecycleScope[] | undefined>()(data.nested);
  // @ts-expect-error -- not every kind has a step.
  void data.step;
  switch (data.kind) {
    case "step.queued":
      expectValue<readonly string[]>()(data.causes);
      // @ts-expect-error -- no attempt has begun.
      void data.attempt;
      break;
    case "step.started":
    case "step.succeeded": {
      const attempt: LifecycleAttempt = data;
      expectValue<number>()(attempt.attempt);
      break;
    }
    case "step.retrying":
      expectValue<number>()(data.delay);
      expectValue<LifecycleError>()(data.error);
      expectValue<string | undefined>()(data.error.code);
      break;
    case "step.waiting":
      expectValue<string | undefined>()(data.event);
      expectValue<number | undefined>()(data.delay);
      break;
    case "event.sent":
      expectValue<string>()(data.event);
      expectValue<string | undefined>()(data.invocation);
      break;
    case "run.ended":
      expectType<Equal<typeof data.outcome, "completed" | "failed" | "cancelled">>();
      break;
    // @ts-expect-error -- there is no such kind.
    case "step.ended":
      break;
    default:
  }
});
expectType<Equal<LifecycleData["kind"], LifecycleKind>>();
const failed = (data: LifecycleData<"step.failed">): string => `${data.step}: ${data.error.message}`;
failed({ kind: "step.failed", time: 0, step: "a", invocation: "0", attempt: 1, error: { name: "", message: "" } });
// @ts-expect-error -- the data of another kind.
failed({ kind: "step.started", time: 0, step: "a", invocation: "0", attempt: 1 });

// In the stream they are among the other events.
async function read(): Promise<void> {
  for await (const event of run.stream({ lifecycle: true })) {
    expectValue<WorkflowEvent>()(event);
    if (event instanceof LifecycleEvent && event.data.kind === "event.kept") expectValue<string>()(event.data.event);
  }
  run.stream({ lifecycle: undefined });
  // @ts-expect-error -- there is no such option.
  run.stream({ events: true });
  const past = workflow.replay(run.journal(), { lifecycle: true });
  expectValue<readonly LifecycleEvent[]>()(past.lifecycle);
}
void read;
