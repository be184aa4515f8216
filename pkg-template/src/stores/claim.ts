// Claims: one holder of a run at a time, whoever shares the store. What a store must provide for it is `LeaseBackend`;
// waiting, renewing and giving up are here, the same for all of them.

import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { SnapshotError, ValidationError, type WorkflowError } from "../errors/errors.js";
import { milliseconds } from "../model/duration.js";
import { onAbort, throwIfAborted } from "../util/abort.js";
import { describe } from "../util/describe.js";
import { newId } from "../util/new-id.js";
import type { Signal } from "../util/platform.js";
import { type Lease, checkHeld, remainingOf } from "./lease.js";

/** Options of `store.claim`. */
export interface ClaimOptions {
  /**
   * How many seconds to wait while another holds the run; null for any time. Those that wait in one store object get
   * the run in the order in which they asked; between processes and tabs there is no order. Default: 0.
   */
  readonly wait?: number | null | undefined;
  /**
   * For how many seconds the claim lasts if its holder dies or stands still. While it is held, it is renewed after each
   * third. Default: 30; in IndexedDB 120, as browsers slow down the timers of hidden tabs.
   */
  readonly lease?: number | undefined;
  /** Ends the waiting: the promise rejects with the signal's reason. It does not end a claim. */
  readonly signal?: Signal | undefined;
}

const optionNames: OptionNames<ClaimOptions> = { wait: 1, lease: 1, signal: 1 };

/** The key of `await using`, where the compiler's library has it. */
type AsyncDisposeKey = SymbolConstructor extends { readonly asyncDispose: infer Key extends symbol } ? Key : never;

/** Lets `await using` release a claim, where the compiler's library knows it. */
export type ReleasedByUsing = { readonly [Key in AsyncDisposeKey]: () => Promise<void> };

/**
 * A run that no one else has claimed. It is renewed until it is released. A holder that was paused for longer than its
 * lease loses it: then `lost` aborts, and whatever it still tries through the claim is refused with `CLAIM_LOST`.
 *
 * ```ts
 * await using claim = await store.claim(runId, { wait: 10 });
 * if (claim?.snapshot === undefined) throw new Error("There is no such run, or it is busy.");
 * const run = workflow.recover(claim.snapshot, { signal: claim.lost }).with(data);
 * await run.idle();
 * await claim.save(run.snapshot());
 * ```
 */
export interface Claim extends ReleasedByUsing {
  /** The run's id. */
  readonly runId: string;
  /** The run's latest snapshot at the time of the claim; undefined when there is none. */
  readonly snapshot: Uint8Array | undefined;
  /**
   * How many claims of the run there were, this one included. Other systems can refuse a holder that is late, if they
   * remember the highest number that they have seen. It begins anew when the run was deleted.
   */
  readonly epoch: number;
  /** Aborts when the claim is lost, with the error as its reason; not when it is released. */
  readonly lost: Signal;
  /**
   * As `save` of the store, as long as the claim is held.
   *
   * @throws SnapshotError `CLAIM_LOST`, `CLAIM_RELEASED`; and what `save` of the store throws.
   */
  save(snapshot: Uint8Array): Promise<void>;
  /**
   * As `delete` of the store, as long as the claim is held.
   *
   * @throws SnapshotError `CLAIM_LOST`, `CLAIM_RELEASED`
   */
  delete(): Promise<boolean>;
  /**
   * Asks the store whether the claim is still held: for the moment before a side effect that must not happen twice.
   *
   * @throws SnapshotError `CLAIM_LOST`, `CLAIM_RELEASED`
   */
  verify(): Promise<void>;
  /**
   * Gives the run back, after what was asked of the claim before. Does nothing when it was released or lost. Also as
   * `await using`, where the runtime knows it.
   */
  release(): Promise<void>;
}

/** What a storage must do for claims. */
export interface LeaseBackend {
  /** For how many seconds a claim lasts by default. Default: 30. */
  readonly leaseSeconds?: number;
  /** The run's lease. */
  leaseOf(runId: string): Promise<Lease | undefined>;
  /**
   * Stores a lease in place of another, or removes it; resolves with false, and changes nothing, when the stored one is
   * not `before`. Check and change are atomic, as far as the storage allows.
   */
  setLease(runId: string, before: Lease | undefined, next: Lease | undefined): Promise<boolean>;
  /** The run's snapshot for a new holder. After it, an earlier holder can change nothing. */
  adopt(runId: string, held: Lease): Promise<Uint8Array | undefined>;
  /** How the life of holders is watched, where that is possible. */
  readonly watch?: HolderWatch | undefined;
}

/** Tells of holders that died, before their leases end. */
export interface HolderWatch {
  /** Shows that the holder is alive, until the function that it resolves with is called. */
  begin(holder: string): Promise<() => void>;
  /** Whether the holder of a watched lease is gone. */
  isGone(holder: string): Promise<boolean>;
  /** Resolves when the holder is gone; or when the signal aborts. */
  whenGone(holder: string, signal: AbortSignal): Promise<void>;
}

/** What a store does for the holder of a claim. */
export interface HeldOperations {
  save(runId: string, snapshot: Uint8Array, held: Lease): Promise<void>;
  remove(runId: string, held: Lease): Promise<boolean>;
  /** Runs work when everything that was asked for the run before is done. */
  inTurn<T>(runId: string, work: () => Promise<T>): Promise<T>;
}

const LEASE_SECONDS = 30;

/** After how many milliseconds a waiting claim looks again, in case that another process has released the run. */
const POLL = 200;

const ignore = (): void => {};

/** The claims of one store. */
export class Claims {
  readonly #backend: LeaseBackend;
  readonly #operations: HeldOperations;
  /** For each run, what settles when all that have asked for it have got it or left. */
  readonly #lines = new Map<string, Promise<void>>();
  /** For each run, what wakes the one that waits at the head of the line. */
  readonly #wakers = new Map<string, () => void>();

  constructor(backend: LeaseBackend, operations: HeldOperations) {
    this.#backend = backend;
    this.#operations = operations;
  }

  /** See `SnapshotStore.claim`. */
  async claim(runId: string, options: ClaimOptions): Promise<Claim | undefined> {
    const { length, deadline, signal } = this.#check(options);
    throwIfAborted(signal);
    const ahead = this.#lines.get(runId);
    let leave = ignore;
    const here = new Promise<void>((resolve) => (leave = resolve));
    const line = Promise.all([ahead, here]).then(ignore);
    this.#lines.set(runId, line);
    void line.then(() => this.#lines.get(runId) === line && this.#lines.delete(runId));
    try {
      if (ahead !== undefined && !(await within(ahead, deadline - performance.now(), signal))) return undefined;
      return await this.#claimAtHead(runId, length, deadline, signal);
    } finally {
      leave();
    }
  }

  #check(options: ClaimOptions): { length: number; deadline: number; signal: AbortSignal | undefined } {
    checkOptions(options, optionNames, "claim");
    const { wait = 0, lease = this.#backend.leaseSeconds ?? LEASE_SECONDS, signal } = options;
    const patience = milliseconds(wait, "`wait`");
    const length = milliseconds(lease, "`lease`");
    if (!(length > 0)) throw new ValidationError("INVALID_DURATION", `\`lease\` is ${describe(lease)}.`);
    return {
      length,
      deadline: patience < 0 ? Infinity : performance.now() + patience,
      signal: signal as AbortSignal | undefined,
    };
  }

  async #claimAtHead(
    runId: string,
    length: number,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<Claim | undefined> {
    const { watch } = this.#backend;
    for (;;) {
      throwIfAborted(signal);
      const found = await this.#backend.leaseOf(runId);
      const remaining = remainingOf(found);
      const isGone = remaining > 0 && found!.isWatched === true && (await watch?.isGone(found!.holder)) === true;
      if (remaining === 0 || isGone) {
        const claim = await this.#take(runId, found, length, signal);
        if (claim !== undefined) return claim;
        continue;
      }
      const patience = deadline - performance.now();
      if (patience <= 0) return undefined;
      await this.#pause(runId, found!, Math.min(patience, remaining, POLL), signal);
    }
  }

  /** Takes a run whose lease is over; undefined when another was quicker. */
  async #take(
    runId: string,
    before: Lease | undefined,
    length: number,
    signal: AbortSignal | undefined,
  ): Promise<Claim | undefined> {
    const backend = this.#backend;
    const holder = newId();
    const end = (await backend.watch?.begin(holder)) ?? ignore;
    const isWatched = backend.watch !== undefined;
    let held: HeldClaim | undefined;
    try {
      const begun = performance.now();
      const epoch = (before?.epoch ?? 0) + 1;
      const lease = { epoch, holder, until: Date.now() + length, length, ...(isWatched ? { isWatched } : {}) };
      if (!(await backend.setLease(runId, before, lease))) return undefined;
      held = new HeldClaim(backend, this.#operations, runId, lease, begun, () => {
        end();
        this.#wakers.get(runId)?.();
      });
      held.snapshot = await backend.adopt(runId, lease);
      throwIfAborted(signal);
      return held;
    } catch (error) {
      await held?.release().catch(ignore);
      held = undefined;
      throw error;
    } finally {
      if (held === undefined) end();
    }
  }

  /** Waits for a time, or until the holder has released the run, is gone, or the signal aborts. */
  async #pause(runId: string, found: Lease, time: number, signal: AbortSignal | undefined): Promise<void> {
    const { watch } = this.#backend;
    const over = new AbortController();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, time);
      const unlisten = onAbort(signal, resolve);
      this.#wakers.set(runId, resolve);
      if (found.isWatched === true) void watch?.whenGone(found.holder, over.signal).then(resolve, ignore);
      onAbort(over.signal, () => {
        clearTimeout(timer);
        unlisten();
        this.#wakers.delete(runId);
      });
    }).finally(() => over.abort());
  }
}

/** Whether a promise settles within a time. @throws The reason of the signal, when it aborts. */
async function within(promise: Promise<void>, time: number, signal: AbortSignal | undefined): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let unlisten = ignore;
  try {
    const isSettled = await new Promise<boolean>((resolve) => {
      // Longer times than a timer can count are as good as any time.
      if (time < 2 ** 31) timer = setTimeout(() => resolve(false), Math.max(0, time));
      unlisten = onAbort(signal, () => resolve(false));
      void promise.then(() => resolve(true));
    });
    throwIfAborted(signal);
    return isSettled;
  } finally {
    clearTimeout(timer);
    unlisten();
  }
}

/** A timer that does not keep a program alive, where the runtime knows such timers. */
function startTimer(work: () => void, time: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(work, Math.min(Math.max(0, time), 2 ** 31 - 1));
  (timer as unknown as { unref?: () => void }).unref?.();
  return timer;
}

// The member for `await using` has a key that not every compiler's library knows.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unsafe-declaration-merging
interface HeldClaim extends ReleasedByUsing {}

/** A claim that was taken. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
class HeldClaim implements Claim {
  readonly runId: string;
  snapshot: Uint8Array | undefined;
  readonly epoch: number;
  readonly #backend: LeaseBackend;
  readonly #operations: HeldOperations;
  /** Called once, when the claim is held no longer. */
  readonly #onEnd: () => void;
  readonly #lost = new AbortController();
  #lease: Lease;
  /** When the lease ends, as `performance.now()` counts: `Date.now()` may be set back. */
  #end: number;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  /** The renewal that is under way. */
  #renewing: Promise<void> | undefined;
  #releasing: Promise<void> | undefined;
  /** What has been saved or deleted through the claim; undefined before that. */
  #isKept: boolean | undefined;

  /** @param begun When the lease began, as `performance.now()` counts. */
  constructor(
    backend: LeaseBackend,
    operations: HeldOperations,
    runId: string,
    lease: Lease,
    begun: number,
    onEnd: () => void,
  ) {
    this.#backend = backend;
    this.#operations = operations;
    this.runId = runId;
    this.epoch = lease.epoch;
    this.#lease = lease;
    this.#end = begun + lease.length;
    this.#onEnd = onEnd;
    this.#startTimers();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async save(snapshot: Uint8Array): Promise<void> {
    await this.#change(() => this.#operations.save(this.runId, snapshot, this.#lease));
    this.#isKept = true;
  }

  async delete(): Promise<boolean> {
    const isDeleted = await this.#change(() => this.#operations.remove(this.runId, this.#lease));
    this.#isKept = false;
    return isDeleted;
  }

  async verify(): Promise<void> {
    await this.#change(async () => checkHeld(await this.#backend.leaseOf(this.runId), this.#lease));
  }

  release(): Promise<void> {
    this.#releasing ??= this.#release().catch((error: unknown) => {
      // It may be tried again; the lease ends by itself otherwise.
      this.#releasing = undefined;
      throw error;
    });
    return this.#releasing;
  }

  async #release(): Promise<void> {
    if (this.lost.aborted) return;
    this.#stopTimers();
    await this.#renewing;
    const { runId } = this;
    await this.#operations.inTurn(runId, () => {
      const isKept = this.#isKept ?? this.snapshot !== undefined;
      return this.#backend.setLease(runId, this.#lease, isKept ? { ...this.#lease, until: 0 } : undefined);
    });
    this.#onEnd();
  }

  /** Does something that needs the claim. */
  async #change<T>(work: () => Promise<T>): Promise<T> {
    if (this.#releasing !== undefined) throw new SnapshotError("CLAIM_RELEASED", `The run is "${this.runId}".`);
    if (!this.lost.aborted && this.#isOver()) this.#lose();
    if (this.lost.aborted) throw this.lost.reason;
    try {
      return await work();
    } catch (error) {
      if ((error as Partial<WorkflowError> | null)?.code === "CLAIM_LOST") this.#lose(error as WorkflowError);
      throw error;
    }
  }

  #isOver(): boolean {
    return Date.now() >= this.#lease.until || performance.now() >= this.#end;
  }

  #lose(error: WorkflowError = new SnapshotError("CLAIM_LOST", `The run is "${this.runId}".`)): void {
    if (this.lost.aborted || this.#releasing !== undefined) return;
    this.#stopTimers();
    this.#lost.abort(error);
    this.#onEnd();
  }

  #startTimers(delay = this.#lease.length / 3): void {
    this.#stopTimers();
    this.#expiry = startTimer(() => this.#lose(), this.#end - performance.now());
    this.#renewal = startTimer(() => {
      this.#renewing = this.#renew();
    }, delay);
  }

  #stopTimers(): void {
    clearTimeout(this.#renewal);
    clearTimeout(this.#expiry);
  }

  async #renew(): Promise<void> {
    // It stood still for too long: another may have the run already.
    if (this.#isOver()) return this.#lose();
    const { length } = this.#lease;
    const next = { ...this.#lease, until: Date.now() + length };
    const begun = performance.now();
    let isHeld: boolean | undefined;
    try {
      isHeld = await this.#backend.setLease(this.runId, this.#lease, next);
    } catch {
      // The storage may be back before the lease ends.
    }
    if (isHeld === true) {
      this.#lease = next;
      this.#end = begun + length;
    }
    if (this.lost.aborted || this.#releasing !== undefined) return;
    if (isHeld === false) return this.#lose();
    this.#startTimers(isHeld === true ? length / 3 : length / 10);
  }
}

// Where runtimes have no `Symbol.asyncDispose`, there is no `await using` either that would look for it.
if (typeof Symbol.asyncDispose === "symbol") {
  Object.defineProperty(HeldClaim.prototype, Symbol.asyncDispose, { value: HeldClaim.prototype.release });
}
