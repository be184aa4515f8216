// What snapshots say without their workflow.

import {
  RecoverError,
  StartEvent,
  StopEvent,
  Workflow,
  WorkflowError,
  inspectSnapshot,
  sealSnapshot,
} from "stepstream";
import { expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";
import { Answer, Item } from "./kit.js";

const inner = (): Workflow =>
  new Workflow({ timeout: null }).addStep({ name: "in", inputs: [StartEvent] }, async ({ requireEvent }) => {
    return new StopEvent((await requireEvent(Answer)).data);
  });

/** A workflow whose runs wait for an answer; with hooks and classes that no one else has. */
const make = (): Workflow =>
  new Workflow({
    timeout: null,
    types: {
      secret: {
        encode: (value) => (value instanceof WeakMap ? "hidden" : undefined),
        decode: () => {
          throw new Error("A hook was called.");
        },
      },
    },
  })
    .addStep({ name: "ask", inputs: [StartEvent] }, async ({ once, requireEvent, store, sendEvent }, { data }) => {
      store.set("large", new Uint8Array(5000));
      store.set("hooked", new WeakMap());
      sendEvent(new Item(String(data)));
      await once("seat", () => "x".repeat(2000));
      const { data: answer } = await requireEvent(Answer);
      if (answer === "fail") throw new Error("It was to fail.");
      return new StopEvent(answer);
    })
    .addStep({ name: "nest", inputs: [Item] }, async ({ workflows }, { data }) => {
      if (data === "nest") await (workflows as { inner: Workflow }).inner.run();
    })
    .addWorkflows({ inner: inner() }) as Workflow;

test("what a snapshot says, at every stage of a run", async () => {
  const workflow = make();
  const run = workflow.run("x", undefined, { runId: "run 1" });
  const statuses = [inspectSnapshot(run.snapshot())];
  await soon(run.idle());
  statuses.push(inspectSnapshot(run.snapshot()));
  run.sendEvent(new Answer("done"));
  statuses.push(inspectSnapshot(run.snapshot()));
  await soon(run);
  statuses.push(inspectSnapshot(run.snapshot()));
  expect(statuses.map(({ status }) => status)).toEqual(["created", "waiting", "running", "completed"]);
  for (const { runId, fingerprint, version, sealed } of statuses) {
    expect({ runId, fingerprint, version, sealed }).toEqual({
      runId: "run 1",
      fingerprint: workflow.fingerprint,
      version: 3,
      sealed: undefined,
    });
  }
  const sequences = statuses.map(({ sequence }) => sequence);
  expect(sequences).toEqual([...sequences].sort((one, other) => (one < other ? -1 : 1)));
  expect(new Set(sequences).size).toBe(4);
  expect(statuses.map(({ alive }) => typeof alive)).toEqual(["number", "number", "number", "undefined"]);
});

test("a run that failed says so", async () => {
  const run = make().run("x");
  await soon(run.idle());
  run.sendEvent(new Answer("fail"));
  await run.catch(() => {});
  expect(inspectSnapshot(run.snapshot()).status).toBe("failed");
});

test("sizes add up, and say where the bytes are", async () => {
  const run = make().run("nest", { text: "y".repeat(3000) }, { runId: "r" });
  await soon(run.idle());
  const bytes = run.snapshot({ data: true });
  const { sizes } = inspectSnapshot(bytes);
  const { total = 0, header, engine, types, store, payloads, data, nested, ...others } = sizes;
  expect(total).toBe(bytes.length);
  const sum = Object.values(sizes).reduce((whole, part) => whole + part, -total);
  // The frame of the document belongs to no part.
  expect(total - sum).toBeGreaterThanOrEqual(0);
  expect(total - sum).toBeLessThan(200);
  expect(store).toBeGreaterThan(5000);
  expect(store).toBeLessThan(5500);
  expect(payloads).toBeGreaterThan(2000);
  expect(payloads).toBeLessThan(2500);
  expect(data).toBeGreaterThan(3000);
  expect(data).toBeLessThan(3100);
  expect(nested).toBeGreaterThan(200);
  expect([header, typeof engine, typeof types]).toEqual([40, "number", "number"]);
  expect(Object.keys(others)).toContain("unread");
  run.dispose();
});

test("a larger store makes only the store larger", async () => {
  const sizesWith = async (length: number) => {
    const run = make().run("x", undefined, { runId: "r" });
    await soon(run.idle());
    run.store.set("more", "z".repeat(length));
    const { sizes } = inspectSnapshot(run.snapshot());
    run.dispose();
    return sizes;
  };
  const [small, large] = [await sizesWith(100), await sizesWith(10_100)];
  expect(large["store"]! - small["store"]!).toBe(10_000);
  for (const part of ["engine", "types", "payloads", "unread"]) expect(large[part]).toBe(small[part]);
});

test("a sealed snapshot says what its header has", async () => {
  const workflow = make();
  const run = workflow.run("x");
  await soon(run.idle());
  const bytes = run.snapshot();
  const { sequence } = inspectSnapshot(bytes);
  for (const encrypt of [false, true]) {
    const sealed = await sealSnapshot(bytes, "a secret of some length", { encrypt });
    expect(inspectSnapshot(sealed)).toEqual({
      runId: undefined,
      sequence,
      fingerprint: workflow.fingerprint,
      version: 3,
      status: undefined,
      alive: undefined,
      sealed: encrypt ? "encrypted" : "signed",
      sizes: { total: sealed.length },
    });
  }
  run.dispose();
});

test("an ArrayBuffer and a part of one are bytes as well, and bytes are not changed", async () => {
  const run = make().run("x", undefined, { runId: "r" });
  await soon(run.idle());
  const bytes = run.snapshot();
  const before = bytes.slice();
  const larger = new Uint8Array(bytes.length + 20);
  larger.set(bytes, 10);
  const expected = inspectSnapshot(bytes);
  expect(inspectSnapshot(bytes.slice().buffer)).toEqual(expected);
  expect(inspectSnapshot(larger.subarray(10, 10 + bytes.length))).toEqual(expected);
  expect(bytes).toEqual(before);
  run.dispose();
});

test("bytes that are not what they should be are refused as `recover` refuses them", async () => {
  const workflow = make();
  const run = workflow.run("x", undefined, { journal: true });
  run.store.set("hooked", 1);
  await soon(run.idle());
  const bytes = run.snapshot();
  await fails(() => inspectSnapshot(run.journal()), RecoverError, "SNAPSHOT_FORMAT");
  for (const value of [undefined, null, "text", {}, 1]) {
    await fails(() => inspectSnapshot(value as never), RecoverError, "SNAPSHOT_FORMAT");
  }
  const codeOf = (work: () => unknown): string => {
    try {
      work();
      return "none";
    } catch (error) {
      return error instanceof WorkflowError ? error.code : String(error);
    }
  };
  const compare = (changed: Uint8Array): void => {
    const recovered = codeOf(() => workflow.recover(changed).dispose());
    const inspected = codeOf(() => inspectSnapshot(changed));
    // Of another workflow, only `recover` takes notice.
    expect(inspected === recovered || recovered === "SNAPSHOT_FOREIGN" || inspected === "none").toBe(true);
    expect(inspected).toMatch(/^(SNAPSHOT_(FORMAT|VERSION|TRUNCATED|ALTERED|INVALID)|none)$/);
  };
  for (let length = 0; length < bytes.length; length += 13) {
    expect(codeOf(() => inspectSnapshot(bytes.subarray(0, length)))).toBe("SNAPSHOT_TRUNCATED");
  }
  for (let at = 0; at < bytes.length; at += at < 40 ? 1 : 41) {
    const changed = bytes.slice();
    changed[at]! ^= 0x15;
    compare(changed);
  }
  run.dispose();
});

/** The bytes with another document, and a checksum that fits. */
function withDocument(bytes: Uint8Array, text: string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const engine = view.getUint32(24, true);
  const begins = 32 + engine;
  const types = 4 + view.getUint32(begins, true);
  const document = new TextEncoder().encode(text);
  const made = new Uint8Array(begins + types + document.length + 8);
  made.set(bytes.subarray(0, begins + types));
  made.set(document, begins + types);
  const changed = new DataView(made.buffer);
  changed.setUint32(28, types + document.length, true);
  let hash = 0xcbf29ce484222325n;
  for (const byte of made.subarray(0, -8)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  changed.setBigUint64(made.length - 8, hash, true);
  return made;
}

test("documents that contradict the format are refused, and cost no more than their length", async () => {
  const run = make().run("x");
  await soon(run.idle());
  const bytes = run.snapshot();
  run.dispose();
  expect(inspectSnapshot(withDocument(bytes, '[{"runId":1},"a"]')).runId).toBe("a");
  for (const document of [
    "",
    "1",
    "null",
    "[]",
    "[1]",
    "[[1]]",
    "[{}]",
    '[{"runId":0}]',
    '[{"runId":1},""]',
    '[{"runId":1},5]',
    '[{"runId":"length"},"a"]',
    '[{"runId":-1},"a"]',
    '{"runId":"a"}',
    "[".repeat(50_000),
  ]) {
    await fails(() => inspectSnapshot(withDocument(bytes, document)), RecoverError, "SNAPSHOT_INVALID");
  }
  const odd =
    '[{"runId":1,"__proto__":2,"store":3,"loop":4,"far":99,"word":"join"},"a",{"polluted":1},[3,3,4],[-7,9,0,1]]';
  const { runId, sizes } = inspectSnapshot(withDocument(bytes, odd));
  expect([runId, sizes["far"], sizes["word"]]).toEqual(["a", 0, 0]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});
