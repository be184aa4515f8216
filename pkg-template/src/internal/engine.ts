// Answers and resources of the engine: how they are read, when they are freed.

import { EngineError, RecoverError, SnapshotError, ValidationError, type WorkflowError } from "../errors.js";
import { codes } from "./codes.js";
import type { Survivor } from "./wasm-module.js";
import { engine, engineModule } from "./wasm.js";
import { codeOf } from "./code-of.js";

export type { Survivor };

/** The engine's memory as words. Good until the next call into the engine. */
export function memoryWords(): Uint32Array {
  return engineModule.words();
}

/** The same, signed. */
export function memoryInts(): Int32Array {
  return engineModule.ints();
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

/** {@link WasmModule.onTrap} of the engine. */
export function onTrap(survivor: Survivor): WeakRef<Survivor> {
  return engineModule.onTrap(survivor);
}

/** The opposite of {@link onTrap}. */
export function offTrap(reference: WeakRef<Survivor>): void {
  engineModule.offTrap(reference);
}

/** {@link WasmModule.trapped} of the engine. */
export function trapped(cause: unknown): EngineError {
  return engineModule.trapped(cause);
}

/** {@link WasmModule.enter} of the engine. */
export function enter(): void {
  engineModule.enter();
}

/** {@link WasmModule.leave} of the engine. */
export function leave(): void {
  engineModule.leave();
}

/** {@link WasmModule.ask} of the engine. */
export function ask<T>(call: () => T): T {
  return engineModule.ask(call);
}

type Free = "graph_free" | "engine_free" | "snapshot_free" | "replay_free";

interface Held {
  readonly handle: number;
  readonly instance: number;
  readonly free: Free;
}

function release({ handle, instance, free }: Held): void {
  // What was in an instance that is gone is gone with it.
  if (instance !== engineModule.number) return;
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
    this.#held = { handle, instance: engineModule.number, free };
    net ??= new FinalizationRegistry(release);
    net.register(owner, this.#held, this);
  }

  /** @throws EngineError when it was in an instance that is gone: the next one may have given the number to something else. */
  get handle(): number {
    if (this.isStale) throw new EngineError("ENGINE_PANICKED");
    return this.#held.handle;
  }

  /** Whether it was in an instance that is gone. */
  get isStale(): boolean {
    return this.#held.instance !== engineModule.number;
  }

  free(): void {
    if (this.#isFreed) return;
    this.#isFreed = true;
    net?.unregister(this);
    release(this.#held);
  }
}
