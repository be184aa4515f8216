// Runs as bytes: snapshot, recover, replay, fork, seal, checkpoints and stores.

import {
  RecoverError,
  SnapshotError,
  StartEvent,
  StopEvent,
  StreamReset,
  Workflow,
  decodeEvent,
  encodeEvent,
  inspectSnapshot,
  openSnapshot,
  sealSnapshot,
} from "stepstream";
import { WorkflowCheckpointer } from "stepstream/checkpointer";
import { indexedDBStore, memoryStore, unstorageStore } from "stepstream/stores";
import { Answer, Item, Other, equal, fails, ok, single, soon } from "./kit.js";
import { objectTests } from "./objects.js";
import { answered, asked, asking, keeps } from "./stores.js";

/** What unstorage gives: a storage in memory. */
function rawStorage() {
  const items = new Map();
  return {
    getItemRaw: async (key) => items.get(key) ?? null,
    setItemRaw: async (key, value) => void items.set(key, value),
    removeItem: async (key) => void items.delete(key),
    getKeys: async (base = "") => [...items.keys()].filter((key) => key.startsWith(base)),
  };
}

/**
 * @param fileStore A function that makes a store in a new folder, where there is a file system.
 * @param objects Functions that do a test of objects.js inside a Durable Object, by its kind, where there are such.
 */
export const durability = (fileStore, objects = {}) => ({
  async "snapshot and recover: a run that waits goes on, and does once what is to be done once"() {
    const effects = [];
    const bytes = await asked(effects);
    ok(bytes instanceof Uint8Array && bytes.length < 1100, `the snapshot has ${bytes.length} bytes`);
    equal(await answered(bytes, asking(effects)), "seat to Lisbon: yes");
    equal(effects, ["Lisbon"], "what was done");
  },

  async "snapshot and recover: values stay what they are"() {
    const loop = { name: "loop" };
    loop.self = loop;
    const values = {
      nothing: undefined,
      odd: [NaN, -0, Infinity],
      large: 2n ** 70n,
      when: new Date(1e12),
      map: new Map([["a", new Set([1])]]),
      bytes: new Uint8Array([1, 2, 255]),
      words: new Float64Array([0.5]),
      pattern: /x+/gi,
      error: new RangeError("kept"),
      event: new Other("inside"),
      loop,
    };
    const run = single(({ waitForEvent, store }, { data }) => {
      store.set("values", data);
      return waitForEvent(Answer).then(() => new StopEvent(data));
    }).run(values);
    await soon(run.idle(), "idle");
    const later = single(async ({ waitForEvent }, { data }) => {
      await waitForEvent(Answer);
      return new StopEvent(data);
    }).recover(run.snapshot());
    run.cancel();
    later.sendEvent(new Answer());
    const back = (await soon(later)).data;
    ok("nothing" in back && back.nothing === undefined && Object.is(back.odd[1], -0), "undefined or -0 was lost");
    ok(
      back.error instanceof RangeError && back.event instanceof Other && back.loop.self === back.loop,
      "a class was lost",
    );
    ok(
      back.words instanceof Float64Array && back.pattern instanceof RegExp && back.when instanceof Date,
      "a kind was lost",
    );
    const { loop: _, error: _error, ...plain } = back;
    const { loop: _loop, error: _old, ...expected } = values;
    equal(plain, expected);
    equal(later.store.get("values.large"), 2n ** 70n);
  },

  async "snapshot and recover: sleeps, retries, queued work and nested runs go on"() {
    const make = () => {
      const nested = single(async ({ sleep }, { data }) => {
        await sleep(0.02);
        return new StopEvent(data + 1);
      });
      return new Workflow({ timeout: null })
        .addWorkflows({ nested })
        .addStep({ name: "begin", inputs: [StartEvent] }, ({ sendEvent }) => {
          for (const nth of [1, 2, 3]) sendEvent(new Item(nth));
        })
        .addStep({ name: "work", inputs: [Item], numWorkers: 1 }, async ({ sleep, workflows }, { data }) => {
          await sleep(0.01);
          return new Other((await workflows.nested.run(data)).data);
        })
        .addStep({ name: "gather", inputs: [Other] }, ({ collectEvents }, event) => {
          const all = collectEvents(event, [Other, Other, Other]);
          return all && new StopEvent(all.map(({ data }) => data));
        });
    };
    let run = make().run();
    for (let life = 0; life < 4; life += 1) {
      await new Promise((resolve) => setTimeout(resolve, 13));
      const bytes = run.snapshot();
      run.cancel();
      await run.catch(() => {});
      run = make().recover(bytes);
    }
    equal((await soon(run)).data, [2, 3, 4]);
  },

  async "recover: what is damaged, foreign or no snapshot is refused before anything runs"() {
    const bytes = await asked();
    const altered = bytes.slice();
    altered[bytes.length - 3] ^= 1;
    await fails(() => asking().recover(altered), RecoverError, "SNAPSHOT_ALTERED");
    await fails(() => asking().recover(bytes.slice(0, -5)), RecoverError, "SNAPSHOT_TRUNCATED");
    await fails(() => asking().recover(new Uint8Array(100)), RecoverError, "SNAPSHOT_FORMAT");
    const foreign = new Workflow().addStep({ name: "else", inputs: [StartEvent] }, () => new StopEvent());
    await fails(() => foreign.recover(bytes), RecoverError, "SNAPSHOT_FOREIGN");
  },

  async "snapshot: what cannot be carried is named with its place"() {
    const run = single(({ store, waitForEvent }) => {
      store.set("user", { connect: () => {} });
      return waitForEvent(Answer);
    }).run();
    await soon(run.idle(), "idle");
    equal((await fails(() => run.snapshot(), SnapshotError, "SNAPSHOT_VALUE")).path, "store.user.connect");
    run.cancel();
  },

  async "fork: a copy lives on, and so does the run"() {
    const run = asking().run("Porto");
    await soon(run.idle(), "idle");
    const copy = run.fork();
    copy.sendEvent(new Answer("no"));
    run.sendEvent(new Answer("yes"));
    equal([(await soon(run)).data, (await soon(copy)).data], ["seat to Porto: yes", "seat to Porto: no"]);
    ok(run.runId !== copy.runId, "both have one id");
  },

  async "journal and replay: the past is rebuilt, and another future begins there"() {
    const make = () =>
      new Workflow()
        .addStep({ name: "price", inputs: [StartEvent] }, ({ store }, { data }) => {
          store.set("items", data);
          return new Item(data * 10);
        })
        .addStep({ name: "tax", inputs: [Item] }, async ({ data, sleep }, event) => {
          await sleep(0.005);
          return new StopEvent(event.data * data.rate);
        });
    const run = make().run(3, { rate: 1.5 }, { journal: true });
    equal((await soon(run)).data, 45);
    const until = ({ inFlight }) => inFlight.some(({ step }) => step === "tax");
    const past = make().replay(run.journal(), { until });
    equal(past.store.toJSON(), { items: 3 });
    equal((await soon(make().recover(past.snapshot()).with({ rate: 2 }))).data, 60);
  },

  async "seal: signed and encrypted, and refused when altered, foreign or under another key"() {
    const bytes = await asked();
    const secret = "a secret of some length";
    for (const encrypt of [false, true]) {
      const sealed = await sealSnapshot(bytes, secret, { encrypt });
      equal(await openSnapshot(sealed, secret, { workflow: asking() }), bytes);
      await fails(openSnapshot(sealed, "another secret, as long"), RecoverError, "SEAL_KEY");
      const altered = sealed.slice();
      altered[sealed.length - 1] ^= 1;
      await fails(openSnapshot(altered, secret), RecoverError, "SEAL_ALTERED");
      await fails(
        openSnapshot(sealed, secret, { workflow: single(() => {}, { name: "x" }) }),
        RecoverError,
        "SEAL_FOREIGN",
      );
    }
  },

  async "checkpointer: a checkpoint after each step, and a run from any of them"() {
    let drafts = 0;
    const workflow = new Workflow()
      .addStep({ name: "draft", inputs: [StartEvent] }, (_, { data }) => new Item(`${data} ${(drafts += 1)}`))
      .addStep({ name: "judge", inputs: [Item] }, ({ data: judge }, { data }) => new StopEvent(`${data}: ${judge}`));
    const checkpointer = new WorkflowCheckpointer(workflow);
    equal((await soon(checkpointer.run("draft", "good"))).data, "draft 1: good");
    await soon(checkpointer.flush());
    const [checkpoint] = await checkpointer.filter({ output: Item });
    equal((await soon(checkpointer.runFrom(checkpoint, "better"))).data, "draft 1: better");
    equal(drafts, 1, "the number of drafts");
    equal((await checkpointer.filter({ step: "judge" })).length >= 1, true);
  },

  async "events as objects: through JSON and structured cloning, an event is what it was"() {
    const loop = { name: "loop" };
    loop.self = loop;
    const data = { when: new Date(1e12), map: new Map([["a", 2n ** 70n]]), bytes: new Uint8Array([1, 255]), loop };
    const workflow = single(() => new StopEvent());
    for (const event of [new Other(data), new StreamReset({ step: "only", attempt: 2 })]) {
      const encoded = encodeEvent(event);
      const ways = [JSON.parse(JSON.stringify(encoded))];
      if (typeof structuredClone === "function") ways.push(structuredClone(encoded));
      for (const sent of ways) {
        const back = decodeEvent(sent, workflow);
        ok(Object.getPrototypeOf(back) === Object.getPrototypeOf(event), "it is of another class");
        const { loop: own, ...others } = back.data;
        const { loop: _, ...expected } = event.data;
        equal(others, expected);
        ok(own?.self === own, "a cycle was lost");
      }
    }
    await fails(
      () => decodeEvent({ version: 1, type: "other", payload: "[]" }, workflow),
      RecoverError,
      "EVENT_FORMAT",
    );
    const foreign = new Workflow().addStep({ name: "else", inputs: [StartEvent] }, () => new StopEvent());
    await fails(() => decodeEvent(encodeEvent(new Other(1)), foreign), RecoverError, "EVENT_MISSING");
  },

  ...(typeof MessageChannel === "function" && {
    async "events as objects: through postMessage, an event is what it was"() {
      const { port1, port2 } = new MessageChannel();
      try {
        const came = new Promise((resolve) => (port2.onmessage = ({ data }) => resolve(data)));
        port1.postMessage(encodeEvent(new Other({ bytes: new Uint8Array([7]), when: new Date(5) })));
        const { data } = decodeEvent(
          await soon(came),
          single(() => new StopEvent()),
        );
        equal([data.bytes, data.when.getTime()], [new Uint8Array([7]), 5]);
      } finally {
        port1.close();
        port2.close();
      }
    },
  }),

  async "inspect: a snapshot says what it is, without its workflow"() {
    const bytes = await asked();
    const { status, fingerprint, sizes, sequence } = inspectSnapshot(bytes);
    equal([status, fingerprint, sizes.total], ["waiting", asking().fingerprint, bytes.length]);
    ok(sequence > 0n && sizes.payloads > 0, "it says too little");
    const sealed = await sealSnapshot(bytes, "a secret of some length");
    equal([inspectSnapshot(sealed).sealed, inspectSnapshot(sealed).sequence], ["signed", sequence]);
    await fails(() => inspectSnapshot(bytes.slice(0, -5)), RecoverError, "SNAPSHOT_TRUNCATED");
  },

  "stores: in memory": () => keeps(memoryStore()),
  "stores: over unstorage": () => keeps(unstorageStore(rawStorage())),
  ...(typeof indexedDB === "object" && {
    "stores: in IndexedDB": () => keeps(indexedDBStore({ name: `suite ${Math.random()}` })),
  }),
  ...(fileStore && { "stores: in files": async () => keeps(await fileStore()) }),
  ...Object.fromEntries(
    Object.entries(objects).flatMap(([kind, inObject]) =>
      Object.keys(objectTests).map((name) => [`stores: in a Durable Object, ${kind}: ${name}`, () => inObject(name)]),
    ),
  ),
});
