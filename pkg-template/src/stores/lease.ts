// Leases: who may change a run in a store, and until when. A store keeps one for each run that was claimed, beside the
// snapshot.
//
// 1. Every claim raises the epoch, so that what an earlier holder still does can be refused (`checkHeld`).
// 2. A lease is changed by compare-and-set only: of two that claim at once, one fails (`setLease` of a backend).
// 3. Times are those of `Date.now()`. A holder gives up at `until`; others wait a tenth of the lease longer. So two
//    clocks may differ by as much. If they differ by more, two may hold one claim for a while, of which the store takes
//    changes from the later one alone.

import { SnapshotError } from "../errors/errors.js";

/** The lease of a run. It stays when it is given back, so that epochs go on. */
export interface Lease {
  /** How many claims there were. */
  readonly epoch: number;
  /** An id of the claim. */
  readonly holder: string;
  /** When it ends, as `Date.now()` counts; 0 when it was given back. */
  readonly until: number;
  /** For how many milliseconds it is renewed. */
  readonly length: number;
  /** Whether the holder's life can be watched, in a store that supports it. */
  readonly isWatched?: boolean;
}

/**
 * Whether a stored lease is the one that is to be replaced. A holder may replace its own whatever it knows of its end:
 * a renewal may have been stored and its answer lost.
 */
export function isExpected(stored: Lease | undefined, before: Lease | undefined, next: Lease | undefined): boolean {
  if (stored?.epoch !== before?.epoch || stored?.holder !== before?.holder) return false;
  return next === undefined || next.epoch === before?.epoch || stored?.until === before?.until;
}

/** How many milliseconds a lease still keeps others away. */
export function remainingOf(lease: Lease | undefined): number {
  if (lease === undefined || lease.until === 0) return 0;
  return Math.max(0, lease.until + lease.length / 10 - Date.now());
}

/** @throws SnapshotError `CLAIM_LOST` when the stored lease is not the one that is held. */
export function checkHeld(stored: Lease | undefined, held: Lease | undefined): void {
  if (held === undefined || (stored?.epoch === held.epoch && stored.holder === held.holder)) return;
  const now = stored === undefined ? "there is no claim" : `the latest has number ${stored.epoch}`;
  throw new SnapshotError("CLAIM_LOST", `It was claim number ${held.epoch} of the run; now ${now}.`);
}

/** A lease from what a store has kept; undefined when it is none. */
export function asLease(value: unknown): Lease | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { epoch, holder, until, length, isWatched } = value as { readonly [Member in keyof Lease]?: unknown };
  const isLease =
    Number.isSafeInteger(epoch) &&
    typeof holder === "string" &&
    typeof until === "number" &&
    typeof length === "number" &&
    length > 0;
  if (!isLease) return undefined;
  return { epoch: epoch as number, holder, until, length, ...(isWatched === true ? { isWatched } : {}) };
}

/** A lease as bytes, for storages that keep nothing else. */
export const leaseBytes = (lease: Lease): Uint8Array => new TextEncoder().encode(JSON.stringify(lease));

/** The opposite of {@link leaseBytes}; undefined when the bytes are incomplete. */
export function leaseFrom(bytes: Uint8Array): Lease | undefined {
  try {
    return asLease(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}
