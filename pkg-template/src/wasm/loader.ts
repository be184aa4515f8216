// One module of WebAssembly and its one running instance: loading, what a trap means, how its memory is read. It is
// written by hand because the generated loaders fetch or compile at import time, which edge runtimes forbid.
//
// 1. Nothing is compiled or instantiated before the first use, and then synchronously.
// 2. There is at most one live instance. After a trap it is dropped; the next use makes a fresh one, with a new
//    `number`, so that handles of the old one are recognised as stale. Other modules do not notice.

import { EngineError, WorkflowError } from "../errors/errors.js";

/** Generated glue: the functions that the module exports, and how an instance is handed to it. */
interface Glue {
  __wbg_set_wasm(exports: WebAssembly.Exports): void;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Fills the table of JavaScript references; only there if the module uses them. */
  readonly __wbindgen_start?: () => void;
}

/** How a module is called, for imports and messages. */
interface Names {
  /** Of the generated files. */
  readonly file: string;
  /** The function that takes the compiled module from the program, and the entry that exports it. */
  readonly setter: string;
  readonly slim: string;
}

/** What to do when an instance has trapped. */
export interface TrapListener {
  trapped(error: EngineError): void;
}

const NO_WORDS = /* @__PURE__ */ new Uint32Array(0);
const NO_INTS = /* @__PURE__ */ new Int32Array(0);

/** Why bytes could not be compiled; the runtimes say so in words of their own, which are the cause. */
const NOT_FROM_BYTES =
  "This runtime does not compile WebAssembly from bytes. " +
  "Where a Content-Security-Policy forbids it, add 'wasm-unsafe-eval' to its " +
  'script-src; on an edge network, let the bundler resolve the package with the condition "workerd" or "edge-light".';

/** Not `instanceof`: a module that another realm compiled (as edge runtimes do) is as good. */
const isModule = (value: unknown): boolean => Object.prototype.toString.call(value) === "[object WebAssembly.Module]";

function unsupported(detail: string, cause?: unknown): never {
  throw new EngineError("UNSUPPORTED_RUNTIME", detail, cause === undefined ? {} : { cause });
}

/** A module. `T` is its glue. */
export class WasmModule<T extends Glue> {
  readonly #glue: T;
  readonly #names: Names;
  #getModule: (() => WebAssembly.Module) | undefined;
  #live: Exports | undefined;
  #number = 1;
  #words = NO_WORDS;
  #ints = NO_INTS;
  /** A call into the instance has begun and not come back. */
  #isInside = false;
  readonly #trapListeners = new Set<WeakRef<TrapListener>>();

  readonly #onStart: ((exports: WebAssembly.Exports) => void) | undefined;

  constructor(glue: T, names: Names, onStart?: (exports: WebAssembly.Exports) => void) {
    this.#glue = glue;
    this.#names = names;
    this.#onStart = onStart;
  }

  /** Called by an entry at import time: says where the compiled module comes from, without getting it. */
  provide(get: () => WebAssembly.Module): void {
    this.#getModule = get;
  }

  /** Takes the compiled module from the program. */
  set(module: WebAssembly.Module): void {
    if (!isModule(module)) unsupported(`${this.#names.setter} was given something that is not a WebAssembly.Module.`);
    this.provide(() => module);
  }

  #start(): Exports {
    const module = this.#module();
    const imports = { [`./${this.#names.file}_bg.js`]: this.#glue as unknown as WebAssembly.ModuleImports };
    try {
      const exports = new WebAssembly.Instance(module, imports).exports;
      this.#glue.__wbg_set_wasm(exports);
      this.#onStart?.(exports);
      const started = exports as unknown as Exports;
      started.__wbindgen_start?.();
      return started;
    } catch (cause) {
      return unsupported(
        `${this.#names.file}.wasm did not start; perhaps it is of another version of the package.`,
        cause,
      );
    }
  }

  /** The compiled module. @throws EngineError `UNSUPPORTED_RUNTIME`, which names what is in the way. */
  #module(): WebAssembly.Module {
    const { file, setter, slim } = this.#names;
    if (this.#getModule === undefined) {
      return unsupported(`With "${slim}", ${setter}(module) must be called before anything else.`);
    }
    if (typeof WebAssembly === "undefined") return unsupported("This runtime has no WebAssembly.");
    let module: WebAssembly.Module;
    try {
      module = this.#getModule();
    } catch (cause) {
      return unsupported(NOT_FROM_BYTES, cause);
    }
    if (isModule(module)) return module;
    return unsupported(
      `The import of ${file}.wasm gave no WebAssembly.Module: a bundler has taken it for another kind of file.`,
    );
  }

  /** The exported functions; the first call makes the instance. */
  use(): T {
    this.#live ??= this.#start();
    return this.#glue;
  }

  /** Its memory as words. Good until the next call into it, because memory that grows leaves its old views empty. */
  words(): Uint32Array {
    if (this.#words.length === 0) {
      this.#live ??= this.#start();
      this.#words = new Uint32Array(this.#live.memory.buffer);
    }
    return this.#words;
  }

  /** The same as signed words, which are small integers to V8 whatever is in them. */
  ints(): Int32Array {
    if (this.#ints.length === 0) this.#ints = new Int32Array(this.words().buffer as ArrayBuffer);
    return this.#ints;
  }

  /**
   * Which instance is live, or will be at the next use: what was in one that is gone must not be looked for in the
   * next.
   */
  get number(): number {
    return this.#number;
  }

  /** Registers a listener for traps. Held weakly; returns how to unregister. */
  onTrap(listener: TrapListener): WeakRef<TrapListener> {
    const reference = new WeakRef(listener);
    this.#trapListeners.add(reference);
    return reference;
  }

  /** The opposite of {@link onTrap}. */
  offTrap(reference: WeakRef<TrapListener>): void {
    this.#trapListeners.delete(reference);
  }

  /**
   * Called with what a call threw. The instance is in an unknown state: it is dropped, and everybody who has
   * something in it is notified, in the next microtask. The next use gets a fresh one.
   */
  trapped(cause: unknown): EngineError {
    const error = new EngineError("ENGINE_PANICKED", "", { cause });
    const listeners = [...this.#trapListeners];
    // Later, on a stack of its own: this one may be full, and who learns of it only half would hang.
    queueMicrotask(() => {
      for (const reference of listeners) reference.deref()?.trapped(error);
    });
    this.#trapListeners.clear();
    // The glue keeps views of the memory and renews them when their buffer is detached; growing by nothing detaches it.
    this.#live?.memory.grow(0);
    this.#live = undefined;
    this.#number += 1;
    this.#words = NO_WORDS;
    this.#ints = NO_INTS;
    this.#isInside = false;
    return error;
  }

  /**
   * Before a call; {@link leave} comes after it. A stack that overflowed inside a call may have left no room
   * to do anything about it: then it is done at the next call, which is this one.
   */
  enter(): void {
    if (this.#isInside) this.trapped(undefined);
    this.#isInside = true;
  }

  /** A call has come back. */
  leave(): void {
    this.#isInside = false;
  }

  /** Makes a call. @throws EngineError after a trap; what the answer reader throws, as it is. */
  ask<R>(call: () => R): R {
    this.enter();
    try {
      const answer = call();
      this.leave();
      return answer;
    } catch (thrown) {
      // Whatever else comes out of a call (a trap, a stack overflow) has left the instance in the middle of something.
      if (!(thrown instanceof WorkflowError)) throw this.trapped(thrown);
      this.leave();
      throw thrown;
    }
  }
}
