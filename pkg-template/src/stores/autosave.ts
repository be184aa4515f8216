// Keeps the snapshot of a run in a store up to date while the run goes on.

import { type OptionNames, checkOptions } from "../errors/check-options.js";
import { ValidationError, type WorkflowError } from "../errors/errors.js";
import { milliseconds } from "../model/duration.js";
import type { RunStatus } from "../model/run.js";
import { type ObservableRun, type Observation, observe } from "../model/run-observer.js";
import { onAbort } from "../util/abort.js";
import { describe } from "../util/describe.js";
import { errorMessage } from "../util/error-message.js";
import type { Claim } from "./claim.js";
import type { PlainSnapshotStore } from "./snapshot-store.js";

/** A run, as {@link autosave} takes it. */
export interface SavableRun {
  readonly runId: string;
  readonly status: RunStatus;
  snapshot(): Uint8Array;
}

/** Options of {@link autosave}. */
export interface AutosaveOptions {
  /**
   * After how many seconds a run that is at work is saved again; null for only when it waits or has ended. Default: 5.
   */
  readonly every?: number | null | undefined;
  /**
   * Gets each error of a save. After it, the save is tried again at the next occasion, after `every` seconds at the
   * latest; not after `SNAPSHOT_STALE`, `CLAIM_LOST` and `CLAIM_RELEASED`, which end the saving. Default: a warning, by
   * the workflow's `onWarning`.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Deletes the snapshot when the run has completed, in place of saving the end. Default: false. */
  readonly deleteWhenDone?: boolean | undefined;
}

const optionNames: OptionNames<AutosaveOptions> = { every: 1, onError: 1, deleteWhenDone: 1 };

/** A run that is being saved. */
export interface Autosave {
  /**
   * Saves the run as it is now; resolves when that is in the store. After the run has ended, this is its end.
   *
   * @throws What the save was refused with.
   */
  flush(): Promise<void>;
  /** Ends the saving. A save that has begun is completed. No timer is left. */
  stop(): void;
}

const SECONDS = 5;

/** After these, no later save can succeed. */
const FINAL: readonly unknown[] = ["SNAPSHOT_STALE", "CLAIM_LOST", "CLAIM_RELEASED"];

/**
 * Saves a run while it goes on: every few seconds while it is at work, and whenever it comes to wait or ends. In a page
 * also when the page is hidden or left. One save at a time is made; what comes meanwhile is one save after it. It
 * neither begins nor ends the run, and ends with it.
 *
 * ```ts
 * const claim = await store.claim(runId, { wait: 10 });
 * const run = workflow.recover(claim.snapshot, { signal: claim.lost });
 * const saving = autosave(run, claim, { every: 2 });
 * await run.idle();
 * await saving.flush();
 * await claim.release();
 * ```
 *
 * @param run A run, whether it has begun or not.
 * @param store A store, or the claim of this run.
 * @throws ValidationError `INVALID_OPTION`, `INVALID_DURATION`
 */
export function autosave(run: SavableRun, store: PlainSnapshotStore | Claim, options: AutosaveOptions = {}): Autosave {
  checkOptions(options, optionNames, "autosave");
  const { every = SECONDS, onError, deleteWhenDone = false } = options;
  const pause = milliseconds(every, "`every`");
  const refuse = (what: string, value: unknown): never => {
    throw new ValidationError("INVALID_OPTION", `${what} is ${describe(value)}.`);
  };
  if (typeof (run as unknown as Partial<ObservableRun> | null)?.[observe] !== "function") refuse("The run", run);
  if (typeof (store as Partial<Claim> | null)?.save !== "function") refuse("The store", store);
  if (onError !== undefined && typeof onError !== "function") refuse("`onError`", onError);
  if (typeof deleteWhenDone !== "boolean") refuse("`deleteWhenDone`", deleteWhenDone);
  if (isClaim(store) && store.runId !== run.runId) refuse("The claim is of another run, whose id", store.runId);
  return new Saving(run, targetOf(run, store), pause, onError, deleteWhenDone);
}

/** What saves and deletes the run. */
interface Target {
  save(snapshot: Uint8Array): Promise<void>;
  delete(): Promise<boolean>;
  readonly lost?: AbortSignal;
}

const isClaim = (store: PlainSnapshotStore | Claim): store is Claim => "release" in store;

function targetOf({ runId }: SavableRun, store: PlainSnapshotStore | Claim): Target {
  if (isClaim(store)) {
    return { save: (snapshot) => store.save(snapshot), delete: () => store.delete(), lost: store.lost as AbortSignal };
  }
  return { save: (snapshot) => store.save(runId, snapshot), delete: () => store.delete(runId) };
}

class Saving implements Autosave {
  readonly #run: SavableRun;
  readonly #target: Target;
  /** In milliseconds; negative for never. */
  readonly #every: number;
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #deletes: boolean;
  readonly #observation: Observation;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The save that is being made, and those that were asked for since. */
  #saving: Promise<void> | undefined;
  #isPending = false;
  /** The error of the last save. */
  #failure: { readonly error: unknown } | undefined;
  /** Nothing is saved any more: the end is in the store, or cannot be. */
  #isDone = false;
  #isStopped = false;
  #unlisten: () => void;

  constructor(
    run: SavableRun,
    target: Target,
    every: number,
    onError: ((error: unknown) => void) | undefined,
    deletes: boolean,
  ) {
    this.#run = run;
    this.#target = target;
    this.#every = every;
    this.#onError = onError;
    this.#deletes = deletes;
    this.#observation = (run as unknown as ObservableRun)[observe](() => this.#changed());
    this.#unlisten = listenToPage(() => void this.#save());
    const { lost } = target;
    const unlisten = this.#unlisten;
    const leave = onAbort(lost, () => this.#failed(lost!.reason));
    this.#unlisten = () => {
      unlisten();
      leave();
    };
    if (!this.#isStopped && run.status !== "created") this.#changed();
  }

  async flush(): Promise<void> {
    if (!this.#isDone) await this.#save();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  stop(): void {
    this.#isStopped = true;
    this.#isPending = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unlisten();
    this.#observation.stop();
  }

  get #isEnded(): boolean {
    return ["completed", "failed", "cancelled"].includes(this.#run.status);
  }

  /** It goes on by itself, at once or when a sleep is over. */
  get #isAtWork(): boolean {
    return ["running", "sleeping"].includes(this.#run.status);
  }

  #changed(): void {
    if (this.#isAtWork) this.#startTimer();
    // The run is in the middle of its change.
    else queueMicrotask(() => this.#isStopped || void this.#save());
  }

  #startTimer(): void {
    if (this.#every < 0 || this.#isStopped || this.#timer !== undefined) return;
    const time = Math.min(this.#every, 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#save();
    }, time);
  }

  /** Saves the run as it is now, after the save that is being made. Never rejects. */
  #save(): Promise<void> {
    this.#isPending = true;
    this.#saving ??= this.#saveAll();
    return this.#saving;
  }

  async #saveAll(): Promise<void> {
    while (this.#isPending && !this.#isDone) {
      this.#isPending = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      await this.#saveOnce();
    }
    // Before anything else can ask for a save.
    this.#saving = undefined;
    // What is at work changes, and what has failed is tried again.
    if (this.#isAtWork || this.#failure !== undefined) this.#startTimer();
  }

  async #saveOnce(): Promise<void> {
    const { status } = this.#run;
    const isEnded = this.#isEnded;
    let snapshot: Uint8Array | undefined;
    try {
      if (this.#deletes && status === "completed") {
        await this.#target.delete();
      } else {
        snapshot = this.#run.snapshot();
        await this.#target.save(snapshot);
      }
      this.#failure = undefined;
      if (isEnded) this.#finish();
    } catch (error) {
      // The snapshot of a run that has ended will not be another one.
      this.#failed(error, isEnded && snapshot === undefined && !(this.#deletes && status === "completed"));
    }
  }

  #finish(): void {
    this.#isDone = true;
    this.stop();
  }

  #failed(error: unknown, isFinal = FINAL.includes((error as Partial<WorkflowError> | null)?.code)): void {
    if (this.#isDone) return;
    this.#failure = { error };
    if (isFinal || FINAL.includes((error as Partial<WorkflowError> | null)?.code)) this.#finish();
    try {
      if (this.#onError !== undefined) return this.#onError(error);
      const next = this.#isDone ? "It is not saved any more." : "The next save tries again.";
      this.#warn(`The run "${this.#run.runId}" was not saved: ${errorMessage(error)} ${next}`);
    } catch (thrown) {
      this.#warn(`\`onError\` of autosave has thrown: ${errorMessage(thrown)}`);
    }
  }

  #warn(message: string): void {
    try {
      this.#observation.warn(message);
    } catch {
      // What a program's `onWarning` throws has nowhere to go.
    }
  }
}

/** Calls a function when the page is hidden or left, if there is one; returns what ends that. */
function listenToPage(leaving: () => void): () => void {
  if (typeof document === "undefined") return () => {};
  const hidden = (): void => {
    if (document.visibilityState === "hidden") leaving();
  };
  document.addEventListener("visibilitychange", hidden);
  addEventListener("pagehide", leaving);
  return () => {
    document.removeEventListener("visibilitychange", hidden);
    removeEventListener("pagehide", leaving);
  };
}
