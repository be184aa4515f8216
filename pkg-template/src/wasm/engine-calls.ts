// Calls of the engine: how one is made, and how its reply is read.

import { EngineError, RecoverError, SnapshotError, ValidationError, type WorkflowError } from "../errors/errors.js";
import { codes } from "../errors/codes.js";
import { engineModule } from "./engine-module.js";
import { codeOf } from "../errors/code-of.js";

/** The engine's memory as words. Good until the next call into the engine. */
export function memoryWords(): Uint32Array {
  return engineModule.words();
}

/** The same, signed. */
export function memoryInts(): Int32Array {
  return engineModule.ints();
}

/** The error for a code that the engine has replied. */
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
export function expectNumber(reply: number, detail = ""): number {
  if (reply < 0) throw engineError(-reply, detail);
  return reply;
}

/** The words of a reply that has no commands. */
export function readReply(pointer: number): Uint32Array {
  const memory = memoryWords();
  const at = pointer >>> 2;
  const error = memory[at]!;
  if (error !== 0) throw engineError(error);
  return memory.slice(at + 3, at + 3 + memory[at + 1]!);
}

/** A copy of bytes in the engine's memory. */
export function copyBytes(address: number, length: number): Uint8Array {
  return new Uint8Array(memoryWords().buffer, address, length).slice();
}

/** Makes a call of the engine. @throws EngineError `ENGINE_PANICKED` after a trap. */
export function ask<T>(call: () => T): T {
  return engineModule.ask(call);
}
