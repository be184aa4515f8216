// The types of a store whose state has a schema.

import {
  type HandlerContext,
  type NoSlots,
  StartEvent,
  type StatePath,
  type StateValue,
  StopEvent,
  type Store,
  type StoreOf,
  type TypedStore,
  Workflow,
  type WorkflowDescription,
  type WorkflowOptions,
} from "stepstream";
import type { StandardSchema } from "stepstream/llm";
import { type Equal, expectType, expectValue } from "./helpers.js";

interface State {
  count: number;
  user?: { name: string; born: Date } | undefined;
  items: { id: number; tags: string[] }[];
  byName: Record<string, { n: number }>;
}

declare const schema: StandardSchema<{ count?: number }, State>;

// Inferred from the schema.
const inferred = new Workflow({ state: schema });
inferred.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async ({ store }) => {
  expectValue<TypedStore<State>>()(store);
  const count = store.get("count");
  expectValue<number>()(count);
  const name = store.get("user.name");
  expectValue<string | undefined>()(name);
  const given = store.get("user.name", "nobody");
  expectValue<string>()(given);
  const item = store.get("items.0");
  expectValue<{ id: number; tags: string[] } | undefined>()(item);
  const id = store.get("items.0.id");
  expectValue<number | undefined>()(id);
  const n = store.get("byName.someone.n");
  expectValue<number | undefined>()(n);
  store.set("count", 2);
  store.set("user", undefined);
  store.set("items.1.tags.0", "a");
  const next = store.edit("count", (count) => count + 1);
  expectValue<number>()(next);
  const result = await store.edit(async (state) => {
    state.count += 1;
    state.items.push({ id: 1, tags: [] });
    // @ts-expect-error -- there is no such member.
    state.size = 1;
    return state.items.length;
  });
  expectValue<number>()(result);
  const all = store.toJSON();
  expectValue<State>()(all);
  // @ts-expect-error -- there is no such member.
  store.get("size");
  // @ts-expect-error -- a date has no dot paths.
  store.get("user.born.getTime");
  // @ts-expect-error -- it is a number.
  store.set("count", "two");
  // @ts-expect-error -- what is made of it is no number.
  store.edit("count", () => "two");
  // @ts-expect-error -- a member that must be there cannot be set to nothing.
  store.set("count", undefined);
  return new StopEvent();
});
inferred.catchError({ outputs: [StopEvent] }, ({ store }) => new StopEvent(store.get("count")));

// Named, beside the other types.
const named = new Workflow<{ model: string }, string, number, NoSlots, State>({ state: schema });
named.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, ({ store, data }, event) => {
  expectValue<string>()(data.model);
  expectValue<string>()(event.data);
  return new StopEvent(store.get("count"));
});
const nested = named.addWorkflows({ inferred });
nested.addStep({ inputs: [StartEvent] }, ({ store, workflows }) => {
  expectValue<TypedStore<State>>()(store);
  void workflows.inferred.run(0);
});

// Without its type, a schema still checks, and the store is the untyped one.
const untyped = new Workflow<unknown, string, string>({ state: schema });
untyped.addStep({ inputs: [StartEvent], outputs: [StopEvent<string>] }, async ({ store }) => {
  expectValue<Store>()(store);
  const count = await store.edit((state) => (state["count"] as number) + 1);
  expectValue<number>()(count);
  return new StopEvent(store.get<string>("name") ?? "");
});

expectType<Equal<StoreOf<unknown>, Store>>();
expectType<Equal<StatePath<{ a: { b: 1 } }>, "a" | "a.b">>();
expectType<Equal<StateValue<{ a: { b: 1 } }, "a.b">, 1>>();

// A type that contains itself has paths, too.
interface Tree {
  value: number;
  left?: Tree;
}
declare const tree: TypedStore<Tree>;
expectValue<number | undefined>()(tree.get("left.left.value"));

// A handler of its own names the state of its workflow.
const handler = ({ store }: HandlerContext<unknown, NoSlots, State>): number => store.get("count");
void handler;

// @ts-expect-error -- it is no schema.
const wrong: WorkflowOptions = { state: { type: "object" } };
void wrong;

// What a workflow is made of is plain data.
const description: WorkflowDescription = inferred.describe();
const [step] = description.steps;
expectValue<string | undefined>()(step?.name);
if (step?.retry?.kind === "policy" && step.retry.wait.kind === "fixed") {
  expectValue<number | null>()(step.retry.wait.seconds);
}
inferred.validate({ skip: ["UNREACHABLE_STEP", "DEAD_END"] });
// @ts-expect-error -- no workflow has such an issue.
inferred.validate({ skip: ["RUN_TIMEOUT"] });
// @ts-expect-error -- a class that is not of events.
inferred.addStep({ inputs: [StartEvent], waitsFor: [Date] }, () => undefined);
inferred.addStep({ inputs: [StartEvent], waitsFor: [StopEvent] }, (context) => {
  expectValue<Error | undefined>()(context.lastError);
  expectValue<number>()(context.elapsed);
  // @ts-expect-error -- a buffer is a text.
  context.collectEvents(new StartEvent(), [StartEvent], { buffer: 7 });
});
