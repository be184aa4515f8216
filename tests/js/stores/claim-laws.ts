// What claims of every store must hold to. As laws.ts, it runs in Node and in pages. No law depends on how fast the
// machine is: what must be kept has a long lease, and what must end is waited for.

import { RecoverError, SnapshotError, ValidationError } from "stepstream";
import type { Claim, SnapshotStore } from "stepstream/stores";
import { type Place, equal, oddIds, rejects, snapshotOf } from "./laws.js";

/** Two stores at a place that share claims: two objects where that is possible. */
function two(place: Place): [SnapshotStore, SnapshotStore] {
  const store = place.open();
  return [store, (place.sharesClaims ?? place.isShared) ? place.open() : store];
}

/** A claim that must be given, after any time. */
async function claimed(store: SnapshotStore, runId: string, lease?: number): Promise<Claim> {
  const claim = await store.claim(runId, { wait: null, lease });
  if (claim === undefined) throw new Error("It should have been given.");
  return claim;
}

/** Claims as a process would that dies right after: nothing renews the claim. */
async function claimedByTheDead(store: SnapshotStore, runId: string, lease: number): Promise<Claim> {
  const { setTimeout: real } = globalThis;
  const longest = (lease * 1000) / 2;
  // What waits for longer than that are the timers of the claim; storages wait for shorter.
  globalThis.setTimeout = ((work: () => void, time = 0) =>
    time > longest / 2 ? real(() => {}, 0) : real(work, time)) as typeof setTimeout;
  try {
    return await claimed(store, runId, lease);
  } finally {
    globalThis.setTimeout = real;
  }
}

/** Does something while the clock is an hour ahead. */
async function ahead<T>(work: () => Promise<T>): Promise<T> {
  const { now } = Date;
  Date.now = () => now() + 3_600_000;
  try {
    return await work();
  } finally {
    Date.now = now;
  }
}

/** Each law is given a fresh place. */
export const claimLaws: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  "of many that claim a run at once, one gets it": async (place) => {
    const stores = two(place);
    const claims = await Promise.all(Array.from({ length: 24 }, (_, nth) => stores[nth % 2]!.claim("a")));
    equal(claims.filter((claim) => claim !== undefined).length, 1);
    equal(await stores[0].claim("a"), undefined);
    equal(await stores[1].claim("a"), undefined);
  },

  "a claim has the run's snapshot, if there is one": async (place) => {
    const [one, other] = two(place);
    const fresh = await claimed(one, "a");
    equal([fresh.runId, fresh.snapshot, fresh.lost.aborted], ["a", undefined, false]);
    await fresh.save(snapshotOf(3, { fill: 3 }));
    equal(await other.load("a"), snapshotOf(3, { fill: 3 }));
    await fresh.release();
    await other.save("a", snapshotOf(4, { fill: 4 }));
    const next = await claimed(other, "a");
    equal(next.snapshot, snapshotOf(4, { fill: 4 }));
    equal([fresh.epoch, next.epoch], [1, 2]);
    await next.release();
  },

  "the snapshot of a claim is a copy": async (place) => {
    const [store] = two(place);
    await store.save("a", snapshotOf(1, { fill: 1 }));
    const claim = await claimed(store, "a");
    claim.snapshot!.fill(0);
    equal(await store.load("a"), snapshotOf(1, { fill: 1 }));
    await claim.release();
  },

  "what is released can be claimed, and releasing again does nothing": async (place) => {
    const [one, other] = two(place);
    const first = await claimed(one, "a");
    await Promise.all([first.release(), first.release()]);
    const second = (await other.claim("a"))!;
    await first.release();
    equal(await one.claim("a"), undefined);
    await second.verify();
    await second.release();
    equal([first.lost.aborted, second.lost.aborted], [false, false]);
  },

  "what was released changes nothing any more": async (place) => {
    const [store] = two(place);
    const claim = await claimed(store, "a");
    await claim.save(snapshotOf(1));
    const last = claim.save(snapshotOf(2));
    const releasing = claim.release();
    await rejects(claim.save(snapshotOf(3)), SnapshotError, "CLAIM_RELEASED");
    await Promise.all([last, releasing]);
    await rejects(claim.save(snapshotOf(3)), SnapshotError, "CLAIM_RELEASED");
    await rejects(claim.delete(), SnapshotError, "CLAIM_RELEASED");
    await rejects(claim.verify(), SnapshotError, "CLAIM_RELEASED");
    equal(await store.load("a"), snapshotOf(2));
  },

  "claims of different runs do not disturb each other": async (place) => {
    const [one, other] = two(place);
    const ids = ["a", "b", "A", "a/b", "run-a", "ü"];
    const claims = await Promise.all(ids.map((id, nth) => claimed(nth % 2 === 0 ? one : other, id)));
    for (const [nth, claim] of claims.entries()) await claim.save(snapshotOf(nth, { fill: nth }));
    await claims[0]!.release();
    for (const claim of claims.slice(1)) await claim.verify();
    equal((await claimed(other, "a")).snapshot, snapshotOf(0));
    for (const [nth, id] of ids.entries()) equal(await one.load(id), snapshotOf(nth, { fill: nth }));
  },

  "a claim is no snapshot: it is not listed, whatever the id": async (place) => {
    const [store, other] = two(place);
    const claims = await Promise.all(oddIds.map((id) => claimed(store, id)));
    equal(await store.list(), []);
    for (const id of oddIds.slice(0, 5)) equal(await other.claim(id), undefined);
    for (const claim of claims) await claim.release();
    for (const id of oddIds) await (await other.claim(id))!.release();
    equal(await store.list(), []);
  },

  "those that wait get the run one after the other": async (place) => {
    const [store] = two(place);
    const order: number[] = [];
    const first = await claimed(store, "a");
    const waiting = [1, 2, 3, 4].map(async (nth) => {
      const claim = await claimed(store, "a");
      order.push(nth);
      await claim.verify();
      await claim.release();
    });
    await first.release();
    await Promise.all(waiting);
    equal(order, [1, 2, 3, 4]);
  },

  "who waits in another store gets it as well": async (place) => {
    const [one, other] = two(place);
    const first = await claimed(one, "a");
    await first.save(snapshotOf(1));
    const waiting = claimed(other, "a");
    await first.save(snapshotOf(2));
    await first.release();
    equal((await waiting).snapshot, snapshotOf(2));
  },

  "waiting ends": async (place) => {
    const [one, other] = two(place);
    const first = await claimed(one, "a");
    equal(await Promise.all([one.claim("a", { wait: 0.05 }), other.claim("a", { wait: 0.3 }), one.claim("a")]), [
      undefined,
      undefined,
      undefined,
    ]);
    const patient = claimed(one, "a");
    equal(await one.claim("a", { wait: 0.05 }), undefined);
    await first.release();
    await (await patient).release();
  },

  "a signal ends the waiting, and no one else's": async (place) => {
    const [store] = two(place);
    const first = await claimed(store, "a");
    const controllers = [new AbortController(), new AbortController()];
    const waiting = controllers.map(({ signal }) => store.claim("a", { wait: null, signal }).catch(String));
    const patient = claimed(store, "a");
    controllers[1]!.abort(new Error("enough"));
    equal(await waiting[1], "Error: enough");
    controllers[0]!.abort(new Error("too long"));
    equal(await waiting[0], "Error: too long");
    equal(await store.claim("a", { signal: controllers[0]!.signal }).catch(String), "Error: too long");
    await first.release();
    const claim = await patient;
    equal(claim.lost.aborted, false);
    await claim.release();
  },

  "a signal does not end a claim": async (place) => {
    const [store] = two(place);
    const controller = new AbortController();
    const claim = (await store.claim("a", { signal: controller.signal }))!;
    controller.abort();
    await claim.save(snapshotOf(1));
    equal(claim.lost.aborted, false);
    await claim.release();
  },

  "a dead holder is replaced when its lease has ended": async (place) => {
    const [one, other] = two(place);
    await one.save("a", snapshotOf(5));
    const dead = await claimedByTheDead(one, "a", 1);
    const next = await claimed(other, "a");
    equal([dead.epoch, next.epoch, next.snapshot], [1, 2, snapshotOf(5)]);
    await next.save(snapshotOf(6));
    equal(await other.load("a"), snapshotOf(6));
    await next.release();
  },

  "a holder that comes back too late changes nothing": async (place) => {
    const [one, other] = two(place);
    const late = await claimedByTheDead(one, "a", 1);
    await late.save(snapshotOf(5)).catch(() => {});
    const next = await claimed(other, "a");
    await next.save(snapshotOf(6));
    const reasons: unknown[] = [];
    late.lost.addEventListener("abort", () => reasons.push(late.lost.reason));
    const error = await rejects(late.save(snapshotOf(99)), SnapshotError, "CLAIM_LOST");
    equal(reasons, [error]);
    await rejects(late.delete(), SnapshotError, "CLAIM_LOST");
    await rejects(late.verify(), SnapshotError, "CLAIM_LOST");
    await late.release();
    equal(await one.load("a"), snapshotOf(6));
    await next.verify();
    equal(await one.claim("a"), undefined);
    await next.release();
  },

  "clocks that differ too much end in a refusal, not in two writers": async (place) => {
    const [one, other] = two(place);
    for (const change of ["save", "delete", "verify"] as const) {
      const first = await claimed(one, change, 60);
      await first.save(snapshotOf(1));
      const second = await ahead(() => other.claim(change));
      equal([second?.epoch, second?.snapshot], [2, snapshotOf(1)]);
      equal(first.lost.aborted, false);
      await rejects(change === "save" ? first.save(snapshotOf(99)) : first[change](), SnapshotError, "CLAIM_LOST");
      equal(first.lost.aborted, true);
      equal((first.lost.reason as SnapshotError).code, "CLAIM_LOST");
      equal(await one.load(change), snapshotOf(1));
      await ahead(async () => {
        await second!.save(snapshotOf(2));
        await second!.release();
      });
      equal(await one.load(change), snapshotOf(2));
      await first.release();
      await (await claimed(one, change)).release();
    }
  },

  "an older snapshot is refused in a claim as well": async (place) => {
    const [store] = two(place);
    const claim = await claimed(store, "a");
    await claim.save(snapshotOf(5));
    await rejects(claim.save(snapshotOf(4)), SnapshotError, "SNAPSHOT_STALE");
    await rejects(claim.save(new Uint8Array(30)), RecoverError, "SNAPSHOT_FORMAT");
    await claim.save(snapshotOf(5, { fill: 1 }));
    equal([claim.lost.aborted, await store.load("a")], [false, snapshotOf(5, { fill: 1 })]);
    await claim.release();
  },

  "a run may be deleted in a claim, and begin anew": async (place) => {
    const [one, other] = two(place);
    const claim = await claimed(one, "a");
    equal(await claim.delete(), false);
    await claim.save(snapshotOf(9));
    equal([await claim.delete(), await other.load("a")], [true, undefined]);
    equal(await other.claim("a"), undefined);
    await claim.save(snapshotOf(1));
    await claim.delete();
    await claim.release();
    const next = await claimed(other, "a");
    equal(next.snapshot, undefined);
    await next.save(snapshotOf(2));
    await next.release();
    equal(await one.list(), ["a"]);
  },

  "deleting without a claim leaves the claim, and its holder may save": async (place) => {
    const [one, other] = two(place);
    const claim = await claimed(one, "a");
    await claim.save(snapshotOf(9));
    equal(await other.delete("a"), true);
    equal(await other.claim("a"), undefined);
    await claim.save(snapshotOf(10));
    equal(await other.load("a"), snapshotOf(10));
    await claim.release();
    equal(await other.delete("a"), true);
    await (await claimed(other, "a")).release();
  },

  "several megabytes are nothing special in a claim": async (place) => {
    const [one, other] = two(place);
    const claim = await claimed(one, "a");
    for (const sequence of [1, 2])
      await claim.save(snapshotOf(sequence, { size: 3_000_000 / sequence, fill: sequence }));
    await claim.release();
    equal((await claimed(other, "a")).snapshot, snapshotOf(2, { size: 1_500_000, fill: 2 }));
  },

  "bad options are refused": async (place) => {
    const [store] = two(place);
    for (const wait of [-1, NaN, "1"] as number[]) {
      await rejects(store.claim("a", { wait }), ValidationError, "INVALID_DURATION");
    }
    for (const lease of [0, -1, NaN, Infinity, "1"] as number[]) {
      await rejects(store.claim("a", { lease }), ValidationError, "INVALID_DURATION");
    }
    await rejects(store.claim("a", { waits: 1 } as object), ValidationError, "INVALID_OPTION");
    await rejects(store.claim("a", 5 as never), ValidationError, "INVALID_OPTION");
    await rejects(store.claim("", {}), ValidationError, "INVALID_OPTION");
    await rejects(store.claim(undefined as never), ValidationError, "INVALID_OPTION");
    await (await claimed(store, "a")).release();
  },
};
