// Runs: what `run` takes and what comes out, typed by the workflow's parameters.
import {
  type CompletedStep,
  type Limits,
  type PausedStep,
  type RunOptions,
  type RunStatus,
  type RunWithoutData,
  StartEvent,
  type StepFailure,
  type StepHook,
  StopEvent,
  type Store,
  type ValidationIssue,
  Workflow,
  WorkflowContext,
  WorkflowEvent,
  type WorkflowOptions,
} from "stepstream";
import { type Equal, type IsAny, expectType, expectValue } from "./helpers.js";

interface Data {
  readonly model: string;
}
const workflow = new Workflow<Data, { topic: string }, string>({ name: "jokes", timeout: 60, verbose: false });

// The input is what the start event carries, or a start event with it.
const context = workflow.run({ topic: "pirates" }, { model: "small" });
expectValue<WorkflowContext<Data, { topic: string }, string>>()(context);
workflow.run(new StartEvent({ topic: "pirates" }));
class Topic extends StartEvent<{ topic: string }> {}
workflow.run(new Topic({ topic: "pirates" }), { model: "small" });
// @ts-expect-error -- another input.
workflow.run("pirates");
// @ts-expect-error -- a start event with other data.
workflow.run(new StartEvent("pirates"));
// @ts-expect-error -- no input, and the start event needs one.
workflow.run();
// @ts-expect-error -- other data.
workflow.run({ topic: "pirates" }, { model: 1 });
// @ts-expect-error -- an unknown option.
workflow.run({ topic: "pirates" }, undefined, { time: 1 });

// `await` gives the stop event; so do the other ways of promises.
async function wait(): Promise<void> {
  const stop = await context;
  expectValue<StopEvent<string>>()(stop);
  expectValue<string>()(stop.data);
  expectValue<string>()((await workflow.run({ topic: "" }).with({ model: "" })).data);
  const [first, second] = await Promise.all([context, Promise.resolve(1 as number)]);
  expectValue<StopEvent<string>>()(first);
  expectValue<number>()(second);
  expectValue<StopEvent<string>>()(await Promise.race([context]));
  expectValue<number>()(await context.then(({ data }) => data.length));
  expectValue<StopEvent<string> | null>()(await context.catch(() => null));
  expectValue<StopEvent<string>>()(await context.finally(() => {}));
  expectValue<void>()(await context.idle());
}
const _returned = async () => context;
expectType<Equal<Awaited<ReturnType<typeof _returned>>, StopEvent<string>>>();
const promiseLike: PromiseLike<StopEvent<string>> = context;

// The rest of its face.
expectValue<string>()(context.runId);
expectValue<Data>()(context.data);
expectValue<Store>()(context.store);
expectValue<RunStatus>()(context.status);
expectValue<string | undefined>()(context.result);
expectValue<StepFailure | undefined>()(context.failure);
expectType<Equal<RunStatus, "created" | "running" | "sleeping" | "waiting" | "completed" | "failed" | "cancelled">>();
context.sendEvent(new StopEvent("x"), { step: "tell" });
context.cancel();
context.cancel(new Error("why"));
// @ts-expect-error -- not an event.
context.sendEvent({ data: 1 });
// @ts-expect-error -- a run's data does not change.
context.data = { model: "" };
// @ts-expect-error -- runs are made by `run`.
new WorkflowContext();

async function loops(): Promise<void> {
  for await (const event of context) expectValue<WorkflowEvent>()(event);
  for await (const event of context.stream()) expectValue<unknown>()(event.data);
  for await (const paused of context.stepwise()) {
    expectValue<PausedStep>()(paused);
    expectValue<WorkflowEvent>()(paused.input);
    expectValue<readonly WorkflowEvent[]>()(paused.inputs);
    expectValue<WorkflowEvent | undefined>()(paused.output);
    paused.replace(new StopEvent(1));
    paused.replace(undefined);
    // @ts-expect-error -- not an event.
    paused.replace("text");
  }
}

// `with` takes what the workflow asks for, or more.
expectValue<string>()(context.with({ model: "small", extra: 1 }).data.model);
expectValue<number>()(context.with({ model: "small", extra: 1 as number }).data.extra);
// A later `with` may give another value: the first is no type.
expectValue<string>()(new Workflow<string>().run(1).with("a").with("b").data);
expectValue<"fast" | "good">()(new Workflow<"fast" | "good">().run(1).with("fast").with("good").data);
const moded = new Workflow<{ readonly mode: "fast" | "good" }>().run(1);
expectValue<"fast" | "good">()(moded.with({ mode: "fast" }).with({ mode: "good" }).data.mode);
expectValue<string>()(new Workflow().run(1).with("a").with("b").data);
// Where the workflow asks for nothing, what was given is known.
expectValue<number>()(new Workflow().run(1).with({ size: 1 as number }).data.size);
// @ts-expect-error -- something is missing.
context.with({ extra: 1 });
// @ts-expect-error -- something is of another kind.
context.with({ model: 1 });

// A run of a workflow that needs data, and got none, lacks its data: `with` makes it whole, and until then it cannot be used.
const lacking = workflow.run({ topic: "pirates" });
expectValue<RunWithoutData<Data, { topic: string }, string>>()(lacking);
expectValue<RunWithoutData<Data, { topic: string }, string>>()(workflow.run({ topic: "" }, undefined, { timeout: 1 }));
expectValue<RunWithoutData<Data, { topic: string }, string>>()(workflow.run({ topic: "" }, {} as Data | undefined));
expectValue<WorkflowContext<Data, { topic: string }, string>>()(lacking.with({ model: "small" }));
expectValue<number>()(lacking.with({ model: "small", extra: 1 as number }).data.extra);
expectValue<string>()(lacking.runId);
expectValue<RunStatus>()(lacking.status);
expectValue<Store>()(lacking.store);
lacking.cancel("why");
lacking.dispose();
// @ts-expect-error -- something is missing.
lacking.with({});
// @ts-expect-error -- there is no data to read.
void lacking.data;
// @ts-expect-error -- it cannot be started.
lacking.start();
// @ts-expect-error -- it cannot be sent an event.
lacking.sendEvent(new StopEvent("x"));
// @ts-expect-error -- it has no stream.
lacking.stream();
// @ts-expect-error -- it cannot be waited for.
lacking.then(({ data }: StopEvent<string>) => data);
// @ts-expect-error -- it is no run.
const _whole: WorkflowContext<Data, { topic: string }, string> = lacking;
// @ts-expect-error -- it is no promise.
const _promise: PromiseLike<StopEvent<string>> = lacking;
async function lacks(): Promise<void> {
  // @ts-expect-error -- it cannot be awaited.
  await lacking;
  // @ts-expect-error -- nor at the place where it is made.
  await workflow.run({ topic: "pirates" });
  // @ts-expect-error -- it cannot be iterated.
  for await (const event of lacking) void event;
}
// A run serves wherever one without data does.
const either: RunWithoutData<Data, { topic: string }, string> = context;
expectValue<WorkflowContext<Data, { topic: string }, string>>()(either.with({ model: "small" }));

// Data that may be left out: of no type, of one that allows undefined, `any`.
async function leavesOut(): Promise<void> {
  expectValue<StopEvent<string>>()(await new Workflow<unknown, number, string>().run(1));
  expectValue<StopEvent<string>>()(await new Workflow<Data | undefined, number, string>().run(1));
  expectValue<StopEvent<string>>()(await new Workflow<undefined, number, string>().run(1));
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a program in the middle of its migration has.
  expectValue<StopEvent<string>>()(await new Workflow<any, number, string>().run(1));
  for await (const event of new Workflow<Data | undefined, number, string>().run(1))
    expectValue<WorkflowEvent>()(event);
}

// A class that is generic in all of it adds its steps and makes its runs.
class Generic<Given, In, Out> extends Workflow<Given, In, Out> {
  constructor(make: (input: In) => Out) {
    super();
    this.addStep({ inputs: [StartEvent<In>], outputs: [StopEvent<Out>] }, (_, { data }) => new StopEvent(make(data)));
    this.catchError({ outputs: [StopEvent<Out>] }, () => undefined);
  }
  async resume(snapshot: Uint8Array, data: Given): Promise<Out> {
    return (await this.recover(snapshot).with(data)).data;
  }
}
expectValue<StopEvent<number>>()(await new Generic<Data, string, number>(Number).run("1", { model: "" }));
// A subclass may have a `run` of its own, that gives a run.
class Own extends Workflow<Data, string, number> {
  override run(input: string | StartEvent<string>): WorkflowContext<Data, string, number> {
    return super.run(input, { model: "small" });
  }
}
expectValue<StopEvent<number>>()(await new Own().run("1"));

// A store that goes on in another run, whatever the types of the first.
workflow.run({ topic: "" }, { model: "" }, { context, runId: "a", signal: AbortSignal.timeout(1), timeout: null });
workflow.run({ topic: "" }, undefined, { context: new Workflow<string, number, Date>().run(1, "a") });
// @ts-expect-error -- a store is not a run.
workflow.run({ topic: "" }, undefined, { context: context.store });

// The store.
expectValue<unknown>()(context.store.get("a"));
expectValue<number | undefined>()(context.store.get<number>("a"));
expectValue<number>()(context.store.get<number>("a", 0));
expectValue<number>()(context.store.edit<number>("a", (calls = 0) => calls + 1));
expectValue<boolean>()(context.store.has("a"));
expectValue<Record<string, unknown>>()(context.store.toJSON());
expectType<Equal<IsAny<ReturnType<Store["get"]>>, false>>();

// Options.
const hook: StepHook = (completed, run) => {
  expectValue<CompletedStep>()(completed);
  expectValue<number>()(completed.sequence);
  expectValue<WorkflowEvent | undefined>()(completed.output);
  expectValue<string>()(run.runId);
};
const later: StepHook = async () => {};
const limits: Limits = { steps: 10, unreadEvents: 10, keptEvents: 10 };
const options: WorkflowOptions = { maxConcurrentRuns: 2, limits, onStep: hook, timeout: null };
const runOptions: RunOptions = { onStep: later, timeout: 1 };
new Workflow(options).run(1, 2, runOptions);
// @ts-expect-error -- a string is not a duration.
new Workflow({ timeout: "60" });

// The workflow's own face.
expectValue<ValidationIssue[]>()(workflow.validate());
expectValue<string | undefined>()(workflow.validate()[0]?.step);
expectValue<typeof workflow>()(workflow.strict());
expectValue<readonly string[]>()(workflow.stepNames);
expectValue<boolean>()(workflow.hasStep("tell"));

// Without parameters everything is `unknown`, and nothing `any`.
const untyped = new Workflow();
expectType<Equal<Parameters<typeof untyped.run>[0], unknown>>();
async function bare(): Promise<void> {
  expectValue<unknown>()((await untyped.run("x")).data);
  expectValue<unknown>()(untyped.run("x").data);
}
untyped.addStep({ inputs: [StartEvent] }, ({ data }, event) => {
  expectValue<unknown>()(data);
  expectValue<unknown>()(event.data);
});

// A start event without data needs no input.
new Workflow<Data, undefined, string>().run(undefined);
export { bare, lacks, leavesOut, loops, promiseLike, wait };
