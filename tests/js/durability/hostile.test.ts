// Bytes that are not what they should be: each is refused with its code, at once, before anything has run.

import { RecoverError, StartEvent, StopEvent, Workflow, WorkflowError, sealSnapshot } from "stepstream";
import { expect, test } from "vitest";
import { fails, soon } from "../kit/index.js";
import { expectCheap } from "../kit/processor.js";
import { Answer, Item, Other } from "./kit.js";

let ran = 0;
const make = (): Workflow =>
  new Workflow()
    .addStep({ name: "split", inputs: [StartEvent], outputs: [Item, Other] }, async (context, event) => {
      ran += 1;
      context.sendEvent(new Item(String(event.data)));
      context.store.set("words", ["a", "b"]);
      await context.once("deed", () => "done");
      return new Other((await context.requireEvent(Answer)).data);
    })
    .addStep({ name: "join", inputs: [Item, Other], outputs: [StopEvent] }, (_, item, other) => {
      ran += 1;
      return new StopEvent(item.data + other.data);
    });

/** A snapshot of a run that waits, and its journal. */
async function written(): Promise<{ readonly snapshot: Uint8Array; readonly journal: Uint8Array }> {
  const context = make().run("x", undefined, { journal: true });
  await context.idle();
  const both = { snapshot: context.snapshot(), journal: context.journal() };
  context.cancel();
  ran = 0;
  return both;
}

/**
 * Asserts that reading some bytes is no work. It takes a millisecond; what believes a length or a count of 2^32 takes
 * seconds.
 */
const expectQuick = (read: () => void): void => expectCheap(read, 250);

/** Asserts that bytes are refused as they should be, and gives the code. */
function refused(workflow: Workflow, bytes: Uint8Array, take: "recover" | "replay" = "recover"): string {
  let error: unknown;
  expectQuick(() => {
    try {
      workflow[take](bytes);
    } catch (thrown) {
      error = thrown;
    }
  });
  if (!(error instanceof RecoverError)) throw error ?? new Error("It was taken.");
  expect(ran).toBe(0);
  return error.code;
}

/** The checksum at the end of a snapshot (FNV-1a, 64 bits), made right again. */
function sign(bytes: Uint8Array): Uint8Array {
  let hash = 0xcbf29ce484222325n;
  const end = bytes.length - 8;
  for (const byte of bytes.subarray(0, end)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(end, hash, true);
  return bytes;
}

async function stillWorks(workflow: Workflow, bytes: Uint8Array): Promise<void> {
  const again = workflow.recover(bytes);
  again.sendEvent(new Answer("y"));
  expect((await soon(again)).data).toBe("xy");
}

test("cut off at every length", async () => {
  const { snapshot } = await written();
  const workflow = make();
  const codes = new Set<string>();
  for (let length = 0; length < snapshot.length; length += 1)
    codes.add(refused(workflow, snapshot.subarray(0, length)));
  expect([...codes]).toEqual(["SNAPSHOT_TRUNCATED"]);
  await stillWorks(workflow, snapshot);
});

test("every byte changed", async () => {
  const { snapshot } = await written();
  const workflow = make();
  const codes = new Map<string, number>();
  for (let at = 0; at < snapshot.length; at += 1) {
    const bytes = snapshot.slice();
    bytes[at]! ^= 0x55;
    const code = refused(workflow, bytes);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect(codes.get("SNAPSHOT_ALTERED")).toBeGreaterThan(snapshot.length - 30);
  await stillWorks(workflow, snapshot);
});

test("every byte changed by an attacker who knows the checksum: refused, or as good as any other snapshot", async () => {
  const { snapshot } = await written();
  const workflow = make();
  for (let at = 0; at < snapshot.length - 8; at += 1) {
    const bytes = snapshot.slice();
    bytes[at]! ^= 0x55;
    sign(bytes);
    expectQuick(() => {
      try {
        // Not used, so that it does not begin.
        workflow.recover(bytes).with(undefined).cancel();
      } catch (error) {
        if (!(error instanceof RecoverError)) throw error;
      }
    });
  }
  expect(ran).toBe(0);
  await stillWorks(workflow, snapshot);
});

test("random bytes, with the header of a snapshot and without", async () => {
  const { snapshot } = await written();
  const workflow = make();
  let state = 12345;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  for (let nth = 0; nth < 300; nth += 1) {
    const bytes = Uint8Array.from({ length: 1 + ((nth * 7) % 400) }, random);
    if (nth % 3 > 0) bytes.set(snapshot.subarray(0, Math.min(24, bytes.length)));
    if (nth % 3 > 1 && bytes.length > 32) sign(bytes);
    expect(refused(workflow, bytes)).toMatch(/^SNAPSHOT_/);
  }
  await stillWorks(workflow, snapshot);
});

test("lengths that are too large for what follows", async () => {
  const { snapshot } = await written();
  const workflow = make();
  for (let at = 24; at + 4 <= snapshot.length - 8; at += 1) {
    const bytes = snapshot.slice();
    new DataView(bytes.buffer).setUint32(at, 0xfffffff0, true);
    sign(bytes);
    try {
      workflow.recover(bytes).with(undefined).cancel();
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error;
      expect(error).toBeInstanceOf(RecoverError);
    }
  }
  expect(ran).toBe(0);
  await stillWorks(workflow, snapshot);
});

test("not bytes at all", async () => {
  for (const value of [undefined, null, "text", 7, {}, [1, 2], new Blob([])]) {
    await fails(() => make().recover(value as never), RecoverError, "SNAPSHOT_FORMAT");
  }
});

test("another workflow's, a newer format's, a sealed one, a journal for a snapshot and the other way round", async () => {
  const { snapshot, journal } = await written();
  const other = make().addStep({ name: "more", inputs: [Answer] }, () => void (ran += 1));
  expect(refused(other, snapshot)).toBe("SNAPSHOT_FOREIGN");
  const newer = snapshot.slice();
  newer[5]! += 1;
  expect(refused(make(), newer)).toBe("SNAPSHOT_VERSION");
  const sealed = await sealSnapshot(snapshot, new Uint8Array(32).fill(1));
  expect(refused(make(), sealed)).toBe("SNAPSHOT_FORMAT");
  expect(refused(make(), journal)).toBe("SNAPSHOT_FORMAT");
  expect(refused(make(), snapshot, "replay")).toBe("SNAPSHOT_FORMAT");
  expect(refused(other, journal, "replay")).toBe("SNAPSHOT_FOREIGN");
});

test("a journal that is cut off, changed, or lacks a piece", async () => {
  const { journal } = await written();
  const workflow = make();
  let taken = 0;
  for (let length = 0; length < journal.length; length += 1) {
    try {
      workflow.replay(journal.subarray(0, length)).dispose();
      // Cut between two records it is the journal of an earlier moment.
      taken += 1;
    } catch (error) {
      if (!(error instanceof RecoverError)) throw error;
    }
  }
  expect(taken).toBeLessThan(journal.length / 10);
  for (let at = 0; at < journal.length; at += 1) {
    const bytes = journal.slice();
    bytes[at]! ^= 0x55;
    expect(refused(workflow, bytes, "replay")).toMatch(/^(SNAPSHOT|JOURNAL|EVENT|STEP)_/);
  }
  expect(ran).toBe(0);
});

// ---- another version of the workflow ----

const migrate = { migrate: true } as const;

test("migrate: a step that was added does no harm", async () => {
  const { snapshot } = await written();
  const added = make().addStep({ name: "audit", inputs: [Item] }, () => undefined);
  const again = added.recover(snapshot, migrate);
  again.sendEvent(new Answer("y"));
  expect((await soon(again)).data).toBe("xy");
});

test("migrate: a step that is needed and gone, and one that takes something else, are named", async () => {
  const { snapshot } = await written();
  const without = make().removeStep("split");
  without.addStep({ name: "begin", inputs: [StartEvent], outputs: [Other] }, () => new Other(""));
  const missing = await fails(() => without.recover(snapshot, migrate), RecoverError, "STEP_MISSING");
  expect(missing.message).toContain('"split"');
  const changed = make().addStep(
    { name: "join", inputs: [Item, Other, Answer], outputs: [StopEvent], override: true },
    () => new StopEvent(""),
  );
  const error = await fails(() => changed.recover(snapshot, migrate), RecoverError, "STEP_CHANGED");
  expect(error.message).toContain('"join"');
  expect(ran).toBe(0);
});
