// Answers and resources of the engine: how they are read, when they are freed, what happens when it traps.

import { EngineError, RecoverError, SnapshotError, ValidationError, WorkflowError } from "../errors.js";
import { codes } from "./codes.js";
import { discardEngine, engine, engineMemory, engineNumber } from "./wasm.js";
import { codeOf } from "./words.js";

let words = new Uint32Array(0);

/** The engine's memory as words. Good until the next call into the engine. */
export function memoryWords(): Uint32Array {
  // A buffer that has grown leaves its old views empty.
  if (words.length === 0) words = new Uint32Array(engineMemory().buffer);
  return words;
}

/** The error for a code that the engine has answered. */
export function engineError(number: number, detail = ""): WorkflowError {
  const code = codeOf(number);
  switch (codes[code].class) {
    case "ValidationError":
      return new ValidationError(code, detail);
    case "SnapshotError":
      return new SnapshotError(code, detail);
    case "RecoverError":
      return new RecoverError(code, detail);
    default:
      return new EngineError(code, detail);
  }
}

/** A number, unless it is minus the number of an error. */
export function expectNumber(answer: number, detail = ""): number {
  if (answer < 0) throw engineError(-answer, detail);
  return answer;
}

/** The reply in an answer that consists of nothing else. */
export function readReply(pointer: number): Uint32Array {
  const memory = memoryWords();
  const at = pointer >>> 2;
  const error = memory[at]!;
  if (error !== 0) throw engineError(error);
  return memory.slice(at + 3, at + 3 + memory[at + 1]!);
}

/** A copy of bytes that the engine speaks of. */
export function copyBytes(address: number, length: number): Uint8Array {
  return new Uint8Array(memoryWords().buffer, address, length).slice();
}

/** What to do when the engine has trapped. */
export interface Survivor {
  poison(error: EngineError): void;
}

const survivors = new Set<WeakRef<Survivor>>();

/** Registers somebody who must learn of a trap. Held weakly; returns how to unregister. */
export function onTrap(survivor: Survivor): WeakRef<Survivor> {
  const reference = new WeakRef(survivor);
  survivors.add(reference);
  return reference;
}

/** The opposite of {@link onTrap}. */
export function offTrap(reference: WeakRef<Survivor>): void {
  survivors.delete(reference);
}

/**
 * Called with what a call into the engine threw. The instance is in an unknown state: it is dropped, and everybody who has
 * something in it is told, in the next microtask. The next use gets a fresh one.
 */
export function trapped(cause: unknown): EngineError {
  const error = new EngineError("ENGINE_PANICKED", "", { cause });
  const told = [...survivors];
  // Later, on a stack of its own: this one may be full, and who learns of it only half would hang.
  queueMicrotask(() => {
    for (const reference of told) reference.deref()?.poison(error);
  });
  survivors.clear();
  discardEngine();
  words = new Uint32Array(0);
  isInside = false;
  return error;
}

/** A call into the engine has begun and not come back. */
let isInside = false;

/**
 * Before a call into the engine; {@link leave} comes after it. A stack that overflowed inside a call may have left no room
 * to do anything about it: then it is done at the next call, which is this one.
 */
export function enter(): void {
  if (isInside) trapped(undefined);
  isInside = true;
}

/** A call has come back. */
export function leave(): void {
  isInside = false;
}

/** Calls the engine. @throws EngineError after a trap; what the answer reader throws, as it is. */
export function ask<T>(call: () => T): T {
  enter();
  try {
    const answer = call();
    leave();
    return answer;
  } catch (thrown) {
    // Whatever else comes out of a call (a trap, a stack overflow) has left the engine in the middle of something.
    if (!(thrown instanceof WorkflowError)) throw trapped(thrown);
    leave();
    throw thrown;
  }
}

type Free = "graph_free" | "engine_free" | "replay_free";

interface Held {
  readonly handle: number;
  readonly instance: number;
  readonly free: Free;
}

function release({ handle, instance, free }: Held): void {
  // What was in an instance that is gone is gone with it.
  if (instance !== engineNumber()) return;
  try {
    ask(() => engine()[free](handle));
  } catch {
    // Whoever is concerned will be told; who frees something, or is a garbage collector, is not.
  }
}

/** Frees what users abandoned. Made at first use: nothing may happen at module scope. */
let net: FinalizationRegistry<Held> | undefined;

/** Something that lives in the engine's memory. */
export class EngineResource {
  readonly #held: Held;
  #isFreed = false;

  /** @param owner When it is collected, the resource is freed at the latest. */
  constructor(owner: object, handle: number, free: Free) {
    this.#held = { handle, instance: engineNumber(), free };
    net ??= new FinalizationRegistry(release);
    net.register(owner, this.#held, this);
  }

  get handle(): number {
    return this.#held.handle;
  }

  /** Whether it was in an instance that is gone. */
  get isStale(): boolean {
    return this.#held.instance !== engineNumber();
  }

  free(): void {
    if (this.#isFreed) return;
    this.#isFreed = true;
    net?.unregister(this);
    release(this.#held);
  }
}
