// When claims are renewed, lost and given, to the millisecond.

import { SnapshotError } from "stepstream";
import { type Claim, type RawStorage, type SnapshotStore, memoryStore, unstorageStore } from "stepstream/stores";
import { expect, test, vi } from "vitest";
import "../kit/fake-clock.js";
import { fails, pause } from "../kit/index.js";
import { snapshotOf } from "./laws.js";

const seconds = (): number => performance.now() / 1000;

/** A storage whose methods fail while it is broken. */
function breakable(): { storage: RawStorage; state: { isBroken: boolean } } {
  const kept = new Map<string, unknown>();
  const state = { isBroken: false };
  const work = async <T>(give: () => T): Promise<T> => {
    if (state.isBroken) throw new Error("the connection is lost");
    return give();
  };
  const storage: RawStorage = {
    getItemRaw: (key) => work(() => kept.get(key) ?? null),
    setItemRaw: (key, value) => work(() => void kept.set(key, value)),
    removeItem: (key) => work(() => void kept.delete(key)),
    getKeys: () => work(() => [...kept.keys()]),
  };
  return { storage, state };
}

async function claimed(store: SnapshotStore, lease?: number): Promise<Claim> {
  return (await store.claim("run", { lease }))!;
}

/** When a claim was lost, in seconds from now on; undefined while it is held. */
function lostAt(claim: Claim): () => number | undefined {
  const begun = seconds();
  let at: number | undefined;
  claim.lost.addEventListener("abort", () => (at = seconds() - begun));
  return () => at;
}

test("a claim is renewed as long as it is held, and no longer", async () => {
  const store = memoryStore();
  const claim = await claimed(store);
  await pause(600_000);
  expect(await store.claim("run")).toBeUndefined();
  expect(claim.lost.aborted).toBe(false);
  await claim.save(snapshotOf(1));
  await claim.release();
  expect(vi.getTimerCount()).toBe(0);
});

test("waiting takes as long as it may, and no longer than it must", async () => {
  const store = memoryStore();
  const claim = await claimed(store);
  let begun = seconds();
  expect(await store.claim("run", { wait: 7.5 })).toBeUndefined();
  expect(seconds() - begun).toBe(7.5);
  expect(vi.getTimerCount()).toBe(2);
  begun = seconds();
  const waiting = store.claim("run", { wait: 20 });
  await pause(3210);
  await claim.release();
  expect(await waiting).toBeDefined();
  expect(seconds() - begun).toBeCloseTo(3.21, 6);
});

test("a claim that cannot be renewed is lost when its lease ends", async () => {
  const { storage, state } = breakable();
  const claim = await claimed(unstorageStore(storage), 30);
  // It is renewed once.
  await pause(10_000);
  const at = lostAt(claim);
  state.isBroken = true;
  await pause(60_000);
  expect(at()).toBeCloseTo(30, 6);
  expect(vi.getTimerCount()).toBe(0);
  expect(claim.lost.reason).toMatchObject({ code: "CLAIM_LOST", name: "SnapshotError" });
  await fails(claim.save(snapshotOf(1)), SnapshotError, "CLAIM_LOST");
  await claim.release();
});

test("a storage that is back in time keeps the claim", async () => {
  const { storage, state } = breakable();
  const claim = await claimed(unstorageStore(storage), 30);
  state.isBroken = true;
  await pause(25_000);
  state.isBroken = false;
  await pause(120_000);
  expect(claim.lost.aborted).toBe(false);
  await claim.verify();
  await claim.release();
});

test("a claim that cannot be released ends with its lease, and may be released again", async () => {
  const { storage, state } = breakable();
  const store = unstorageStore(storage);
  const claim = await claimed(store, 30);
  state.isBroken = true;
  await expect(claim.release()).rejects.toThrow("the connection is lost");
  state.isBroken = false;
  expect(await store.claim("run")).toBeUndefined();
  await claim.release();
  expect(await store.claim("run")).toBeDefined();
});

test("a holder whose clock jumped ahead gives up, and another waits a tenth of the lease longer", async () => {
  const store = memoryStore();
  const claim = await claimed(store, 30);
  vi.setSystemTime(Date.now() + 31_000);
  // Its lease has ended, but the clocks may differ.
  expect(await store.claim("run")).toBeUndefined();
  await fails(claim.verify(), SnapshotError, "CLAIM_LOST");
  vi.setSystemTime(Date.now() + 2000);
  expect((await claimed(store)).epoch).toBe(2);
});

test("a holder is not fooled by a clock that is set back", async () => {
  const { storage, state } = breakable();
  const claim = await claimed(unstorageStore(storage), 30);
  const at = lostAt(claim);
  state.isBroken = true;
  vi.setSystemTime(Date.now() - 3_600_000);
  await pause(60_000);
  expect(at()).toBeCloseTo(29.95, 1);
});
