// The types of snapshots, recovery, journals and `once`.

import {
  type RecoverOptions,
  Replay,
  StartEvent,
  StopEvent,
  Workflow,
  WorkflowContext,
  inspectSnapshot,
} from "stepstream";
import { type Equal, expectType, expectValue } from "./helpers.js";

interface Data {
  readonly llm: string;
}
const workflow = new Workflow<Data, string, number>();
const context = workflow.run("x", { llm: "" });

// Snapshots.
expectValue<Uint8Array>()(context.snapshot());
expectValue<Uint8Array>()(context.snapshot({ data: true }));
// @ts-expect-error -- there is no such option.
context.snapshot({ store: true });

// What goes on keeps the workflow's types.
const recovered = workflow.recover(context.snapshot());
expectType<Equal<typeof recovered, WorkflowContext<Data, string, number>>>();
workflow.recover(new ArrayBuffer(8));
workflow.recover(new Uint8Array(8), { migrate: true, journal: true, timeout: null, runId: "a" });
// @ts-expect-error -- text is not bytes.
workflow.recover("bytes");
// @ts-expect-error -- a run that goes on has the store that it had.
workflow.recover(new Uint8Array(8), { context });
const options: RecoverOptions = {};
workflow.recover(new Uint8Array(8), options);

async function goOn(): Promise<void> {
  expectValue<number>()((await recovered.with({ llm: "" })).data);
  expectValue<number>()((await recovered.fork()).data);
  // @ts-expect-error -- the data is that of the workflow.
  recovered.with({ llm: 1 });
}

// Journals.
expectType<Equal<ReturnType<typeof context.fork>, WorkflowContext<Data, string, number>>>();
expectValue<Uint8Array>()(context.journal());
expectValue<Uint8Array>()(context.journal({ stream: false }));
expectValue<AsyncIterableIterator<Uint8Array>>()(context.journal({ stream: true }));
const past = workflow.replay(context.journal(), { until: ({ ticks, waits }) => ticks > 3 || waits.length > 0 });
expectType<Equal<typeof past, Replay>>();
expectValue<boolean>()(past.next());
expectValue<Uint8Array>()(past.snapshot());
expectValue<string | undefined>()(past.inFlight[0]?.step);
// @ts-expect-error -- neither a number nor a function.
workflow.replay(context.journal(), { until: "end" });

// Once.
workflow.addStep({ inputs: [StartEvent<string>], outputs: [StopEvent<number>] }, async ({ once }, event) => {
  expectValue<number>()(await once("sync", () => event.data.length));
  expectValue<string>()(await once("async", async () => event.data));
  // @ts-expect-error -- a key is a text.
  await once(1, () => 1);
  // @ts-expect-error -- there is something to do.
  await once("key");
  return new StopEvent(await once("key", () => Promise.resolve(1)));
});

// Classes and values.
new Workflow({
  events: [StartEvent],
  types: {
    Url: {
      encode: (value) => (value instanceof URL ? value.href : undefined),
      decode: (href: string) => new URL(href),
    },
  },
});
expectValue<string>()(workflow.fingerprint);

export { goOn };

// What a snapshot says without its workflow.
const info = inspectSnapshot(new Uint8Array());
expectValue<bigint>()(info.sequence);
expectValue<string>()(info.fingerprint);
expectValue<string | undefined>()(info.runId);
expectValue<Readonly<Record<string, number>>>()(info.sizes);
expectValue<"signed" | "encrypted" | undefined>()(info.sealed);
inspectSnapshot(new ArrayBuffer(8));
// @ts-expect-error a snapshot is bytes
inspectSnapshot("text");
